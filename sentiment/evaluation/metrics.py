"""Metrics of one set of predictions, each with its bootstrap interval."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from pydantic import BaseModel, ConfigDict

from sentiment.evaluation.bootstrap import (
    Interval,
    accuracy,
    confusion_features,
    macro_f1,
    percentile_interval,
    resample_counts,
)
from sentiment.evaluation.calibration import confidence_bins, overconfidence

if TYPE_CHECKING:
    from sentiment.evaluation.bootstrap import Floats, Labels

CONFIDENCE = 0.95  # of every interval
METRIC_NAMES = ("accuracy", "macro_f1", "recall_negative", "recall_positive", "roc_auc", "ece", "brier")  # of Metrics


class Metrics(BaseModel):
    """Figures of one classifier on one set of rows, with 95% bootstrap intervals.

    Attributes:
        count: Number of rows.
        accuracy: Share of right labels at the threshold.
        macro_f1: Mean of the F1 of both classes.
        roc_auc: Area under the ROC curve; None where only one class occurs.
        ece: Expected calibration error (Guo et al. 2017, arXiv 1706.04599).
        recall_negative: Share of the negative rows that are labelled negative; None where none occurs, or of an older
            evaluation.
        recall_positive: The same of the positive rows.
        brier: Mean squared error of P(positive) (Brier 1950, doi 10.1175/1520-0493(1950)078<0001:VOFEIT>2.0.CO;2).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    count: int
    accuracy: Interval
    macro_f1: Interval
    roc_auc: Interval | None
    ece: Interval
    brier: Interval
    recall_negative: Interval | None = None
    recall_positive: Interval | None = None


def measure(
    labels: Labels, p_positive: Floats, *, resamples: int, ece_bins: int, seed: int, threshold: float = 0.5
) -> Metrics:
    """Measures P(positive) against the labels.

    Args:
        labels: 0 or 1, shape (n,), n at least 1.
        p_positive: Shape (n,), in [0, 1].
        resamples: Bootstrap resamples behind each interval.
        ece_bins: Bins of the calibration error.
        seed: Of the resamples.
        threshold: P(positive) above which a row is labelled positive.
    """
    order = np.argsort(p_positive, kind="stable")  # the AUC needs the rows sorted, the rest does not mind
    y, p = labels[order], p_positive[order]
    features = np.hstack(
        [
            confusion_features(y, (p > threshold).astype(np.int64)),
            np.square(p - y)[:, None],
            np.eye(ece_bins)[confidence_bins(np.maximum(p, 1 - p), ece_bins)] * overconfidence(p, y)[:, None],
        ]
    )
    blocks = [(counts @ features, _roc_auc(counts, y, p)) for counts in resample_counts(len(y), resamples, seed)]
    sums, auc = np.vstack([s for s, _ in blocks]), np.concatenate([a for _, a in blocks])
    whole, value_auc = features.sum(axis=0), _roc_auc(np.ones((1, len(y))), y, p)[0]
    recalls = {name: (_recall(whole[:4], name), _recall(sums[:, :4], name)) for name in ("negative", "positive")}
    return Metrics(
        count=len(y),
        accuracy=percentile_interval(float(accuracy(whole[:4])), accuracy(sums[:, :4]), CONFIDENCE),
        macro_f1=percentile_interval(float(macro_f1(whole[:4])), macro_f1(sums[:, :4]), CONFIDENCE),
        roc_auc=None if np.isnan(value_auc) else percentile_interval(value_auc, auc, CONFIDENCE),
        ece=_ece_interval(np.abs(whole[5:]).sum() / len(y), np.abs(sums[:, 5:]).sum(axis=1) / len(y)),
        brier=percentile_interval(whole[4] / len(y), sums[:, 4] / len(y), CONFIDENCE),
        **{
            f"recall_{name}": None if np.isnan(value) else percentile_interval(float(value), samples, CONFIDENCE)
            for name, (value, samples) in recalls.items()
        },
    )


def _recall(confusion: Floats, name: str) -> Floats:
    """Recall of a label by confusion counts (..., 4) as in :func:`confusion_features`; NaN where it does not occur."""
    tp, fp, fn, tn = np.moveaxis(confusion, -1, 0)
    right, wrong = (tp, fn) if name == "positive" else (tn, fp)
    with np.errstate(invalid="ignore"):
        return np.asarray(right / (right + wrong))


def _roc_auc(counts: Floats, labels: Labels, p_positive: Floats) -> Floats:
    """Area under the ROC curve of rows sorted by ``p_positive`` and weighted by ``counts`` (b, n); NaN for one class.

    The Mann-Whitney form: the share of pairs in which the positive has the higher score; a tie is half a pair.
    """
    ties = np.flatnonzero(np.diff(p_positive, prepend=-1.0))  # where each group of equal scores starts
    positives = np.add.reduceat(counts * labels, ties, axis=1)
    negatives = np.add.reduceat(counts * (1 - labels), ties, axis=1)
    below = np.cumsum(negatives, axis=1) - negatives
    pairs = positives.sum(axis=1) * negatives.sum(axis=1)
    with np.errstate(invalid="ignore"):
        return np.asarray((positives * (below + negatives / 2)).sum(axis=1) / pairs)


def _ece_interval(value: float, samples: Floats) -> Interval:
    """The percentile interval, moved back by the bootstrap's bias.

    The calibration error is a sum of absolute values, so resampling noise only ever adds to it: the plain percentile
    interval of a well calibrated classifier would lie wholly above its own estimate.
    """
    return percentile_interval(value, np.maximum(samples - (samples.mean() - value), 0), CONFIDENCE)
