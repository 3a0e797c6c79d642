"""Rules against the champion: non-inferior everywhere that matters, and better somewhere."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sentiment.checks import Check, CheckReport
from sentiment.evaluation.bootstrap import PairedDifference
from sentiment.evaluation.measure import Evaluation, Latency
from sentiment.promotion.rules import Rule, at_most, compare, points
from sentiment.promotion.settings import Margins, PromotionSettings

BETTER = "champion: better somewhere"  # the last rule: a tie does not promote
FRESH = "source=feedback"  # the slice of reviews that users labelled since


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
) -> Iterator[Rule]:
    """Non-inferior to the champion everywhere that matters, and better somewhere."""
    margins, other = settings.margins, champion.evaluation
    overall, slices = compare(evaluation, other, settings, seed)
    yield Rule(
        name="champion: overall accuracy",
        passed=overall.accuracy.low >= -margins.accuracy,
        observed=points(overall.accuracy),
        limit=f"lower end at least {-100 * margins.accuracy:g} points",
        detail=f"{evaluation.overall.accuracy.value:.3f} against {other.overall.accuracy.value:.3f}",
    )
    for name, difference in slices.items():
        yield _slice_rule(name, difference, settings)
    yield from _behaviour_rules(behaviour, champion.behaviour, margins)
    rise = evaluation.overall.ece.value - other.overall.ece.value
    yield Rule(
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
        _against(evaluation.latency_ms, other.latency_ms),
    )
    gains = list(_gains(evaluation, behaviour, champion, overall, settings))
    if FRESH in slices:
        gains.append(_fresh_gain(slices[FRESH], settings.gains.feedback_reviews))
    yield from gains
    better = [gain.name.removeprefix("gain: ") for gain in gains if gain.passed]
    observed = ", ".join(better) or "nowhere"
    yield Rule(name=BETTER, passed=bool(better), observed=observed, limit="at least one gain")


def _slice_rule(name: str, difference: PairedDifference, settings: PromotionSettings) -> Rule:
    """A slice is worse if it lost more than the margin and more than chance explains: small slices are noisy."""
    margin, judged = settings.margins.slice_accuracy, difference.count >= settings.min_slice_count
    too_few = "" if judged else f", too few to judge (least {settings.min_slice_count})"
    return Rule(
        name=f"champion: accuracy of {name}",
        passed=difference.accuracy.value >= -margin or difference.accuracy.high >= 0,
        observed=points(difference.accuracy),
        limit=f"no significant loss of more than {100 * margin:g} points",
        detail=f"{difference.count:,} reviews{too_few}",
        blocking=judged,
    )


def _behaviour_rules(behaviour: CheckReport, other: CheckReport, margins: Margins) -> Iterator[Rule]:
    """No capability fails more often than the champion's by more than the margin; one single case is forgiven.

    Training the same recipe again moves a single capability by far more than the mean of all: its margin is smaller.
    """
    found = {check.name: check for check in behaviour.checks}
    rises, cases = [], 0
    for before in other.checks:
        if before.score is None:
            continue
        after = found.get(before.name)
        name, limit = f"champion: behaviour {before.name}", f"at most {100 * margins.behaviour:+g} points of failures"
        if after is None or after.score is None:
            yield Rule(
                name=name, passed=False, observed="not tested", limit=limit, detail="the champion was tested for it"
            )
            continue
        rise = after.score - before.score
        rises.append(rise)
        cases += after.count or 0
        yield Rule(
            name=name,
            passed=rise <= max(margins.behaviour, _one_case(after)) + 1e-9,
            observed=f"{100 * rise:+.1f} points",
            limit=limit,
            detail=f"fails {100 * after.score:.1f} % against {100 * before.score:.1f} % of {after.count} cases",
        )
    if rises:
        mean = sum(rises) / len(rises)
        yield Rule(
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
) -> Iterator[Rule]:
    gains = settings.gains
    for name, difference in (("accuracy", overall.accuracy), ("macro-F1", overall.macro_f1)):
        yield Rule(
            name=f"gain: {name}",
            passed=difference.low > 0,
            observed=points(difference),
            limit="lower end above 0",
            blocking=False,
        )
    before = {c.name: c.score for c in champion.behaviour.checks if c.score is not None}
    pairs = ((check, before[check.name]) for check in behaviour.checks if check.name in before)
    falls = [(old - c.score, c) for c, old in pairs if c.score is not None]
    if falls:
        fall, check = max(falls, key=lambda pair: pair[0])
        yield Rule(
            name="gain: behaviour",
            passed=fall >= gains.behaviour - 1e-9 and fall > _one_case(check) + 1e-9,
            observed=f"{-100 * fall + 0.0:+.1f} points of failures in {check.name}",
            limit=f"at most {-100 * gains.behaviour:g} points in one capability",
            blocking=False,
        )
    now, then = evaluation.latency_ms, champion.evaluation.latency_ms
    clear = now.p95 <= gains.latency_ratio * then.p95 and now.p95 <= then.p95 - gains.latency_ms
    yield Rule(
        name="gain: latency",
        passed=clear and now.p50 <= then.p50,
        observed=f"{now.p95 / max(then.p95, 1e-9):.2f} of the champion's p95",
        limit=f"at most {gains.latency_ratio:g}, {gains.latency_ms:g} ms less, p50 no worse",
        detail=_against(now, then),
        blocking=False,
    )


def _fresh_gain(difference: PairedDifference, fewest: int) -> Rule:
    """On what has come in lately: in the whole test split it is too small a part to show."""
    return Rule(
        name="gain: accuracy on feedback",
        passed=difference.count >= fewest and difference.accuracy.low > 0,
        observed=points(difference.accuracy),
        limit=f"lower end above 0, on at least {fewest} reviews",
        detail=f"{difference.count:,} reviews",
        blocking=False,
    )


def _one_case(check: Check) -> float:
    return 1 / check.count if check.count else 0.0


def _against(now: Latency, then: Latency) -> str:
    return f"p50 {now.p50:.1f} ms, p95 {now.p95:.1f} ms against {then.p50:.1f} and {then.p95:.1f}"
