"""A challenger beside the champion, as a comment on a pull request."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sentiment.pages.markdown import literal, table

if TYPE_CHECKING:
    from sentiment.checks import CheckReport
    from sentiment.evaluation.measure import Evaluation, Interval
    from sentiment.promotion.decision import Decision

MARK = "<!-- sentiment-stack: compare -->"  # by which the comment is found again
METRICS = {
    "accuracy": "accuracy", "macro_f1": "macro-F1", "recall_negative": "recall of negative",
    "recall_positive": "recall of positive", "roc_auc": "ROC-AUC", "ece": "calibration error", "brier": "Brier",
}  # fmt: skip
MEASURES = ("p95 ms", "reviews/s", "MB")


def differences(challenger: Evaluation, champion: Evaluation) -> dict[str, dict[str, float | None]]:
    """Both values of every metric on the same reviews, and challenger minus champion, for machines."""
    found: dict[str, dict[str, float | None]] = {}
    for name in METRICS:
        new, old = getattr(challenger.overall, name), getattr(champion.overall, name)
        found[name] = _difference(new.value if new else None, old.value if old else None)
    for name, new, old in zip(MEASURES, _measures(challenger), _measures(champion), strict=True):
        found[name] = _difference(new, old)
    return found


def comparison_comment(
    decision: Decision,
    version: str,
    run: str,
    evaluations: Mapping[str, Evaluation],
    behaviours: Mapping[str, CheckReport],
) -> str:
    """The Markdown: the verdict, metrics with their differences, and slices, behaviour and rules to open.

    Args:
        decision: The decision of the run.
        version: The challenger's.
        run: Name of the pipeline run.
        evaluations: By candidate; ``champion`` where there was one.
        behaviours: Likewise.
    """
    challenger, champion = evaluations[decision.challenger], evaluations.get("champion")
    verdict = "promoted" if decision.promote else "not promoted"
    against = f"champion version {decision.champion}" if decision.champion else "no champion yet"
    parts = [
        MARK,
        f"### Model: {verdict}",
        literal(decision.reason),
        f"{decision.challenger}, version {version}, against {against}, on {challenger.overall.count:,} test reviews "
        f"(run `{run}`). Differences are challenger minus champion; intervals are 95%.",
        table(("metric", "challenger", "champion", "difference"), _metrics(challenger, champion)),
        _folded(
            "Slices", table(("accuracy of", "challenger", "champion", "difference"), _slices(challenger, champion))
        ),
        _folded(*_behaviour(behaviours[decision.challenger], behaviours.get("champion"))),
        _folded(*_rules(decision)),
    ]
    return "\n\n".join(parts) + "\n"


def _metrics(challenger: Evaluation, champion: Evaluation | None) -> Iterator[Sequence[object]]:
    for name, words in METRICS.items():
        yield words, *_pair(getattr(challenger.overall, name), getattr(champion.overall, name) if champion else None)
    old_measures: Sequence[float | None] = _measures(champion) if champion else (None,) * len(MEASURES)
    for words, new, old in zip(MEASURES, _measures(challenger), old_measures, strict=True):
        yield words, f"{new:,.1f}", "-" if old is None else f"{old:,.1f}", "-" if old is None else f"{new - old:+,.1f}"


def _slices(challenger: Evaluation, champion: Evaluation | None) -> Iterator[Sequence[object]]:
    for name, metrics in challenger.slices.items():
        other = champion.slices.get(name) if champion else None
        yield f"{name} ({metrics.count:,})", *_pair(metrics.accuracy, other.accuracy if other else None)


def _behaviour(challenger: CheckReport, champion: CheckReport | None) -> tuple[str, str]:
    before = {check.name: check.score for check in champion.checks} if champion else {}
    rows: list[tuple[Any, ...]] = []
    for check in challenger.checks:
        old = before.get(check.name)
        change = None if old is None or check.score is None else 100 * (check.score - old)
        rows.append(
            (
                check.name,
                "yes" if check.passed else "NO" if check.severity == "critical" else "no (warning)",
                check.observed,
                check.limit,
                "-" if change is None else f"{change:+.1f} points",
            )
        )
    kept = len(challenger.checks) - len(challenger.failures())
    headers = ("capability", "kept", "observed", "limit", "failures against the champion")
    return f"Behaviour: {kept} of {len(rows)} capabilities within their limits", table(headers, rows)


def _rules(decision: Decision) -> tuple[str, str]:
    blocking = [rule for rule in decision.rules if rule.severity == "critical"]
    rows = [
        ("passed" if r.passed else "FAILED" if r.blocks else "-", r.name, r.observed, r.limit, r.detail)
        for r in decision.rules
    ]
    kept = sum(rule.passed for rule in blocking)
    return f"Rules: {kept} of {len(blocking)} passed", table(("", "rule", "observed", "limit", "detail"), rows)


def _folded(summary: str, content: str) -> str:
    return f"<details><summary>{literal(summary)}</summary>\n\n{content}\n\n</details>"


def _pair(new: Interval | None, old: Interval | None) -> tuple[str, str, str]:
    change = "-" if new is None or old is None else f"{new.value - old.value:+.3f}"
    return _interval(new), _interval(old), change


def _interval(interval: Interval | None) -> str:
    return "-" if interval is None else f"{interval.value:.3f} ({interval.low:.3f} to {interval.high:.3f})"


def _measures(evaluation: Evaluation) -> tuple[float, float, float]:
    return evaluation.latency_ms.p95, evaluation.reviews_per_second, evaluation.size_mb


def _difference(new: float | None, old: float | None) -> dict[str, float | None]:
    change = None if new is None or old is None else round(new - old, 6)
    return {"challenger": new, "champion": old, "difference": change}
