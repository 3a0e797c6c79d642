"""Splits to a transformer checkpoint."""

from __future__ import annotations

from typing import Annotated

from zenml import ArtifactConfig, step

from sentiment.behaviour.augmentation import AugmentationSettings
from sentiment.checks import CheckReport
from sentiment.models import transformer
from sentiment.models.checkpoint import TransformerCheckpoint, TransformerSettings
from sentiment.models.class_weights import ClassWeightSettings
from sentiment.reviews.table import Splits
from steps.caching import depends_on_imports
from steps.training.networks import train_with_examples


@step(cache_policy=depends_on_imports(__name__))
def train_transformer(
    splits: Splits,
    checks: CheckReport,
    settings: TransformerSettings,
    weights: str,  # part of the cache key: the initial weights
    augmentation: AugmentationSettings,
    seed: int,
    class_weights: ClassWeightSettings,
) -> Annotated[TransformerCheckpoint, ArtifactConfig(name="{candidate}_checkpoint")]:
    """Fine-tunes the encoder; a run that was killed resumes from its last checkpoint."""
    return train_with_examples(
        transformer.train_transformer, splits, checks, settings, augmentation, seed, class_weights
    )
