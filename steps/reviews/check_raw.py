"""Raw reviews to a data quality report."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from zenml import step

from sentiment.checks import CheckReport
from sentiment.reviews.expectations import check_reviews
from sentiment.reviews.table import Reviews


@step
def check_raw(reviews: Reviews, suite: str) -> Annotated[CheckReport, "review_checks"]:
    """Runs the Great Expectations suite for raw reviews.

    Args:
        reviews: Raw reviews.
        suite: The suite's YAML file.
    """
    return check_reviews(reviews, Path(suite))
