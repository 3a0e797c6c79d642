"""Weights of the two labels in training, for sources in which one of them is rare."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import Field

from sentiment.settings import Settings

Weight = Annotated[float, Field(gt=0)]


class ClassWeightSettings(Settings):
    """How much an error on a review of each label counts in training."""

    weights: Literal["none", "auto"] | tuple[Weight, Weight] = Field(
        "auto",
        description="none; auto: both labels count alike in sum where one of them is rare; or two weights: of a "
        "negative and of a positive review",
    )
    ratio: float = Field(
        4.0, ge=1, description="auto: a label is rare if the other one is more than this many times as frequent"
    )


def weigh_classes(labels: Sequence[int], settings: ClassWeightSettings) -> tuple[float, float]:
    """Returns the weight of a negative and of a positive review.

    Balanced weights are inversely proportional to the frequencies, and their mean over the reviews is 1 (King and Zeng
    2001, doi:10.1093/oxfordjournals.pan.a004868). Weighted training shifts the probabilities towards the rare label:
    calibration shifts them back.

    Args:
        labels: 0 or 1, of the training reviews.
        settings: The weights, or when to balance.
    """
    if isinstance(settings.weights, tuple):
        return settings.weights
    positive = sum(int(label) for label in labels)
    negative = len(labels) - positive
    rare, frequent = sorted((negative, positive))
    if settings.weights == "none" or rare == 0 or frequent <= settings.ratio * rare:
        return 1.0, 1.0
    return len(labels) / (2 * negative), len(labels) / (2 * positive)
