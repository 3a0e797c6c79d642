"""The decision whether the challenger becomes the champion, and its reason."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict, field_validator

from sentiment.checks import Check, CheckReport
from sentiment.evaluation.measure import Evaluation
from sentiment.promotion.champion import BETTER, ChampionScores, champion_rules
from sentiment.promotion.rules import FIGURES, baseline_rule, choose_figure, floor_rules, gate_rules, severity_of
from sentiment.promotion.settings import PromotionSettings

ROLLED_BACK = "rolled back: an operator promotes"
REJECTED = "rejected: an operator promotes"
HELD = "hold: waits for an approval"  # the last rule if promotion is not automatic


class Decision(BaseModel):
    """Whether the challenger is promoted, with every rule and its numbers.

    Attributes:
        promote: True if every blocking rule passed.
        reason: One line for readers.
        challenger: Name of the candidate that was up for promotion.
        champion: Version of the production model it was compared with; None if there was none.
        rules: Every rule, in the order gates, floors, baseline, champion.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    promote: bool
    reason: str
    challenger: str
    champion: str | None
    rules: tuple[Check, ...]

    @property
    def waits(self) -> bool:
        """Whether every rule was kept, and only an approval is missing."""
        return [rule.name for rule in self.rules if rule.blocks] == [HELD]

    @field_validator("rules", mode="before")
    @classmethod
    def _read_old_rules(cls, rules: Any) -> Any:  # noqa: ANN401  # any input, before validation
        """Reads decisions that were stored when a rule said ``blocking`` instead of a severity."""
        return [_with_severity(rule) if isinstance(rule, dict) else rule for rule in rules]


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
    rolled_back: str | None = None,
    rejected: str | None = None,
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
        lost: Version of a production model that cannot be scored, as its files are gone or of another format: an
            operator must replace it.
        rolled_back: The challenger's version and the time of its rollback, if it was rolled back before.
        rejected: The challenger's version and the reason of the person who rejected it, if a person did.

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
        *([_rolled_back_rule(rolled_back)] if rolled_back else ()),
        *([_rejected_rule(rejected)] if rejected else ()),
        *([] if settings.automatic else [Check(name=HELD, passed=False, observed="not yet", limit="an approval")]),
    )
    promote = not any(rule.blocks for rule in rules)
    version = champion.version if champion else lost
    reason = _reason_to_promote(rules, evaluation, version) if promote else _reason_not_to(rules, version)
    return Decision(promote=promote, reason=reason, challenger=challenger, champion=version, rules=rules)


def _identical(challenger: str, version: str) -> Decision:
    observed = f"identical to champion version {version}"
    rule = Check(name="champion: a new model", passed=False, observed=observed, limit="another servable")
    return Decision(promote=False, reason=observed, challenger=challenger, champion=version, rules=(rule,))


def _lost_rule(version: str) -> Check:
    return Check(
        name="champion: scored on the same reviews",
        passed=False,
        observed=f"the files of version {version} are gone, or of another format",
        limit="an evaluation",
        detail="only an operator replaces it: python run.py promote",
    )


def _rolled_back_rule(version: str) -> Check:
    return Check(
        name=ROLLED_BACK,
        passed=False,
        observed=version,
        limit="an operator",
        detail="a version that was rolled back, or failed as a canary, is not promoted again automatically",
    )


def _rejected_rule(version: str) -> Check:
    return Check(
        name=REJECTED,
        passed=False,
        observed=version,
        limit="an operator",
        detail="a version that a person rejected is not promoted automatically, and waits for no approval",
    )


def _reason_to_promote(rules: Sequence[Check], evaluation: Evaluation, version: str | None) -> str:
    over = next(rule for rule in rules if rule.name.startswith("baseline: "))
    figure = choose_figure(evaluation)
    reached = f"{FIGURES[figure]} {getattr(evaluation.overall, figure).value:.3f}"
    if version is None:
        gain = f"{over.name.removeprefix('baseline: ')}: {over.observed}"
        return f"first champion: keeps every gate and floor; {reached}; {gain}"
    gains = [f"{rule.name.removeprefix('gain: ')} {rule.observed}" for rule in rules if _is_gain(rule)]
    return f"better than champion version {version} and nowhere worse: {'; '.join(gains)}"


def _reason_not_to(rules: Sequence[Check], version: str | None) -> str:
    failed = [rule for rule in rules if rule.blocks and rule.name != HELD]
    observed = {rule.name: rule.observed for rule in failed}
    if ROLLED_BACK in observed:
        return f"was rolled back ({observed[ROLLED_BACK]}): only an operator promotes it again, python run.py promote"
    if REJECTED in observed:
        return f"was rejected ({observed[REJECTED]}): only an operator promotes it, python run.py promote"
    if not failed:
        return "keeps every rule, waits for an approval: python run.py promote"
    if all(rule.name == BETTER for rule in failed):
        return f"a tie with champion version {version}: nowhere worse, nowhere better"
    first = failed[0]
    more = f"; {len(failed) - 1} more failed: {', '.join(r.name for r in failed[1:])}" if len(failed) > 1 else ""
    return f"{first.name}: {first.observed}, limit {first.limit}{more}"


def _is_gain(rule: Check) -> bool:
    return rule.passed and rule.name.startswith("gain: ")


def _with_severity(rule: dict[str, Any]) -> dict[str, Any]:
    if "blocking" not in rule:
        return rule
    rest = {name: value for name, value in rule.items() if name != "blocking"}
    return {**rest, "severity": severity_of(blocking=rule["blocking"])}
