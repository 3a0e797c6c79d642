"""Folds of the training split, for searches that leave the validation split alone."""

from __future__ import annotations

from sentiment.errors import UserError
from sentiment.reviews.table import LABELS, Reviews, Splits


def take_fold(splits: Splits, count: int, fold: int, *, seed: int) -> Splits:
    """Makes one stratified fold of the training split the validation split, and the other folds the training split.

    Near copies were removed before the reviews were split: no fold holds a copy of another one's review.

    Args:
        splits: The splits; the validation and the test split are not used.
        count: Number of folds.
        fold: Number of the fold, from 0.
        seed: Seed of the folds.

    Raises:
        UserError: If a label has fewer training reviews than there are folds.
    """
    from sklearn.model_selection import StratifiedKFold

    frame = splits.train.frame
    fewest = int(frame["label"].value_counts().reindex(range(len(LABELS)), fill_value=0).min())
    if fewest < count:
        raise UserError(
            f"the rarer label has {fewest} training reviews, too few for {count} folds",
            where="key folds",
            remedy="Use fewer folds, or more reviews.",
        )
    parts = list(StratifiedKFold(count, shuffle=True, random_state=seed).split(frame, frame["label"]))
    rest, held_out = (frame.iloc[rows].reset_index(drop=True) for rows in parts[fold])
    return Splits(Reviews(rest), Reviews(held_out), splits.test)
