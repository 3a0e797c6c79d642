"""Rules against the champion: non-inferior everywhere that matters, and better somewhere."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sentiment.checks import Check, CheckReport
from sentiment.evaluation.bootstrap import Interval, PairedDifference
from sentiment.evaluation.measure import Evaluation, Latency
from sentiment.promotion.rules import (
    FIGURES,
    Figure,
    at_most,
    choose_figure,
    compare,
    format_comparison,
    format_points,
    severity_of,
)
from sentiment.promotion.settings import Margins, PromotionSettings

BETTER = "champion: better somewhere"  # the last rule: a tie does not promote
FEEDBACK = "source=feedback"  # the slice of reviews that users labelled


@dataclass(frozen=True)
class ChampionScores:
    """The production model, scored on the current test split.

    Attributes:
        version: Its version in the registry.
        evaluation: On the same reviews as the challenger's.
        behaviour: On the same cases as the challenger's.
    """

    version: str
    evaluation: Evaluation
    behaviour: CheckReport


def champion_rules(
    evaluation: Evaluation, behaviour: CheckReport, champion: ChampionScores, settings: PromotionSettings, seed: int
) -> Iterator[Check]:
    """Yields the rules: non-inferior to the champion everywhere that matters, and better somewhere."""
    margins, other = settings.margins, champion.evaluation
    overall, slices = compare(evaluation, other, settings, seed)
    figure = choose_figure(evaluation)
    difference: Interval = getattr(overall, figure)
    yield Check(
        name=f"champion: overall {FIGURES[figure]}",
        passed=difference.low >= -margins.accuracy,
        observed=format_points(difference),
        limit=f"lower end at least {-100 * margins.accuracy:g} points",
        detail=format_comparison(evaluation, other, figure),
    )
    for name, of_slice in slices.items():
        yield _slice_rule(name, of_slice, figure, settings)
    yield from _behaviour_rules(behaviour, champion.behaviour, margins)
    rise = evaluation.overall.ece.value - other.overall.ece.value
    yield Check(
        name="champion: calibration error",
        passed=rise <= margins.ece,
        observed=f"{rise:+.3f}",
        limit=f"at most {margins.ece:+g}",
        detail=f"{evaluation.overall.ece.value:.3f} against {other.overall.ece.value:.3f}",
    )
    slowest = max(margins.latency_ratio * other.latency_ms.p95, margins.fast_enough_ms)
    yield at_most(
        "champion: p95 latency",
        evaluation.latency_ms.p95,
        slowest,
        "ms",
        _format_latency(evaluation.latency_ms, other.latency_ms),
    )
    gains = list(_gains(evaluation, behaviour, champion, overall, settings))
    if FEEDBACK in slices:
        gains.append(_feedback_gain(slices[FEEDBACK], settings.gains.feedback_reviews))
    yield from gains
    better = [gain.name.removeprefix("gain: ") for gain in gains if gain.passed]
    observed = ", ".join(better) or "nowhere"
    yield Check(name=BETTER, passed=bool(better), observed=observed, limit="at least one gain")


def _slice_rule(name: str, of_slice: PairedDifference, figure: Figure, settings: PromotionSettings) -> Check:
    """Requires that a slice lost no more than the margin, or no more than chance explains: small slices are noisy."""
    margin, judged = settings.margins.slice_accuracy, of_slice.count >= settings.min_slice_count
    difference: Interval = getattr(of_slice, figure)
    too_few = "" if judged else f", too few to judge (minimum {settings.min_slice_count})"
    return Check(
        name=f"champion: {FIGURES[figure]} of {name}",
        passed=difference.value >= -margin or difference.high >= 0,
        observed=format_points(difference),
        limit=f"no significant loss of more than {100 * margin:g} points",
        detail=f"{of_slice.count:,} reviews{too_few}",
        severity=severity_of(blocking=judged),
    )


def _behaviour_rules(behaviour: CheckReport, other: CheckReport, margins: Margins) -> Iterator[Check]:
    """Yields a rule for each capability, and one for their mean; one additional failing case is always allowed.

    Training the same recipe again moves a single capability by far more than the mean of all, so the mean has the
    smaller margin.
    """
    found = {check.name: check for check in behaviour.checks}
    rises, cases = [], 0
    for before in other.compared:
        if before.score is None:
            continue
        after = found.get(before.name)
        name, limit = f"champion: behaviour {before.name}", f"at most {100 * margins.behaviour:+g} points of failures"
        if after is None or after.score is None:
            yield Check(
                name=name, passed=False, observed="not tested", limit=limit, detail="the champion was tested for it"
            )
            continue
        rise = after.score - before.score
        rises.append(rise)
        cases += after.count or 0
        yield Check(
            name=name,
            passed=rise <= max(margins.behaviour, _share_of_one_case(after)) + 1e-9,
            observed=f"{100 * rise:+.1f} points",
            limit=limit,
            detail=f"fails {100 * after.score:.1f}% against {100 * before.score:.1f}% of {after.count} cases",
        )
    if rises:
        mean = sum(rises) / len(rises)
        yield Check(
            name="champion: behaviour on average",
            passed=mean <= margins.behaviour_mean + 1e-9,
            observed=f"{100 * mean:+.1f} points",
            limit=f"at most {100 * margins.behaviour_mean:+g} points of failures",
            detail=f"{len(rises)} capabilities, {cases:,} cases",
        )


def _gains(
    evaluation: Evaluation,
    behaviour: CheckReport,
    champion: ChampionScores,
    overall: PairedDifference,
    settings: PromotionSettings,
) -> Iterator[Check]:
    gains = settings.gains
    for figure in FIGURES:
        if figure == "accuracy" and evaluation.rare_label is not None:
            continue  # won by answering the frequent label more often
        difference: Interval = getattr(overall, figure)
        yield Check(
            name=f"gain: {FIGURES[figure]}",
            passed=difference.low > 0,
            observed=format_points(difference),
            limit="lower end above 0",
            severity="warning",
        )
    before = {c.name: c.score for c in champion.behaviour.compared if c.score is not None}
    pairs = ((check, before[check.name]) for check in behaviour.checks if check.name in before)
    falls = [(old - c.score, c) for c, old in pairs if c.score is not None]
    if falls:
        fall, check = max(falls, key=lambda pair: pair[0])
        yield Check(
            name="gain: behaviour",
            passed=fall >= gains.behaviour - 1e-9 and fall > _share_of_one_case(check) + 1e-9,
            observed=f"{-100 * fall + 0.0:+.1f} points of failures in {check.name}",
            limit=f"at most {-100 * gains.behaviour:g} points in one capability",
            severity="warning",
        )
    now, then = evaluation.latency_ms, champion.evaluation.latency_ms
    clear = now.p95 <= gains.latency_ratio * then.p95 and now.p95 <= then.p95 - gains.latency_ms
    yield Check(
        name="gain: latency",
        passed=clear and now.p50 <= then.p50,
        observed=f"{now.p95 / max(then.p95, 1e-9):.2f} of the champion's p95",
        limit=f"at most {gains.latency_ratio:g}, {gains.latency_ms:g} ms less, p50 no worse",
        detail=_format_latency(now, then),
        severity="warning",
    )


def _feedback_gain(difference: PairedDifference, min_reviews: int) -> Check:
    """Judges the reviews from feedback alone: they are too small a part of the test split to show in the whole."""
    return Check(
        name="gain: accuracy on feedback",
        passed=difference.count >= min_reviews and difference.accuracy.low > 0,
        observed=format_points(difference.accuracy),
        limit=f"lower end above 0, on at least {min_reviews} reviews",
        detail=f"{difference.count:,} reviews",
        severity="warning",
    )


def _share_of_one_case(check: Check) -> float:
    return 1 / check.count if check.count else 0.0


def _format_latency(now: Latency, then: Latency) -> str:
    return f"p50 {now.p50:.1f} ms, p95 {now.p95:.1f} ms against {then.p50:.1f} and {then.p95:.1f}"
