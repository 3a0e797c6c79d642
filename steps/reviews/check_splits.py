"""Splits to a leakage report."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from zenml import step

from sentiment.checks import CheckReport
from sentiment.reviews import expectations
from sentiment.reviews.table import Splits


@step
def check_splits(splits: Splits, suite: str, similarity: float) -> Annotated[CheckReport, "split_checks"]:
    """Runs the Great Expectations suite for splits: no text, and no near-copy of one, in two of them.

    Args:
        splits: The splits.
        suite: The suite's YAML file.
        similarity: From which Jaccard similarity of words on two texts are near-copies, in [0.5, 1].
    """
    return expectations.check_splits(splits, Path(suite), similarity=similarity)
