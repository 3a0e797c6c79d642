"""Splits to the cross-validation of one candidate."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from zenml import ArtifactConfig, step

from sentiment.checks import CheckReport
from sentiment.evaluation import cross_validation
from sentiment.models.class_weights import ClassWeightSettings, weigh_classes
from sentiment.models.forest import ForestSettings, train_forest
from sentiment.models.linear import LinearSettings, train_linear
from sentiment.models.svm import SvmSettings, train_svm
from sentiment.reviews.table import Reviews, Splits
from sentiment.settings import Settings
from steps.caching import depends_on_imports

# Candidates that are fitted in seconds or minutes, with their settings: the others are too slow to train many times.
# Apart from the table in pipelines/candidates.py: the cache key of this step covers what this file imports, and steps
# import no pipelines. A test compares the two tables.
FITS: dict[str, tuple[type[Settings], Callable[..., cross_validation.Fitted]]] = {
    "linear": (LinearSettings, train_linear),
    "svm": (SvmSettings, train_svm),
    "forest": (ForestSettings, train_forest),
}


@step(cache_policy=depends_on_imports(__name__))
def cross_validate(
    splits: Splits,
    checks: CheckReport,
    candidate: str,
    settings: dict[str, Any],
    folds: int,
    class_weights: ClassWeightSettings,
    seed: int,
) -> Annotated[cross_validation.CrossValidation, ArtifactConfig(name="{candidate}_cross_validation")]:
    """Trains a candidate on all folds of the training split but one, and scores it there; stops if the splits leak.

    Args:
        splits: The splits; validation and test stay unused.
        checks: The report on the splits.
        candidate: A name in :data:`FITS`.
        settings: The candidate's settings, as plain values.
        folds: Number of folds, at least 2.
        class_weights: How the labels are weighed; weights are computed anew from the reviews of each training.
        seed: Of the folds and the training.
    """
    checks.require_passed()
    settings_type, train = FITS[candidate]
    recipe = settings_type.model_validate(settings)

    def fit(reviews: Reviews) -> cross_validation.Fitted:
        weights = weigh_classes(reviews.frame["label"].tolist(), class_weights)
        return train(reviews, recipe, seed=seed, class_weights=weights)

    return cross_validation.cross_validate(splits.train, fit, candidate=candidate, folds=folds, seed=seed)
