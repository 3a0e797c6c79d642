"""A version's held-out reviews and what it said of them to the reference of its monitoring."""

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
    """Keeps what the version did on reviews it had not seen; no model is run, as evaluation has done so.

    Args:
        splits: Of the version.
        evaluation: Of the version, on its test split.
        version: Its number.
        rows: At most so many reviews.
        seed: Of the choice, where there are more.
    """
    scores = evaluation.predictions["p_positive"].to_numpy()
    return reference.build_reference(splits.test, scores, model_version=version, rows=rows, seed=seed)
