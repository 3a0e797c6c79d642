"""Leaderboard: every candidate of a training in one table, the best one first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, Protocol

from pydantic import BaseModel, ConfigDict

from sentiment.checks import CheckReport
from sentiment.evaluation.bootstrap import Interval
from sentiment.evaluation.cross_validation import CrossValidation, Spread
from sentiment.evaluation.measure import Evaluation

SENTENCES = ("source=rotten_tomatoes", "length=short")  # the first of these slices that the test reviews have


class Trained(Protocol):
    """The part of a servable's manifest that a leaderboard shows."""

    @property
    def kind(self) -> str:
        """Which classifier reads the servable."""

    @property
    def training_seconds(self) -> float | None:
        """Time of training, calibration and export; None if it was not recorded."""


class LeaderboardRow(BaseModel):
    """The figures of one candidate; those of its evaluation are on the test split.

    Attributes:
        candidate: Its name.
        kind: The kind of its servable: ``large_transformer`` is a ``transformer``.
        accuracy: Share of right labels with its 95% interval, in [0, 1].
        sentences: The same on the slice ``Leaderboard.sentences``; None if there is no such slice.
        behaviour_failed: Share of failed behavioural cases that promotion compares, in [0, 1]; None without cases.
        behaviour_cases: Number of these cases.
        ece: Expected calibration error with its 95% interval.
        size_mb: Size of the servable in MB (10^6 bytes).
        p95_ms: 95th percentile of the milliseconds of a call with a single text.
        reviews_per_second: Speed when all reviews are given at once.
        training_seconds: Time of training, calibration and export; of a cascade also its stages'; None: not recorded.
        cross_validation: Accuracy over the folds of the training split; None without cross-validation.
        macro_f1: Mean of the F1 of both labels with its 95% interval, in [0, 1]; None where neither label is rare.
        rare_recall: Recall of ``Leaderboard.rare_label`` with its 95% interval; None where neither label is rare.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    candidate: str
    kind: str
    accuracy: Interval
    sentences: Interval | None
    behaviour_failed: float | None
    behaviour_cases: int
    ece: Interval
    size_mb: float
    p95_ms: float
    reviews_per_second: float
    training_seconds: float | None
    cross_validation: Spread | None
    macro_f1: Interval | None = None
    rare_recall: Interval | None = None

    @property
    def ranked_by(self) -> Interval:
        """The figure that orders the table: macro-F1 where a label is rare, accuracy otherwise.

        There, always answering the frequent label has a high accuracy.
        """
        return self.macro_f1 or self.accuracy


class Leaderboard(BaseModel):
    """Every candidate of one training on one set of reviews.

    Attributes:
        reviews: Number of test reviews.
        sentences: Name of the slice behind ``LeaderboardRow.sentences``; None if there is none.
        folds: Number of folds of the cross-validation; 0 without one.
        rows: The candidates, the one with the highest ``LeaderboardRow.ranked_by`` first.
        rare_label: The label that is rare in the test reviews; None where neither is.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    reviews: int
    sentences: str | None
    folds: int
    rows: tuple[LeaderboardRow, ...]
    rare_label: Literal["negative", "positive"] | None = None


def build_leaderboard(
    evaluations: Sequence[Evaluation],
    behaviours: Sequence[CheckReport],
    manifests: Sequence[Trained],
    cross_validations: Sequence[CrossValidation] = (),
) -> Leaderboard:
    """Puts the figures of every candidate in a row.

    Args:
        evaluations: Of n > 0 candidates, on the same reviews; of equally good ones, the first stays first.
        behaviours: Of the same candidates, in the same order.
        manifests: Likewise.
        cross_validations: Of some of them, in any order, with the same number of folds.
    """
    first = evaluations[0]
    sentences = next((name for name in SENTENCES if name in first.slices), None)
    spreads = {found.candidate: found.accuracy for found in cross_validations}
    rows = [
        _row(evaluation, behaviour, manifest, sentences, spreads)
        for evaluation, behaviour, manifest in zip(evaluations, behaviours, manifests, strict=True)
    ]
    return Leaderboard(
        reviews=first.overall.count,
        sentences=sentences,
        folds=max((len(found.folds) for found in cross_validations), default=0),
        rows=tuple(sorted(rows, key=lambda row: -row.ranked_by.value)),
        rare_label=first.rare_label,
    )


def _row(
    evaluation: Evaluation,
    behaviour: CheckReport,
    manifest: Trained,
    sentences: str | None,
    spreads: Mapping[str, Spread],
) -> LeaderboardRow:
    checks = behaviour.compared
    cases = sum(check.count for check in checks)
    failed = sum((check.score or 0) * check.count for check in checks)
    return LeaderboardRow(
        candidate=evaluation.candidate,
        kind=manifest.kind,
        accuracy=evaluation.overall.accuracy,
        sentences=evaluation.slices[sentences].accuracy if sentences else None,
        behaviour_failed=failed / cases if cases else None,
        behaviour_cases=cases,
        ece=evaluation.overall.ece,
        size_mb=evaluation.size_mb,
        p95_ms=evaluation.latency_ms.p95,
        reviews_per_second=evaluation.reviews_per_second,
        training_seconds=manifest.training_seconds,
        cross_validation=spreads.get(evaluation.candidate),
        macro_f1=evaluation.overall.macro_f1 if evaluation.rare_label else None,
        rare_recall=evaluation.rare_recall,
    )
