"""The history of a model's monitoring runs."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC
from itertools import count
from typing import TYPE_CHECKING, Any

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


def iterate_runs(model: str, version: str) -> Iterator[MonitoringRun]:
    """Yields every monitoring run of a version, newest first; reads a page of them only when it is needed."""
    for page in count(1):
        found = _list_reports(page=page, run_metadata=[f'model:"{model}"', f'model_version:"{version}"'])
        yield from map(_monitoring_run, found)
        if len(found) < MAX_RUNS:
            return


def _list_reports(**filters: Any) -> list[ArtifactVersionResponse]:  # noqa: ANN401  # of ZenML
    """Lists a page of reports, newest first; of every model, unless filtered."""
    from zenml.client import Client

    newest = Client().list_artifact_versions(
        artifact=REPORT, sort_by="desc:created", size=MAX_RUNS, hydrate=True, **filters
    )
    return list(newest.items)


def _monitoring_run(artifact: ArtifactVersionResponse) -> MonitoringRun:
    metadata = artifact.run_metadata
    failed, scores, judged = (metadata.get(name) for name in ("failed_checks", "scores", "judged_checks"))
    actions = metadata.get("actions")
    return MonitoringRun(
        at=artifact.created.replace(tzinfo=artifact.created.tzinfo or UTC),
        run=str(metadata.get("run", "")),
        version=str(metadata.get("model_version", "")),
        passed=bool(metadata.get("passed", False)),
        failed=tuple(map(str, failed)) if isinstance(failed, list) else (),
        scores={str(name): float(score) for name, score in scores.items()} if isinstance(scores, dict) else {},
        span=(float(str(metadata.get("start", 0))), float(str(metadata.get("end", 0)))),
        judged=tuple(map(str, judged)) if isinstance(judged, list) else (),
        actions={str(name): str(words) for name, words in actions.items()} if isinstance(actions, dict) else {},
    )


def _load_report(artifact: ArtifactVersionResponse) -> CheckReport | None:
    store = artifact.artifact_store_id
    if store is None or not is_complete(artifact, open_store(store)):
        return None
    report: CheckReport = load_artifact(artifact)
    return report
