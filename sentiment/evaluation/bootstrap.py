"""Bootstrap intervals, vectorised: a resample is a row of counts, a statistic is a matrix product.

Drawing n of n rows with replacement is the same as counting how often each row was drawn. Every statistic that is a
function of sums over rows (accuracy, F1, Brier, ECE) then follows from ``counts @ features``, with no Python loop over
resamples.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import numpy as np
from pydantic import BaseModel, ConfigDict

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Labels = NDArray[np.int64]

_CELLS = 1_000_000  # counts held in memory at once (8 MB)


class Interval(BaseModel):
    """An estimate with its confidence interval.

    Attributes:
        value: The estimate on the rows as they are.
        low: Lower end of the interval, in the unit of ``value``.
        high: Upper end of the interval.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.3f} ({self.low:.3f} to {self.high:.3f})"


class PairedDifference(BaseModel):
    """How much better one classifier is than another on the same rows; positive means better.

    Attributes:
        accuracy: Difference in accuracy, in [-1, 1].
        macro_f1: Difference in macro-F1, in [-1, 1].
        count: Rows that were compared.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    accuracy: Interval
    macro_f1: Interval
    count: int


def resample_counts(rows: int, resamples: int, seed: int) -> Iterator[Floats]:
    """Draws bootstrap resamples as counts per row, in blocks that fit in memory.

    Args:
        rows: Number of rows n.
        resamples: Number of resamples to draw.
        seed: Seed; the same seed and shape give the same resamples, so two statistics may be paired.

    Yields:
        Blocks of shape (b, n): how often each row was drawn. Every line sums to n.
    """
    rng = np.random.default_rng(seed)
    block = max(1, _CELLS // rows)
    for start in range(0, resamples, block):
        size = min(block, resamples - start)
        drawn = rng.integers(0, rows, (size, rows)) + np.arange(size)[:, None] * rows
        yield np.bincount(drawn.ravel(), minlength=size * rows).reshape(size, rows).astype(np.float64)


def percentile_interval(value: float, samples: Floats, confidence: float) -> Interval:
    """The percentile interval of bootstrap ``samples`` (Efron & Tibshirani 1993, chapter 13); NaN samples are left out.

    Args:
        value: The estimate.
        samples: The statistic on each resample, shape (resamples,).
        confidence: Share of resamples inside, e.g. 0.95.
    """
    tail = (1 - confidence) / 2
    low, high = np.nanquantile(samples, [tail, 1 - tail])
    return Interval(value=float(value), low=float(low), high=float(high))


def confusion_features(labels: Labels, predicted: Labels) -> Floats:
    """Indicator columns true positive, false positive, false negative, true negative; shape (n, 4)."""
    cells = [(1, 1), (0, 1), (1, 0), (0, 0)]
    return np.stack([(labels == y) & (predicted == p) for y, p in cells], axis=1).astype(np.float64)


def macro_f1(confusion: Floats) -> Floats:
    """Macro-F1 of confusion counts (..., 4) as in :func:`confusion_features`.

    A class that occurs neither in the labels nor in the predictions is left out of the mean, as scikit-learn does.
    """
    tp, fp, fn, tn = np.moveaxis(confusion, -1, 0)
    with np.errstate(invalid="ignore"):
        per_class = np.stack([2 * tp / (2 * tp + fp + fn), 2 * tn / (2 * tn + fp + fn)])
    return np.asarray(np.nanmean(per_class, axis=0))


def accuracy(confusion: Floats) -> Floats:
    """Accuracy of confusion counts (..., 4) as in :func:`confusion_features`."""
    return np.asarray((confusion[..., 0] + confusion[..., 3]) / confusion.sum(axis=-1))


def paired_difference(
    labels: Labels,
    first: Floats,
    second: Floats,
    *,
    resamples: int,
    confidence: float,
    seed: int,
    thresholds: tuple[float, float] = (0.5, 0.5),
) -> PairedDifference:
    """Compares two classifiers on the same rows by the paired bootstrap.

    Both are scored on the same resampled rows, so rows that are hard for both cancel out (Koehn 2004, "Statistical
    Significance Tests for Machine Translation Evaluation", EMNLP, https://aclanthology.org/W04-3250; Efron &
    Tibshirani 1993, "An Introduction to the Bootstrap", doi 10.1201/9780429246593).

    Args:
        labels: True labels, shape (n,), 0 or 1.
        first: P(positive) by the classifier that should be better, shape (n,).
        second: P(positive) by the one it is compared with, shape (n,), same row order.
        resamples: Number of resamples.
        confidence: Of the intervals, e.g. 0.95.
        seed: Seed of the resamples.
        thresholds: P(positive) above which each of the two labels a row positive.

    Returns:
        ``first`` minus ``second``. A lower end above 0 means significantly better.
    """
    answers = [p > threshold for p, threshold in zip((first, second), thresholds, strict=True)]
    features = np.hstack([confusion_features(labels, answer.astype(np.int64)) for answer in answers])
    sums = np.vstack([counts @ features for counts in resample_counts(len(labels), resamples, seed)])
    whole = features.sum(axis=0)

    def interval(metric: Callable[[Floats], Floats]) -> Interval:
        difference = metric(sums[:, :4]) - metric(sums[:, 4:])
        return percentile_interval(float(metric(whole[:4]) - metric(whole[4:])), difference, confidence)

    return PairedDifference(accuracy=interval(accuracy), macro_f1=interval(macro_f1), count=len(labels))
