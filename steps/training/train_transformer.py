"""Splits to a transformer checkpoint."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import pandas as pd
from zenml import ArtifactConfig, step

from sentiment.behaviour.augmentation import AugmentationSettings, augment, learned_probabilities
from sentiment.checks import CheckReport
from sentiment.imports import ROOT
from sentiment.models import transformer
from sentiment.models.allocation import release_memory
from sentiment.models.checkpoint import TransformerCheckpoint, TransformerSettings
from sentiment.reviews.table import Reviews, Splits
from steps.caching import depends_on_imports


@step(cache_policy=depends_on_imports(__name__))
def train_transformer(
    splits: Splits,
    checks: CheckReport,
    settings: TransformerSettings,
    weights: str,  # part of the cache key: the initial weights
    augmentation: AugmentationSettings,
    seed: int,
) -> Annotated[TransformerCheckpoint, ArtifactConfig(name="{candidate}_checkpoint")]:
    """Fine-tunes the encoder; a run that was killed resumes from its last checkpoint."""
    checks.require_passed()
    train = splits.train
    if augmentation.enabled:
        generated = augment(train, augmentation, seed=seed)
        train = Reviews(pd.concat([train.frame, generated.frame], ignore_index=True))
    targets = learned_probabilities(train, augmentation)
    checkpoint = transformer.train_transformer(
        train, splits.validation, settings, seed=seed, work_dir=_work_dir(), targets=targets
    )
    release_memory()
    return checkpoint


def _work_dir() -> Path:
    """Creates the folder in which a run resumes, under ``$SENTIMENT_CACHE`` (default: the repository's ``.cache``)."""
    path = Path(os.environ.get("SENTIMENT_CACHE", ROOT / ".cache")) / "training"
    path.mkdir(parents=True, exist_ok=True)
    return path
