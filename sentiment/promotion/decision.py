"""The decision: does the challenger become the champion, and why?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pydantic import BaseModel, ConfigDict

from sentiment.checks import CheckReport
from sentiment.evaluation.measure import Evaluation
from sentiment.promotion.champion import BETTER, ChampionScores, champion_rules
from sentiment.promotion.rules import Rule, baseline_rule, floor_rules, gate_rules
from sentiment.promotion.settings import PromotionSettings

__all__ = ["ChampionScores", "Decision", "PromotionSettings", "Rule", "decide"]

TAKEN_BACK = "taken back: a person promotes"
HELD = "hold: a person promotes"  # the last rule where promotion is not automatic


class Decision(BaseModel):
    """Whether the challenger is promoted, with every rule and its numbers.

    Attributes:
        promote: True if every blocking rule passed.
        reason: One line that a person understands.
        challenger: Name of the candidate that was up for promotion.
        champion: Version of the production model it was compared with; None if there was none.
        rules: Every rule, in the order gates, floors, baseline, champion.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    promote: bool
    reason: str
    challenger: str
    champion: str | None
    rules: tuple[Rule, ...]


def decide(
    evaluations: Mapping[str, Evaluation],
    behaviours: Mapping[str, CheckReport],
    gates: Sequence[CheckReport],
    *,
    challenger: str,
    champion: ChampionScores | None,
    settings: PromotionSettings,
    seed: int,
    lost: str | None = None,
    taken_back: str | None = None,
) -> Decision:
    """Applies the rules of promotion to a challenger.

    Args:
        evaluations: Of every candidate of this run, by name, all on the current test split.
        behaviours: Behavioural report of each candidate, by name; only the challenger's is needed.
        gates: The reports on the data: reviews, leakage.
        challenger: Name of the candidate that is up for promotion.
        champion: The production model on the same test split and cases; None if there is none yet.
        settings: Floors, margins, gains.
        seed: Of the paired bootstrap.
        lost: Version of a production model that cannot be scored, as its files are gone: a person has to replace it.
        taken_back: Which version the challenger is and when that was taken out of production, if it was.

    Raises:
        UserError: If two evaluations that have to be compared are on different reviews.
    """
    evaluation, behaviour = evaluations[challenger], behaviours[challenger]
    if champion and champion.evaluation.servable_fingerprint == evaluation.servable_fingerprint:
        return _identical(challenger, champion.version)
    rules = (
        *gate_rules([*gates, behaviour]),
        *floor_rules(evaluation, settings.floors, settings.min_slice_count),
        baseline_rule(evaluations, challenger, settings, seed),
        *(champion_rules(evaluation, behaviour, champion, settings, seed) if champion else ()),
        *([_lost_rule(lost)] if lost else ()),
        *([_taken_back_rule(taken_back)] if taken_back else ()),
        *([] if settings.automatic else [Rule(name=HELD, passed=False, observed="nobody yet", limit="a person")]),
    )
    promote = not any(rule.blocks for rule in rules)
    version = champion.version if champion else lost
    reason = _why(rules, evaluation, version) if promote else _why_not(rules, version)
    return Decision(promote=promote, reason=reason, challenger=challenger, champion=version, rules=rules)


def _identical(challenger: str, version: str) -> Decision:
    observed = f"identical to champion version {version}"
    rule = Rule(name="champion: a new model", passed=False, observed=observed, limit="another servable")
    return Decision(promote=False, reason=observed, challenger=challenger, champion=version, rules=(rule,))


def _lost_rule(version: str) -> Rule:
    return Rule(
        name="champion: scored on the same reviews",
        passed=False,
        observed=f"the files of version {version} are gone",
        limit="an evaluation",
        detail="only a person replaces it: python run.py promote",
    )


def _taken_back_rule(version: str) -> Rule:
    return Rule(
        name=TAKEN_BACK,
        passed=False,
        observed=version,
        limit="a person",
        detail="what was rolled back, or failed as a canary, is not promoted again by itself",
    )


def _why(rules: Sequence[Rule], evaluation: Evaluation, version: str | None) -> str:
    over = next(rule for rule in rules if rule.name.startswith("baseline: "))
    accuracy = (
        f"accuracy {evaluation.overall.accuracy.value:.3f}; {over.name.removeprefix('baseline: ')}: {over.observed}"
    )
    if version is None:
        return f"first champion: keeps every gate and floor; {accuracy}"
    gains = [f"{rule.name.removeprefix('gain: ')} {rule.observed}" for rule in rules if _is_gain(rule)]
    return f"better than champion version {version} and nowhere worse: {'; '.join(gains)}"


def _why_not(rules: Sequence[Rule], version: str | None) -> str:
    failed = [rule for rule in rules if rule.blocks and rule.name != HELD]
    back = next((rule for rule in failed if rule.name == TAKEN_BACK), None)
    if back:
        return f"was taken back ({back.observed}): only a person promotes it again, python run.py promote"
    if not failed:
        return "keeps every rule, held back for a person: python run.py promote"
    if all(rule.name == BETTER for rule in failed):
        return f"a tie with champion version {version}: nowhere worse, nowhere better"
    first = failed[0]
    more = f"; {len(failed) - 1} more failed: {', '.join(r.name for r in failed[1:])}" if len(failed) > 1 else ""
    return f"{first.name}: {first.observed}, limit {first.limit}{more}"


def _is_gain(rule: Rule) -> bool:
    return rule.passed and rule.name.startswith("gain: ")
