"""What the steps that train a model of words have in common."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from registry.lineage import git_commit
from sentiment.checks import CheckReport
from sentiment.models.class_weights import ClassWeightSettings, weigh_classes
from sentiment.models.servable import Servable
from sentiment.reviews.table import Splits
from sentiment.settings import Settings

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline


def train_and_export(
    train: Callable[..., Pipeline],
    export: Callable[..., None],
    splits: Splits,
    checks: CheckReport,
    settings: Settings,
    seed: int,
    class_weights: ClassWeightSettings,
) -> Servable:
    """Trains on the training split, calibrates on the validation split and exports, unless the splits leak.

    Args:
        train: ``train_linear``, ``train_svm`` or ``train_forest`` of :mod:`sentiment.models`.
        export: ``export_linear`` or ``export_forest``, whichever takes the result of ``train``.
        splits: The splits.
        checks: The report on the splits.
        settings: The recipe.
        seed: Seeds the training.
        class_weights: How the labels are weighed.
    """
    checks.require_passed()
    started = time.perf_counter()
    weights = weigh_classes(splits.train.frame["label"].tolist(), class_weights)
    pipeline = train(splits.train, settings, seed=seed, class_weights=weights)
    out = Path(tempfile.mkdtemp(prefix="words-"))
    export(
        pipeline,
        splits.validation,
        out,
        data_fingerprint=splits.fingerprint,
        git_commit=git_commit(),
        started=started,
        weighted=weights != (1.0, 1.0),
    )
    return Servable(out)
