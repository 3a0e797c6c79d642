"""What the steps that train a neural network have in common."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pandas as pd

from sentiment.behaviour.augmentation import AugmentationSettings, augment, learned_probabilities
from sentiment.checks import CheckReport
from sentiment.imports import ROOT
from sentiment.models.allocation import release_memory
from sentiment.models.checkpoint import TrainingSettings, TransformerCheckpoint
from sentiment.models.class_weights import ClassWeightSettings, weigh_classes
from sentiment.reviews.table import Reviews, Splits


def train_with_examples(
    train: Callable[..., TransformerCheckpoint],
    splits: Splits,
    checks: CheckReport,
    settings: TrainingSettings,
    augmentation: AugmentationSettings,
    seed: int,
    class_weights: ClassWeightSettings,
) -> TransformerCheckpoint:
    """Trains on the training split and the generated examples, unless the splits leak.

    The weights of the labels come from the reviews alone; a generated example weighs as a review with its label.

    Args:
        train: ``train_transformer`` or ``train_lstm`` of :mod:`sentiment.models`.
        splits: The splits.
        checks: The report on the splits.
        settings: The recipe.
        augmentation: Which examples are generated.
        seed: Seeds the examples and the training.
        class_weights: How the labels are weighed.

    Returns:
        The checkpoint, in a folder in which a killed run resumes.
    """
    checks.require_passed()
    reviews = splits.train
    weights = weigh_classes(reviews.frame["label"].tolist(), class_weights)
    if augmentation.enabled:
        generated = augment(reviews, augmentation, seed=seed)
        reviews = Reviews(pd.concat([reviews.frame, generated.frame], ignore_index=True))
    targets = learned_probabilities(reviews, augmentation)
    checkpoint = train(
        reviews,
        splits.validation,
        settings,
        seed=seed,
        work_dir=_work_dir(),
        targets=targets,
        class_weights=weights,
    )
    release_memory()
    return checkpoint


def _work_dir() -> Path:
    """Creates the folder in which a run resumes, under ``$SENTIMENT_CACHE`` (default: the repository's ``.cache``)."""
    path = Path(os.environ.get("SENTIMENT_CACHE", ROOT / ".cache")) / "training"
    path.mkdir(parents=True, exist_ok=True)
    return path
