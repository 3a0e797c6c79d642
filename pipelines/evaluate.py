"""Scores a version on unseen reviews of any source."""

from __future__ import annotations

from zenml import pipeline
from zenml.enums import ExecutionMode

import materializers  # noqa: F401  # registers how typed artifacts are stored
from pipelines.settings import EvaluateSettings
from registry.versions import get_artifact
from steps.evaluation.evaluate_unseen import evaluate_unseen
from steps.reviews.load_unseen import load_unseen


@pipeline(name="evaluate", execution_mode=ExecutionMode.FAIL_FAST)  # otherwise the error of the failed step is lost
def evaluate(settings: EvaluateSettings, source_fingerprint: str, version: str) -> None:
    """Loads the reviews, leaves out those that the version was trained on, and evaluates it on the rest.

    Args:
        settings: The settings of the pipeline.
        source_fingerprint: Hash of the source's content, part of the cache key.
        version: Number of the version.
    """
    known = get_artifact(settings.model, version, "splits")
    reviews = load_unseen(settings.source, source_fingerprint, known, settings.exclude_training, settings.seed)
    evaluate_unseen(
        get_artifact(settings.model, version, "servable"),
        reviews,
        settings.evaluation,
        settings.behaviour,
        settings.seed,
    )
