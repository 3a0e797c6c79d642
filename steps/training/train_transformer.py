"""Splits to a transformer checkpoint."""

from __future__ import annotations

from typing import Annotated

import pandas as pd
from zenml import step

from sentiment.behaviour.augmentation import AugmentationSettings, augment
from sentiment.checks import CheckReport
from sentiment.models import transformer
from sentiment.models.allocation import release_memory
from sentiment.models.checkpoint import TransformerCheckpoint, TransformerSettings
from sentiment.reviews.table import Reviews, Splits
from steps.caching import depends_on
from steps.gates import require
from steps.scratch import scratch


@step(
    cache_policy=depends_on(
        "sentiment/models/checkpoint.py",
        "sentiment/models/transformer.py",
        "sentiment/models/trainer.py",
        "sentiment/models/data_parallel.py",
        "sentiment/models/encoder.py",
        "sentiment/models/batches.py",
        "sentiment/models/truncation.py",
        "sentiment/behaviour/augmentation.py",
        "sentiment/behaviour/templates.py",
    )
)
def train_transformer(
    splits: Splits,
    checks: CheckReport,
    settings: TransformerSettings,
    weights: str,  # what training starts from has changed: not from cache
    augmentation: AugmentationSettings,
    seed: int,
) -> Annotated[TransformerCheckpoint, "checkpoint"]:
    """Fine-tunes the encoder; a run that was killed resumes from its last checkpoint."""
    require(checks)
    train = splits.train
    if augmentation.enabled:
        generated = augment(train, augmentation, seed=seed)
        train = Reviews(pd.concat([train.frame, generated.frame], ignore_index=True))
    checkpoint = transformer.train_transformer(
        train, splits.validation, settings, seed=seed, work_dir=scratch("training")
    )
    release_memory()
    return checkpoint
