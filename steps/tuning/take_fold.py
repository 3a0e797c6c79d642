"""Splits to one fold of the training split."""

from __future__ import annotations

from typing import Annotated

from zenml import step

from sentiment.reviews.table import Splits
from sentiment.tuning import folds
from steps.caching import depends_on_imports


@step(cache_policy=depends_on_imports(__name__))
def take_fold(splits: Splits, count: int, fold: int, seed: int) -> Annotated[Splits, "fold"]:
    """Makes one fold of the training split the validation split, and the other folds the training split.

    Args:
        splits: The splits.
        count: Number of folds.
        fold: Number of the fold, from 0.
        seed: Seed of the folds.
    """
    return folds.take_fold(splits, count, fold, seed=seed)
