"""Splits to the forest servable."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Annotated

from zenml import step

from registry.lineage import git_commit
from sentiment.checks import CheckReport
from sentiment.models import forest
from sentiment.models.class_weights import ClassWeightSettings, weigh_classes
from sentiment.models.servable import Servable
from sentiment.reviews.table import Splits
from steps.caching import depends_on_imports


@step(cache_policy=depends_on_imports(__name__))
def train_forest(
    splits: Splits, checks: CheckReport, settings: forest.ForestSettings, seed: int, class_weights: ClassWeightSettings
) -> Annotated[Servable, "forest"]:
    """Trains and calibrates the forest candidate; stops if the splits leak."""
    checks.require_passed()
    started = time.perf_counter()
    weights = weigh_classes(splits.train.frame["label"].tolist(), class_weights)
    pipeline = forest.train_forest(splits.train, settings, seed=seed, class_weights=weights)
    out = Path(tempfile.mkdtemp(prefix="forest-"))
    forest.export_forest(
        pipeline,
        splits.validation,
        out,
        data_fingerprint=splits.fingerprint,
        git_commit=git_commit(),
        started=started,
    )
    return Servable(out)
