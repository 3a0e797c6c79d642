"""Calibration: does 0.8 mean right eight times in ten?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from pydantic import BaseModel, ConfigDict

from sentiment.evaluation.bootstrap import accuracy, confusion_features, macro_f1

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

# The default of ClassWeightSettings.ratio. Not that setting: what judges a model must not depend on how it was trained.
UNBALANCED_RATIO = 4.0
_LOWEST, _HIGHEST = 0.05, 20.0  # temperatures beyond these only happen on degenerate data


@dataclass(frozen=True)
class Calibration:
    """How log-odds become probabilities and labels, and how good these are on the reviews that it was fitted on.

    The names are those of a servable's manifest.

    Attributes:
        temperature: Divides the log-odds before the logistic function, > 0.
        validation_accuracy: Share of right labels, in [0, 1].
        validation_log_loss: Mean negative log-likelihood of the labels, in nats.
        validation_macro_f1: Mean of the F1 of both labels, in [0, 1].
        bias: Added to the log-odds before they are divided.
        threshold: P(positive) above which the label is positive, in (0, 1).
    """

    temperature: float
    validation_accuracy: float
    validation_log_loss: float
    validation_macro_f1: float
    bias: float = 0.0
    threshold: float = 0.5


def calibrate(logits: ArrayLike, labels: ArrayLike, *, weighted: bool = False) -> Calibration:
    """Fits a model's calibration on validation reviews: see :func:`fit_temperature`.

    After weighted training, which moves the probabilities, or where one label is rare, it also fits a bias: see
    :func:`fit_bias`. Where one label is rare, it also finds the threshold with the best macro-F1: at 0.5, calibrated
    probabilities hardly ever say the rare label.

    Args:
        logits: Log-odds of positive, shape (n,).
        labels: 0 or 1, shape (n,).
        weighted: Whether the model's training weighed the labels, by whatever ratio.

    Raises:
        ValueError: If the shapes differ, nothing is given, or a logit is not finite.
    """
    temperature, bias, threshold = fit_temperature(logits, labels), 0.0, 0.5
    z, y = np.asarray(logits, dtype=np.float64), np.asarray(labels, dtype=np.int64)
    unbalanced = is_unbalanced(y)
    if weighted or unbalanced:
        temperature, bias = fit_bias(z, y)
    if unbalanced:
        threshold = find_threshold(1 / (1 + np.exp(-(z + bias) / temperature)), y)
    log_odds = (z + bias) / temperature
    validation_accuracy, validation_macro_f1 = measure_labels(log_odds > np.log(threshold / (1 - threshold)), y)
    return Calibration(
        temperature,
        validation_accuracy=validation_accuracy,
        validation_log_loss=float(np.logaddexp(0, -np.where(y == 1, 1, -1) * log_odds).mean()),
        validation_macro_f1=validation_macro_f1,
        bias=bias,
        threshold=threshold,
    )


def measure_labels(says_positive: ArrayLike, labels: ArrayLike) -> tuple[float, float]:
    """Returns accuracy and macro-F1 of answers, shape (n,), against labels (0 or 1), shape (n,)."""
    predicted, y = (np.asarray(values).astype(np.int64) for values in (says_positive, labels))
    confusion = confusion_features(y, predicted).sum(axis=0)
    return float(accuracy(confusion)), float(macro_f1(confusion))


def is_unbalanced(labels: ArrayLike) -> bool:
    """Whether one of the two labels (0 or 1, shape (n,)) is rare: it occurs, but the other one far more often."""
    y = np.asarray(labels)
    rare, frequent = sorted((int((y == 1).sum()), int((y == 0).sum())))
    return 0 < rare * UNBALANCED_RATIO < frequent


def fit_bias(logits: ArrayLike, labels: ArrayLike) -> tuple[float, float]:
    """Finds the temperature T and the bias b that make sigmoid((z + b) / T) as likely as possible.

    Platt scaling (Platt 1999, "Probabilistic Outputs for Support Vector Machines", with its softened targets, as the
    rare label may have few reviews).

    Args:
        logits: Log-odds of positive, shape (n,), finite.
        labels: 0 or 1, shape (n,); both occur.

    Returns:
        T in [0.05, 20], and b.
    """
    from scipy.optimize import minimize

    z, y = np.asarray(logits, dtype=np.float64), np.asarray(labels)
    positive, negative = (y == 1).sum(), (y == 0).sum()
    targets = np.where(y == 1, (positive + 1) / (positive + 2), 1 / (negative + 2))

    def loss_and_gradient(scale_and_shift: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        log_odds = scale_and_shift[0] * z + scale_and_shift[1]
        slopes = 1 / (1 + np.exp(-log_odds)) - targets
        loss = np.logaddexp(0, log_odds) - targets * log_odds
        return float(loss.mean()), np.array([(slopes * z).mean(), slopes.mean()])

    bounds = [(1 / _HIGHEST, 1 / _LOWEST), (None, None)]  # convex in 1 / T and b / T
    found = minimize(loss_and_gradient, np.array([1.0, 0.0]), jac=True, bounds=bounds, method="L-BFGS-B", tol=1e-10)
    scale, shift = found.x.tolist()
    return 1 / scale, shift / scale


def find_threshold(p_positive: ArrayLike, labels: ArrayLike) -> float:
    """Finds the threshold with the best macro-F1; of equal ones, the one nearest to 0.5.

    Args:
        p_positive: P(positive), shape (n,), each in [0, 1].
        labels: 0 or 1, shape (n,).

    Returns:
        P(positive) above which a label is positive, in (0, 1).
    """
    p, y = np.asarray(p_positive, dtype=np.float64), np.asarray(labels, dtype=np.int64)
    order = np.argsort(p)
    distinct = np.unique(p)
    thresholds = np.append((distinct[1:] + distinct[:-1]) / 2, 0.5)
    thresholds = thresholds[(thresholds > 0) & (thresholds < 1)]
    below = np.searchsorted(p[order], thresholds, side="right")  # reviews that each threshold labels negative
    fn = np.append(0, np.cumsum(y[order]))[below]
    tn = below - fn
    tp, fp = y.sum() - fn, (1 - y).sum() - tn
    scores = macro_f1(np.stack([tp, fp, fn, tn], axis=1).astype(np.float64))
    best = thresholds[scores >= scores.max() - 1e-12]
    return float(best[np.abs(best - 0.5).argmin()])


def fit_temperature(logits: ArrayLike, labels: ArrayLike) -> float:
    """Finds the temperature T that makes sigmoid(z / T) as likely as possible.

    Temperature scaling (Guo et al. 2017, "On Calibration of Modern Neural Networks", arXiv 1706.04599) changes how
    confident a classifier is, never its label. Fit it on validation data, not on test data.

    Args:
        logits: Log-odds of positive, shape (n,): log P(positive) / P(negative).
        labels: 0 or 1, shape (n,).

    Returns:
        T in [0.05, 20]; above 1 means that the classifier was too sure.

    Raises:
        ValueError: If the shapes differ, nothing is given, or a logit is not finite.
    """
    from scipy.optimize import minimize_scalar

    z, y = np.asarray(logits, dtype=np.float64), np.asarray(labels)
    if z.ndim != 1 or z.shape != y.shape or len(z) == 0:
        raise ValueError(f"one logit for each label is needed, got shapes {z.shape} and {y.shape}")
    if not np.isfinite(z).all():
        raise ValueError("a logit is not finite")
    margin = np.where(y == 1, -z, z)

    def negative_log_likelihood(log_temperature: float) -> float:
        return float(np.logaddexp(0, margin / np.exp(log_temperature)).mean())

    found = minimize_scalar(negative_log_likelihood, bounds=(np.log(_LOWEST), np.log(_HIGHEST)), method="bounded")
    return float(np.exp(found.x))


def confidence_bins(confidence: ArrayLike, bins: int) -> NDArray[np.int64]:
    """The bin, 0 to ``bins`` - 1, of each prediction's confidence, in equal widths over (0, 1].

    The more probable of two classes only uses the upper half: a confidence below 0.5 does not occur.
    """
    ceilings = np.ceil(np.asarray(confidence, dtype=np.float64) * bins)
    return np.asarray(np.clip(ceilings - 1, 0, bins - 1), dtype=np.int64)


def overconfidence(p_positive: ArrayLike, labels: ArrayLike) -> NDArray[np.float64]:
    """Confidence of the more probable label minus its correctness (0 or 1), for each prediction, shape (n,)."""
    p, y = np.asarray(p_positive, dtype=np.float64), np.asarray(labels)
    return np.asarray(np.maximum(p, 1 - p) - ((p >= 0.5) == (y == 1)))


def expected_calibration_error(p_positive: ArrayLike, labels: ArrayLike, bins: int) -> float:
    """Expected calibration error of the more probable class (Guo et al. 2017, equation 3), in [0, 1].

    The threshold of a model does not matter: this is a property of its probabilities, not of its labels.

    Args:
        p_positive: P(positive), shape (n,).
        labels: 0 or 1, shape (n,).
        bins: Number of equal-width bins of confidence; 15 in the paper.
    """
    p = np.asarray(p_positive, dtype=np.float64)
    gaps = np.bincount(confidence_bins(np.maximum(p, 1 - p), bins), weights=overconfidence(p_positive, labels))
    return float(np.abs(gaps).sum() / len(np.asarray(labels)))


class ReliabilityBin(BaseModel):
    """One bin of a reliability curve.

    Attributes:
        predicted: Mean P(positive) in the bin, in [0, 1].
        observed: Share of positive labels in the bin, in [0, 1].
        count: Predictions in the bin.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    predicted: float
    observed: float
    count: int


def reliability_curve(p_positive: ArrayLike, labels: ArrayLike, bins: int) -> tuple[ReliabilityBin, ...]:
    """Predicted against observed share of positives in equal-width bins of P(positive); empty bins are left out."""
    p, y = np.asarray(p_positive, dtype=np.float64), np.asarray(labels, dtype=np.float64)
    bin_of = np.minimum((p * bins).astype(np.int64), bins - 1)
    return tuple(
        ReliabilityBin(predicted=float(p[inside].mean()), observed=float(y[inside].mean()), count=int(inside.sum()))
        for inside in (bin_of == b for b in range(bins))
        if inside.any()
    )


def accuracy_of_logits(logits: ArrayLike, labels: ArrayLike) -> float:
    """Share of log-odds of positive, shape (n,), whose sign agrees with the labels (0 or 1), in [0, 1]."""
    return float(((np.asarray(logits) > 0) == (np.asarray(labels) == 1)).mean())
