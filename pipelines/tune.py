"""A search: a pipeline for every trial, and one for the report."""

from __future__ import annotations

from zenml import pipeline
from zenml.enums import ExecutionMode

import materializers  # noqa: F401  # registers how typed artifacts are stored
from pipelines.candidates import train_candidates
from pipelines.settings import TrainSettings
from sentiment.tuning.report import TuningReport
from steps.reviews.check_raw import check_raw
from steps.reviews.check_splits import check_splits
from steps.reviews.divide import divide
from steps.reviews.load import load
from steps.tuning.measure_trial import measure_trial
from steps.tuning.report_tuning import report_tuning
from steps.tuning.take_fold import take_fold


@pipeline(name="trial", execution_mode=ExecutionMode.FAIL_FAST)  # otherwise the error of the failed step is lost
def trial(
    settings: TrainSettings,
    source_fingerprint: str,
    candidate: str,
    data_seed: int,
    folds: int | None = None,
    fold: int = 0,
) -> None:
    """Trains one candidate with the values of a trial, and measures it on validation reviews.

    The first steps are those of the train pipeline: their splits come from cache.

    Args:
        settings: The profile with the values of the trial.
        source_fingerprint: Hash of the source's content, part of the cache key.
        candidate: The candidate that is measured; the others that are enabled are its stages.
        data_seed: Seed of the splits, the same for every trial.
        folds: Number of folds of the training split to measure on; None: measure on the validation split.
        fold: Number of the fold, from 0.
    """
    reviews = load(settings.source, source_fingerprint, data_seed)
    suites = settings.expectations
    review_checks = check_raw(reviews, suites.reviews)
    splits = divide(reviews, review_checks, settings.splits, data_seed)
    split_checks = check_splits(splits, suites.splits, settings.splits.near_duplicate_similarity)
    if folds:
        splits = take_fold(splits, folds, fold, data_seed)
    trained = train_candidates(settings, splits, split_checks, {})
    measure_trial(trained[candidate], splits, data_seed)


@pipeline(name="tune")
def tune(report: TuningReport) -> None:
    """Stores the report of a search."""
    report_tuning(report)
