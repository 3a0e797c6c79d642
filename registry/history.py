"""The history of a model's monitoring runs."""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING

from registry.artifacts import is_complete, load_artifact, open_store
from sentiment.checks import CheckReport
from sentiment.monitoring.alarms import MonitoringRun

if TYPE_CHECKING:
    from zenml.models import ArtifactVersionResponse

REPORT = "monitoring_checks"  # name of the artifact
MAX_RUNS = 336  # two weeks of hourly runs


def read_history(model: str) -> tuple[tuple[MonitoringRun, ...], CheckReport | None]:
    """Returns the latest monitoring runs, oldest first, and the report of the last one; None if it is gone."""
    found = [artifact for artifact in _list_reports() if artifact.run_metadata.get("model") == model]
    runs = tuple(map(_monitoring_run, reversed(found)))
    return runs, _load_report(found[0]) if found else None


def _list_reports() -> list[ArtifactVersionResponse]:
    """Lists the reports of every model, newest first."""
    from zenml.client import Client

    newest = Client().list_artifact_versions(artifact=REPORT, sort_by="desc:created", size=MAX_RUNS, hydrate=True)
    return list(newest.items)


def _monitoring_run(artifact: ArtifactVersionResponse) -> MonitoringRun:
    metadata = artifact.run_metadata
    failed, scores = metadata.get("failed_checks"), metadata.get("scores")
    return MonitoringRun(
        at=artifact.created.replace(tzinfo=artifact.created.tzinfo or UTC),
        run=str(metadata.get("run", "")),
        version=str(metadata.get("model_version", "")),
        passed=bool(metadata.get("passed", False)),
        failed=tuple(map(str, failed)) if isinstance(failed, list) else (),
        scores={str(name): float(score) for name, score in scores.items()} if isinstance(scores, dict) else {},
    )


def _load_report(artifact: ArtifactVersionResponse) -> CheckReport | None:
    store = artifact.artifact_store_id
    if store is None or not is_complete(artifact, open_store(store)):
        return None
    report: CheckReport = load_artifact(artifact)
    return report
