"""Splits to the linear servable."""

from __future__ import annotations

from typing import Annotated

from zenml import step

from sentiment.checks import CheckReport
from sentiment.models import linear
from sentiment.models.class_weights import ClassWeightSettings
from sentiment.models.servable import Servable
from sentiment.reviews.table import Splits
from steps.caching import depends_on_imports
from steps.training.words import train_and_export


@step(cache_policy=depends_on_imports(__name__))
def train_linear(
    splits: Splits, checks: CheckReport, settings: linear.LinearSettings, seed: int, class_weights: ClassWeightSettings
) -> Annotated[Servable, "linear"]:
    """Trains and calibrates the linear candidate; stops if the splits leak."""
    return train_and_export(linear.train_linear, linear.export_linear, splits, checks, settings, seed, class_weights)
