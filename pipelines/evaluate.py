"""A version, scored on reviews of any source that it has not seen."""

from __future__ import annotations

from zenml import pipeline
from zenml.enums import ExecutionMode

import materializers  # noqa: F401  # registers how typed artifacts are stored
from pipelines.settings import EvaluateSettings
from registry.versions import linked_artifact
from steps.evaluation.evaluate_unseen import evaluate_unseen
from steps.reviews.load_unseen import load_unseen


@pipeline(name="evaluate", execution_mode=ExecutionMode.FAIL_FAST)  # else the error that stopped it is lost
def evaluate(settings: EvaluateSettings, source_fingerprint: str, version: str) -> None:
    """Loads the reviews, leaves out those the version knows, and measures it on the rest.

    Args:
        settings: Everything a user may change.
        source_fingerprint: Identity of the source's content, for caching.
        version: Number of the version.
    """
    known = linked_artifact(settings.model, version, "splits")
    reviews = load_unseen(settings.source, source_fingerprint, known, settings.exclude_training, settings.seed)
    evaluate_unseen(
        linked_artifact(settings.model, version, "servable"),
        reviews,
        settings.evaluation,
        settings.behaviour,
        settings.seed,
    )
