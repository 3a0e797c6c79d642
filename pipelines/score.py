"""Scores files with a version of the model."""

from __future__ import annotations

from zenml import pipeline
from zenml.enums import ExecutionMode

import materializers  # noqa: F401  # registers how typed artifacts are stored
from registry.lineage import artifact_names
from registry.versions import get_artifact
from sentiment.scoring.settings import ScoreSettings
from steps.monitoring.build_reference import build_reference
from steps.scoring.score_files import score_files


@pipeline(name="score", execution_mode=ExecutionMode.FAIL_FAST)  # otherwise the error of the failed step is lost
def score(settings: ScoreSettings, version: str, kind: str, restart: bool) -> None:
    """Scores every row of the input, and compares them with the version's answers to held-out reviews.

    Args:
        settings: The settings of the pipeline.
        version: Number of the version.
        kind: The candidate: ``linear``, ``transformer`` or ``cascade``.
        restart: Whether to begin anew where an earlier run has finished a part.
    """
    servable, splits, evaluation = (get_artifact(settings.model, version, name) for name in artifact_names(kind))
    reference = build_reference(splits, evaluation, version, settings.drift.reference_rows, settings.seed)
    score_files(servable, reference, version, settings, restart)
