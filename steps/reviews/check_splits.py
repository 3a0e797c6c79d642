"""Splits to a leakage report."""

from __future__ import annotations

from typing import Annotated

from zenml import step

from sentiment.checks import CheckReport
from sentiment.reviews import expectations
from sentiment.reviews.suites import SuiteSettings
from sentiment.reviews.table import Splits
from steps.caching import depends_on_imports


@step(cache_policy=depends_on_imports(__name__))
def check_splits(splits: Splits, suite: SuiteSettings, similarity: float) -> Annotated[CheckReport, "split_checks"]:
    """Runs the Great Expectations suite for splits: no text, and no near-copy of one, in two of them.

    Args:
        splits: The splits.
        suite: The suite.
        similarity: From which Jaccard similarity of words on two texts are near-copies, in [0.5, 1].
    """
    return expectations.check_splits(splits, suite, similarity=similarity)
