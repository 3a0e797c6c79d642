"""Splits to an LSTM checkpoint."""

from __future__ import annotations

from typing import Annotated

from zenml import step

from sentiment.behaviour.augmentation import AugmentationSettings
from sentiment.checks import CheckReport
from sentiment.models import lstm
from sentiment.models.checkpoint import LstmSettings, TransformerCheckpoint
from sentiment.models.class_weights import ClassWeightSettings
from sentiment.reviews.table import Splits
from steps.caching import depends_on_imports
from steps.training.networks import train_with_examples


@step(cache_policy=depends_on_imports(__name__))
def train_lstm(
    splits: Splits,
    checks: CheckReport,
    settings: LstmSettings,
    tokenizer: str,  # part of the cache key: the tokenizer's files
    augmentation: AugmentationSettings,
    seed: int,
    class_weights: ClassWeightSettings,
) -> Annotated[TransformerCheckpoint, "lstm_checkpoint"]:
    """Trains the LSTM; a run that was killed resumes from its last checkpoint."""
    return train_with_examples(lstm.train_lstm, splits, checks, settings, augmentation, seed, class_weights)
