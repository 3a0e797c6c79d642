"""The report: one page for people about a model, from whatever the stack still has of it."""

from __future__ import annotations

from argparse import Namespace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.markup import escape

from cli.status import Status, read_status
from registry.artifacts import artifact_store, complete
from registry.versions import Version
from sentiment.errors import UserError
from sentiment.pages.report import Report, ReportedVersion, report_facts, report_page

if TYPE_CHECKING:
    from zenml.models import ArtifactVersionResponse


def run(options: Namespace, console: Console) -> dict[str, object]:
    """Writes the page; returns its facts for ``--json``."""
    report = gather(options.model, stack=options.stack)
    _write(options.output, report_page(report))
    if not report.versions:
        console.print(f"there is no version of {escape(report.model)} yet: make train")
    for name in report.missing:
        console.print(f"[yellow]warning[/]: the champion's {name} is gone from the artifact store")
    console.print(f"Report: {escape(str(options.output))}", soft_wrap=True, highlight=False)
    return {**report_facts(report), "output": str(options.output)}


def gather(model: str, *, stack: str) -> Report:
    """Collects what there is about a model on the active stack; what is gone is named, not missed."""
    now = read_status(model)
    champion = now.production
    artifacts = _artifacts(model, champion) if champion else {}
    found = {name: _loaded(artifact) for name, artifact in artifacts.items()}
    return Report(
        model=model,
        stack=stack,
        at=datetime.now(UTC),
        versions=tuple(map(_reported, now.versions)),
        splits=found.get("splits"),
        evaluation=found.get("evaluation"),
        behaviour=found.get("behavioural report"),
        decision=found.get("decision"),
        live=now.live,
        health=now.health,
        history=now.looks,
        latest=now.latest,
        warnings=_warnings(now),
        missing=tuple(name for name, value in found.items() if value is None),
    )


def _artifacts(model: str, champion: Version) -> dict[str, ArtifactVersionResponse | None]:
    """What is stored about the champion, under names for people; None where ZenML itself has forgotten it."""
    from zenml.client import Client

    version = Client().get_model_version(model, champion.number)
    return {
        "splits": version.get_artifact("splits"),
        "evaluation": version.get_artifact(f"{champion.kind}_evaluation"),
        "behavioural report": version.get_artifact(f"{champion.kind}_behaviour"),
        "decision": _decision(champion.run),
    }


def _decision(run: str) -> ArtifactVersionResponse | None:
    """The decision that a run took; it is not linked to the version, as later runs decide on it again."""
    from zenml.client import Client

    runs = Client().list_pipeline_runs(name=run, size=1).items if run else []
    step = runs[0].steps.get("decide") if runs else None
    return step.regular_outputs.get("decision") if step else None


def _loaded(artifact: ArtifactVersionResponse | None) -> Any:  # noqa: ANN401  # whatever was stored
    if artifact is None or artifact.artifact_store_id is None:
        return None
    return artifact.load() if complete(artifact, artifact_store(artifact.artifact_store_id)) else None


def _reported(version: Version) -> ReportedVersion:
    return ReportedVersion(
        number=version.number,
        stage=version.stage,
        kind=version.kind,
        registered=datetime.fromisoformat(version.registered) if version.registered else None,
        promoted=version.promoted,
        taken_back=datetime.fromisoformat(version.taken_back) if version.taken_back else None,
        reason=version.reason,
        accuracy=version.accuracy,
        ece=version.ece,
    )


def _warnings(now: Status) -> tuple[str, ...]:
    return tuple(filter(None, [now.warning, *now.disagreements]))


def _write(path: Path, page: str) -> None:
    """All of it or nothing: who looks at the old one is not shown half a page."""
    if path.is_dir():
        raise UserError("is a folder", where=f"--output {path}", remedy="Name a file, for example report.html.")
    if not path.parent.is_dir():
        raise UserError("its folder does not exist", where=f"--output {path}", remedy=f"mkdir -p {path.parent}")
    unfinished = path.with_name(f"{path.name}.part")
    unfinished.write_text(page, encoding="utf-8")
    unfinished.replace(path)
