"""The data of the report, from the artifacts of a model that the stack still has."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from cli.model_status import ModelStatus, read_status
from registry.artifacts import is_complete, load_artifact, open_store
from sentiment.deployment import Version
from sentiment.pages.report_data import Report

if TYPE_CHECKING:
    from zenml.models import ArtifactVersionResponse


def collect_report(model: str, *, stack: str) -> Report:
    """Collects the data about a model on the active stack; the report names missing artifacts."""
    status = read_status(model)
    champion = status.production
    artifacts = _find_artifacts(model, champion) if champion else {}
    found = {name: _load(artifact) for name, artifact in artifacts.items()}
    return Report(
        model=model,
        stack=stack,
        at=datetime.now(UTC),
        versions=status.versions,
        splits=found.get("splits"),
        evaluation=found.get("evaluation"),
        behaviour=found.get("behavioural report"),
        decision=found.get("decision"),
        live=status.live,
        health=status.health,
        history=status.runs,
        latest=status.latest,
        warnings=_warnings(status),
        missing=tuple(name for name, value in found.items() if value is None),
    )


def _find_artifacts(model: str, champion: Version) -> dict[str, ArtifactVersionResponse | None]:
    """Returns the artifacts of the champion under their names in the report; None for one that ZenML has deleted."""
    from zenml.client import Client

    version = Client().get_model_version(model, champion.number)
    return {
        "splits": version.get_artifact("splits"),
        "evaluation": version.get_artifact(f"{champion.kind}_evaluation"),
        "behavioural report": version.get_artifact(f"{champion.kind}_behaviour"),
        "decision": _find_decision(champion.run),
    }


def _find_decision(run: str) -> ArtifactVersionResponse | None:
    """Returns the decision of a run; no version is linked to it, because later runs decide on the version again."""
    from zenml.client import Client

    runs = Client().list_pipeline_runs(name=run, size=1).items if run else []
    step = runs[0].steps.get("decide") if runs else None
    return step.regular_outputs.get("decision") if step else None


def _load(artifact: ArtifactVersionResponse | None) -> Any:  # noqa: ANN401  # the type depends on the artifact
    if artifact is None or artifact.artifact_store_id is None:
        return None
    return load_artifact(artifact) if is_complete(artifact, open_store(artifact.artifact_store_id)) else None


def _warnings(status: ModelStatus) -> tuple[str, ...]:
    return tuple(filter(None, [status.warning, *status.disagreements]))
