"""The page of a decision."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import TYPE_CHECKING

from sentiment.pages.html import Html, badge, banner, page, paragraph, section, table

if TYPE_CHECKING:
    from sentiment.checks import Check
from sentiment.promotion.decision import Decision

_KINDS = {
    "gate": ("Gates", "Checks of the data and of behaviour."),
    "floor": ("Floors", "Limits that hold in any case."),
    "baseline": ("Baseline", "A promoted model must beat the simple one."),
    "champion": ("Champion", "Non-inferior to the champion everywhere that matters, better somewhere."),
    "gain": ("Gains", "One of them is enough."),
    "hold": ("Held", "The settings leave promotion to an operator."),
}


def decision_page(decision: Decision) -> str:
    """Returns the verdict, its reason, and every rule with its numbers."""
    verdict = "Promoted" if decision.promote else "Not promoted"
    against = f"champion version {decision.champion}" if decision.champion else "no champion yet"
    blocking = [rule for rule in decision.rules if rule.severity == "critical"]
    kept = sum(rule.passed for rule in blocking)
    sections = [_section(kind, list(rules)) for kind, rules in groupby(decision.rules, key=_kind)]
    return page(
        f"Decision: {decision.challenger} against {against}",
        banner(verdict, "good" if decision.promote else "bad", decision.reason),
        paragraph(
            f"{kept} of {len(blocking)} blocking rules passed. Differences are challenger minus champion.", "soft"
        ),
        *sections,
    )


def _kind(rule: Check) -> str:
    return rule.name.partition(": ")[0]


def _section(kind: str, rules: list[Check]) -> Html:
    title, meaning = _KINDS.get(kind, (kind, ""))
    names = [rule.name.partition(": ")[2] or rule.name for rule in rules]
    return section(title, paragraph(meaning, "soft"), _table(rules, names))


def rules_table(decision: Decision) -> Html:
    """Returns every rule with its numbers in one table."""
    return _table(decision.rules, [rule.name for rule in decision.rules])


def _table(rules: Sequence[Check], names: Sequence[str]) -> Html:
    rows = [(_badge(r), name, r.observed, r.limit, r.detail) for r, name in zip(rules, names, strict=True)]
    failed = [i for i, rule in enumerate(rules) if rule.blocks]
    return table(["", "rule", "observed", "limit", "detail"], rows, failed=failed)


def _badge(rule: Check) -> Html:
    if rule.name.startswith("gain: "):
        return badge("gain", "good") if rule.passed else badge("no gain", "quiet")
    if rule.passed:
        return badge("passed", "good")
    return badge("failed", "bad") if rule.severity == "critical" else badge("not judged", "quiet")
