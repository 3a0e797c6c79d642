"""The rules of a decision, each a Check with its numbers: gates, floors, baseline."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Literal

import numpy as np

from sentiment.checks import Check, CheckReport, Severity
from sentiment.errors import UserError
from sentiment.evaluation.bootstrap import Interval, PairedDifference, paired_difference
from sentiment.evaluation.measure import Evaluation
from sentiment.evaluation.slices import slice_masks
from sentiment.promotion.settings import Floors, PromotionSettings
from sentiment.reviews.table import LABELS

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

Figure = Literal["accuracy", "macro_f1"]
FIGURES: dict[Figure, str] = {"accuracy": "accuracy", "macro_f1": "macro-F1"}


def gate_rules(reports: Iterable[CheckReport]) -> Iterator[Check]:
    """Yields one rule for each report: no critical check failed. Warnings are named and do not block."""
    for report in reports:
        critical, warnings = report.failures("critical"), report.failures("warning")
        named = [
            f"{word}: {_name_all(failed)}" for word, failed in (("failed", critical), ("warned", warnings)) if failed
        ]
        yield Check(
            name=f"gate: {report.suite}",
            passed=report.passed,
            observed=f"{len(critical)} of {len(report.checks)} checks failed critically",
            limit="none",
            detail="; ".join(named),
        )


def floor_rules(evaluation: Evaluation, floors: Floors, min_slice_count: int) -> Iterator[Check]:
    """Yields the limits on the challenger alone."""
    accuracy = evaluation.overall.accuracy
    rows = f"{evaluation.overall.count:,} reviews"
    yield _at_least("floor: overall accuracy", accuracy, floors.accuracy, rows)
    for name, metrics in evaluation.slices.items():
        column, _, source = name.partition("=")
        if column == "source":
            floor = floors.sources.get(source, floors.source_accuracy)
            judged = metrics.count >= min_slice_count
            detail = f"{metrics.count:,} reviews" + (
                "" if judged else f", too few to judge (minimum {min_slice_count})"
            )
            yield _at_least(
                f"floor: accuracy of {name}", metrics.accuracy, floor, detail, severity=severity_of(blocking=judged)
            )
    if (recall := evaluation.rare_recall) is not None:
        yield _at_least("floor: macro-F1", evaluation.overall.macro_f1, floors.macro_f1, rows)
        rare = evaluation.rare_label
        count = f"{int((evaluation.predictions['label'] == LABELS.index(rare)).sum()):,} {rare} reviews"
        yield _at_least(f"floor: recall of the rare label, {rare}", recall, floors.rare_recall, count)
    ece, p95, size = evaluation.overall.ece, evaluation.latency_ms.p95, evaluation.size_mb
    yield Check(
        name="floor: calibration error",
        passed=ece.value <= floors.max_ece,
        observed=str(ece),
        limit=f"at most {floors.max_ece:g}",
    )
    yield at_most("floor: p95 latency", p95, floors.max_p95_latency_ms, "ms")
    yield at_most("floor: size", size, floors.max_size_mb, "MB")


def baseline_rule(
    evaluations: Mapping[str, Evaluation], challenger: str, settings: PromotionSettings, seed: int
) -> Check:
    """Requires a better figure than the baseline's, beyond chance; the baseline may be promoted as the only candidate.

    The figure: see :func:`choose_figure`.
    """
    name, figure = settings.baseline.candidate, choose_figure(evaluations[challenger])
    title, limit = f"baseline: gain over {name}", f"lower end above 0 points of {FIGURES[figure]}"
    if challenger == name:
        alone = len(evaluations) == 1
        observed = f"{name} is the only candidate, the others are off" if alone else "it cannot beat itself"
        return Check(name=title, passed=alone, observed=observed, limit=limit)
    if name not in evaluations:
        observed = f"unknown, {name} is off"
        return Check(
            name=title,
            passed=False,
            observed=observed,
            limit=limit,
            severity=severity_of(blocking=settings.baseline.required),
        )
    better, other = evaluations[challenger], evaluations[name]
    difference = getattr(compare(better, other, settings, seed)[0], figure)
    detail = format_comparison(better, other, figure)
    return Check(name=title, passed=difference.low > 0, observed=format_points(difference), limit=limit, detail=detail)


def choose_figure(evaluation: Evaluation) -> Figure:
    """Returns the figure that models are compared by on these reviews: macro-F1 where one label is rare.

    There, accuracy says little about the rare label: always answering the other one has a high accuracy.
    """
    return "accuracy" if evaluation.rare_label is None else "macro_f1"


def format_comparison(first: Evaluation, second: Evaluation, figure: Figure) -> str:
    """Formats a figure of two evaluations, such as ``0.912 against 0.905``."""
    values = (getattr(evaluation.overall, figure).value for evaluation in (first, second))
    return " against ".join(f"{value:.3f}" for value in values)


def compare(
    first: Evaluation, second: Evaluation, settings: PromotionSettings, seed: int
) -> tuple[PairedDifference, dict[str, PairedDifference]]:
    """Computes paired differences, ``first`` minus ``second``, over all rows and in each slice.

    Raises:
        UserError: If the two were not evaluated on the same reviews.
    """
    rows, others = _sort(first.predictions), _sort(second.predictions)
    if not rows[["text_key", "label"]].equals(others[["text_key", "label"]]):
        raise UserError(
            f"{first.candidate} and {second.candidate} were evaluated on different reviews",
            remedy="Evaluate both on the current test split.",
        )
    labels, p, q = rows["label"].to_numpy(), rows["p_positive"].to_numpy(), others["p_positive"].to_numpy()

    def difference(mask: NDArray[np.bool_]) -> PairedDifference:
        return paired_difference(
            labels[mask],
            p[mask],
            q[mask],
            resamples=settings.resamples,
            confidence=settings.confidence,
            seed=seed,
            thresholds=(first.threshold, second.threshold),
        )

    whole = difference(np.ones(len(labels), dtype=bool))
    return whole, {name: difference(mask) for name, mask in slice_masks(rows)}


def _sort(predictions: pd.DataFrame) -> pd.DataFrame:
    return predictions.sort_values(["text_key", "label"], kind="stable", ignore_index=True)


def _name_all(checks: Iterable[Check]) -> str:
    return ", ".join(f"{check.name} ({check.observed}, limit {check.limit})" for check in checks)


def format_points(difference: Interval) -> str:
    """Formats a difference of shares in percentage points, with its interval."""
    return f"{100 * difference.value:+.1f} points ({100 * difference.low:+.1f} to {100 * difference.high:+.1f})"


def severity_of(*, blocking: bool) -> Severity:
    """Returns the severity of a rule that blocks promotion when it fails, or is only shown."""
    return "critical" if blocking else "warning"


def _at_least(name: str, observed: Interval, floor: float, detail: str, *, severity: Severity = "critical") -> Check:
    passed, limit = observed.value >= floor, f"at least {floor:g}"
    return Check(name=name, passed=passed, observed=str(observed), limit=limit, detail=detail, severity=severity)


def at_most(name: str, observed: float, ceiling: float, unit: str, detail: str = "") -> Check:
    """Returns a blocking rule: a figure stays below its ceiling."""
    limit = f"at most {ceiling:.4g} {unit}"
    return Check(name=name, passed=observed <= ceiling, observed=f"{observed:.1f} {unit}", limit=limit, detail=detail)
