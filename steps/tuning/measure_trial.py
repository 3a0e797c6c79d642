"""Servable and validation reviews to the figures that judge a trial."""

from __future__ import annotations

from typing import Annotated

from zenml import step

from sentiment.models.servable import Servable
from sentiment.reviews.table import Splits
from sentiment.tuning import measure
from steps.caching import depends_on_imports


@step(cache_policy=depends_on_imports(__name__))
def measure_trial(
    servable: Servable, splits: Splits, seed: int
) -> tuple[Annotated[dict[str, float], "trial_values"], Annotated[dict[str, list[float]], "trial_reviews"]]:
    """Measures log loss, accuracy and processor time on the validation split; the test split is not used."""
    values, reviews = measure.measure_trial(servable, splits.validation, seed=seed)
    return values, reviews  # ZenML sees two outputs only where a tuple is written out
