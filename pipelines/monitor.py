"""Turns a prediction log into checks on the live version, and into reviews for a retraining."""

from __future__ import annotations

from zenml import pipeline
from zenml.enums import ExecutionMode

import materializers  # noqa: F401  # registers how typed artifacts are stored
from registry.lineage import artifact_names
from registry.versions import get_artifact
from sentiment.monitoring.settings import MonitorSettings
from steps.monitoring.build_reference import build_reference
from steps.monitoring.check_window import check_window
from steps.monitoring.guard_feedback import guard_feedback
from steps.monitoring.read_window import read_window


@pipeline(name="monitor", execution_mode=ExecutionMode.FAIL_FAST)  # otherwise the error of the failed step is lost
def monitor(settings: MonitorSettings, version: str, kind: str, log: str, end: float, born: float) -> None:
    """Compares the recent predictions of a version with its predictions on held-out reviews.

    Args:
        settings: The settings of the pipeline.
        version: Number of the version.
        kind: The candidate: ``linear``, ``transformer`` or ``cascade``.
        log: Folder or URL of its prediction log.
        end: End of the window, in seconds since 1970.
        born: Time at which the version was registered, likewise.
    """
    _, splits, evaluation = (get_artifact(settings.model, version, name) for name in artifact_names(kind))
    reference = build_reference(splits, evaluation, version, settings.drift.reference_rows, settings.seed)
    window = read_window(log, settings.window, version, end, born, settings.seed)
    check_window(window, reference, settings)
    guard_feedback(window, splits, settings)
