"""Calibration: does 0.8 mean right eight times in ten?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from pydantic import BaseModel, ConfigDict

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

_LOWEST, _HIGHEST = 0.05, 20.0  # temperatures beyond these only happen on degenerate data


@dataclass(frozen=True)
class Calibration:
    """How log-odds become probabilities, and how good these are on the reviews that it was fitted on.

    The names are those of a servable's manifest.

    Attributes:
        temperature: Divides the log-odds before the logistic function, > 0.
        validation_accuracy: Share of right labels, in [0, 1].
        validation_log_loss: Mean negative log-likelihood of the labels, in nats.
    """

    temperature: float
    validation_accuracy: float
    validation_log_loss: float


def calibrate(logits: ArrayLike, labels: ArrayLike) -> Calibration:
    """Fits a model's calibration on validation reviews: see :func:`fit_temperature`.

    Args:
        logits: Log-odds of positive, shape (n,).
        labels: 0 or 1, shape (n,).

    Raises:
        ValueError: If the shapes differ, nothing is given, or a logit is not finite.
    """
    temperature = fit_temperature(logits, labels)
    margins = np.where(np.asarray(labels) == 1, 1, -1) * np.asarray(logits, dtype=np.float64) / temperature
    return Calibration(temperature, accuracy_of_logits(logits, labels), float(np.logaddexp(0, -margins).mean()))


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


def confidence_bins(p_positive: ArrayLike, bins: int) -> NDArray[np.int64]:
    """The bin, 0 to ``bins`` - 1, of each prediction's confidence max(p, 1 - p), in equal widths over (0, 1].

    Two classes only use the upper half: a confidence below 0.5 does not occur.
    """
    p = np.asarray(p_positive, dtype=np.float64)
    return np.asarray(np.clip(np.ceil(np.maximum(p, 1 - p) * bins) - 1, 0, bins - 1), dtype=np.int64)


def overconfidence(p_positive: ArrayLike, labels: ArrayLike) -> NDArray[np.float64]:
    """Confidence minus correctness (0 or 1) of each prediction, shape (n,)."""
    p, y = np.asarray(p_positive, dtype=np.float64), np.asarray(labels)
    return np.asarray(np.maximum(p, 1 - p) - ((p >= 0.5) == (y == 1)))


def expected_calibration_error(p_positive: ArrayLike, labels: ArrayLike, bins: int) -> float:
    """Expected calibration error of the predicted class (Guo et al. 2017, equation 3), in [0, 1].

    Args:
        p_positive: P(positive), shape (n,).
        labels: 0 or 1, shape (n,).
        bins: Number of equal-width bins of confidence; 15 in the paper.
    """
    gaps = np.bincount(confidence_bins(p_positive, bins), weights=overconfidence(p_positive, labels))
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
