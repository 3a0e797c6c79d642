"""Held-out reviews and a version's evaluation to its monitoring reference."""

from __future__ import annotations

from typing import Annotated

from zenml import step

from sentiment.evaluation.measure import Evaluation
from sentiment.monitoring import reference
from sentiment.reviews.table import Splits
from steps.caching import depends_on_imports


@step(cache_policy=depends_on_imports(__name__))
def build_reference(
    splits: Splits, evaluation: Evaluation, version: str, rows: int, seed: int
) -> Annotated[reference.Reference, "reference"]:
    """Builds the reference from the recorded evaluation; no model runs.

    Args:
        splits: Of the version.
        evaluation: Of the version, on its test split.
        version: Its number.
        rows: Maximum number of reviews.
        seed: Of the choice, where there are more.
    """
    scores = evaluation.predictions["p_positive"].to_numpy()
    return reference.build_reference(
        splits.test, scores, model_version=version, rows=rows, seed=seed, threshold=evaluation.threshold
    )
