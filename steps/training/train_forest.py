"""Splits to the forest servable."""

from __future__ import annotations

from typing import Annotated

from zenml import step

from sentiment.checks import CheckReport
from sentiment.models import forest
from sentiment.models.class_weights import ClassWeightSettings
from sentiment.models.servable import Servable
from sentiment.reviews.table import Splits
from steps.caching import depends_on_imports
from steps.training.words import train_and_export


@step(cache_policy=depends_on_imports(__name__))
def train_forest(
    splits: Splits, checks: CheckReport, settings: forest.ForestSettings, seed: int, class_weights: ClassWeightSettings
) -> Annotated[Servable, "forest"]:
    """Trains and calibrates the forest candidate; stops if the splits leak."""
    return train_and_export(forest.train_forest, forest.export_forest, splits, checks, settings, seed, class_weights)
