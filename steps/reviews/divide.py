"""Raw reviews to splits."""

from __future__ import annotations

from typing import Annotated

from zenml import log_metadata, step

from sentiment.checks import CheckReport
from sentiment.reviews.splitting import SplitSettings, split
from sentiment.reviews.table import Reviews, Splits
from steps.caching import depends_on_imports


@step(cache_policy=depends_on_imports(__name__))
def divide(reviews: Reviews, checks: CheckReport, settings: SplitSettings, seed: int) -> Annotated[Splits, "splits"]:
    """Cleans, removes duplicates and near-copies, and divides; stops if the raw reviews failed a critical check."""
    checks.require_passed()
    splits = split(reviews, settings, seed=seed)
    log_metadata({"rows": {count.name: count.rows for count in splits.row_counts}})
    return splits
