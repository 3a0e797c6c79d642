"""Raw reviews to a data quality report."""

from __future__ import annotations

from typing import Annotated

from zenml import step

from sentiment.checks import CheckReport
from sentiment.reviews.expectations import check_reviews
from sentiment.reviews.suites import SuiteSettings
from sentiment.reviews.table import Reviews
from steps.caching import depends_on_imports


@step(cache_policy=depends_on_imports(__name__))
def check_raw(reviews: Reviews, suite: SuiteSettings) -> Annotated[CheckReport, "review_checks"]:
    """Runs the Great Expectations suite for raw reviews.

    Args:
        reviews: Raw reviews.
        suite: The suite.
    """
    return check_reviews(reviews, suite)
