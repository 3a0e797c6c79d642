"""What monitoring found of a model, look by look."""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING

from registry.artifacts import artifact_store, complete
from sentiment.checks import CheckReport
from sentiment.monitoring.alarms import Watched

if TYPE_CHECKING:
    from zenml.models import ArtifactVersionResponse

REPORT = "monitoring_checks"  # name of the artifact
MOST = 336  # looks that are read: two weeks of every hour


def history(model: str) -> tuple[tuple[Watched, ...], CheckReport | None]:
    """The latest looks, oldest first, and the whole report of the last one; None if there is none, or it is gone."""
    found = [artifact for artifact in _reports() if artifact.run_metadata.get("model") == model]
    watched = tuple(map(_watched, reversed(found)))
    return watched, _report(found[0]) if found else None


def _reports() -> list[ArtifactVersionResponse]:
    """Of every model, newest first."""
    from zenml.client import Client

    newest = Client().list_artifact_versions(artifact=REPORT, sort_by="desc:created", size=MOST, hydrate=True)
    return list(newest.items)


def _watched(artifact: ArtifactVersionResponse) -> Watched:
    known = artifact.run_metadata
    failed, scores = known.get("failed_checks"), known.get("scores")
    return Watched(
        at=artifact.created.replace(tzinfo=artifact.created.tzinfo or UTC),
        run=str(known.get("run", "")),
        version=str(known.get("model_version", "")),
        passed=bool(known.get("passed", False)),
        failed=tuple(map(str, failed)) if isinstance(failed, list) else (),
        scores={str(name): float(score) for name, score in scores.items()} if isinstance(scores, dict) else {},
    )


def _report(artifact: ArtifactVersionResponse) -> CheckReport | None:
    store = artifact.artifact_store_id
    if store is None or not complete(artifact, artifact_store(store)):
        return None
    report: CheckReport = artifact.load()
    return report
