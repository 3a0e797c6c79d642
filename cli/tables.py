"""Tables that several commands print."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from rich.markup import escape
from rich.table import Table

from sentiment.checks import CheckReport
from sentiment.evaluation.leaderboard import Leaderboard
from sentiment.evaluation.measure import Evaluation, Interval
from sentiment.pages.leaderboard import cells, explain_columns, headers
from sentiment.promotion.approval import APPROVED, REJECTED
from sentiment.promotion.decision import Decision
from sentiment.reviews.table import SPLITS, Splits
from sentiment.scoring.results import ScoringReport

if TYPE_CHECKING:
    from sentiment.deployment import Version

MAX_SOURCES = 6  # of a table: a column of sources may name every product


def splits_table(splits: Splits) -> Table:
    """Counts the reviews of every split by source."""
    found = splits.train.frame["source"].value_counts().index
    sources = sorted(found[:MAX_SOURCES])
    others = [f"{len(found) - MAX_SOURCES:,} others"] if len(found) > MAX_SOURCES else []
    table = Table("split", *map(escape, sources), *others, "all", title="Reviews", title_justify="left")
    for name in SPLITS:
        frame = getattr(splits, name).frame
        counts = [int((frame["source"] == source).sum()) for source in sources]
        rest = [len(frame) - sum(counts)] if others else []
        table.add_row(name, *(f"{c:,}" for c in [*counts, *rest, len(frame)]))
    return table


def row_counts_table(splits: Splits) -> Table:
    """Counts the rows of the source by what became of them."""
    table = Table("rows", "what became of them", title="Rows of the source", title_justify="left")
    for count in splits.row_counts:
        if count.rows or count.name in ("read", "kept"):
            table.add_row(f"{count.rows:,}", count.name)
    return table


def candidates_table(
    evaluations: Mapping[str, Evaluation],
    behaviours: Mapping[str, CheckReport],
    challenger: str = "",
    *,
    reviews: str = "the test split",
) -> Table:
    """Shows the headline figures of every candidate on ``reviews``; the challenger's name in bold."""
    rare = next(iter(evaluations.values())).rare_label if evaluations else None  # all are of the same reviews
    table = Table(
        "candidate", "accuracy", "macro F1", *([f"recall of {rare}"] if rare else []),
        "ECE", "p95 ms", "reviews/s", "MB", "behaviour failed",
        title=f"Candidates on {reviews}, with 95% intervals", title_justify="left",
    )  # fmt: skip
    for name, e in evaluations.items():
        checks = behaviours[name].compared
        failed, cases = sum((c.score or 0) * c.count for c in checks), sum(c.count for c in checks)
        table.add_row(
            f"[bold]{name}" if name == challenger else name,
            *map(_interval, (e.overall.accuracy, e.overall.macro_f1, *([e.rare_recall] if rare else []))),
            _interval(e.overall.ece),
            f"{e.latency_ms.p95:.1f}", f"{e.reviews_per_second:,.0f}", f"{e.size_mb:.1f}",
            f"{100 * failed / max(cases, 1):.1f}% of {cases:,}",
        )  # fmt: skip
    return table


def leaderboard_table(leaderboard: Leaderboard) -> Table:
    """Shows every candidate with its quality, cost and speed, the best one first."""
    table = Table(
        *(header.replace(" ", "\n") for header in headers(leaderboard)),  # narrow: the table has many columns
        title=f"Leaderboard on {leaderboard.reviews:,} test reviews, with 95% intervals",
        title_justify="left", caption=explain_columns(leaderboard), caption_justify="left",
    )  # fmt: skip
    for row in cells(leaderboard):
        table.add_row(*(f"{escape(value)}\n[dim]{escape(remark)}" for value, remark in row))
    return table


def slices_table(evaluations: Mapping[str, Evaluation]) -> Table:
    """Shows the accuracy on every slice."""
    table = Table("slice", "reviews", *evaluations, title="Accuracy by slice", title_justify="left")
    first = next(iter(evaluations.values()))
    by_source = [name for name in first.slices if name.startswith("source=")]
    largest = sorted(by_source, key=lambda name: -first.slices[name].count)[:MAX_SOURCES]
    for name, metrics in first.slices.items():
        if name in by_source and name not in largest:
            continue
        values = [e.slices[name].accuracy for e in evaluations.values()]
        table.add_row(escape(name), f"{metrics.count:,}", *map(_interval, values))
    if len(by_source) > len(largest):
        table.add_row(f"[dim]{len(by_source) - len(largest):,} smaller sources: see the dashboard", "", "")
    return table


def checks_table(reports: Sequence[CheckReport]) -> Table:
    """Shows every check of the reports and its limit."""
    table = Table("gate", "check", "", "observed", "limit", title="Gates", title_justify="left")
    for report in reports:
        for check in report.checks:
            sign = "[green]✓" if check.passed else ("[red]✗" if check.severity == "critical" else "[yellow]!")
            suite, name, observed, limit = map(escape, (report.suite, check.name, check.observed, check.limit))
            table.add_row(suite, name, sign, observed, limit)
    return table


def rules_table(decision: Decision) -> Table:
    """Shows every rule of a decision and its numbers."""
    table = Table("rule", "", "observed", "limit", "detail", title="Decision, rule by rule", title_justify="left")
    for rule in decision.rules:
        sign = "[green]✓" if rule.passed else ("[red]✗" if rule.blocks else "[dim]-")
        name, *words = map(escape, (rule.name, rule.observed, rule.limit, rule.detail))
        table.add_row(name, sign, *words)
    return table


def versions_table(versions: Sequence[Version], title: str | None = None) -> Table:
    """Shows versions, the latest first."""
    table = Table("version", "stage", "kind", "fingerprint", "decision", "reason", title=title, title_justify="left")
    for v in reversed(versions):
        words = (v.number, v.stage or "-", v.description, v.fingerprint[:12], _describe_decision(v), v.full_reason)
        table.add_row(*map(escape, words))
    return table


def _describe_decision(version: Version) -> str:
    if version.rolled_back:
        return f"rolled back {version.rolled_back[:10]}"
    if version.waiting:
        return "waits for approval"
    if version.approval in (APPROVED, REJECTED):
        return version.approval
    return "promoted" if version.promoted else "not promoted"


def scoring_table(report: ScoringReport) -> Table:
    """Shows the counts of a scoring job, its speed and its cost."""
    totals, scored = report.totals, max(report.totals.scored, 1)
    title = f"Scored by version {report.model_version} ({report.kind}, {report.engine})"
    table = Table("", "", "", title=title, title_justify="left", show_header=False)
    table.add_row("rows", f"{totals.rows:,}", f"of {report.files:,} file{'s' * (report.files != 1)}")
    table.add_row("positive", f"{totals.positives:,}", f"{totals.positives / scored:.1%}")
    table.add_row("abstained", f"{totals.abstained:,}", f"{totals.abstained / scored:.1%}")
    reasons = ", ".join(f"{count:,} {reason}" for reason, count in totals.rejected.items())
    table.add_row("rejected", f"{totals.rejections:,}", escape(reasons))
    own, billion = report.cost(totals.rows), report.cost(1e9)
    if own is None or billion is None:
        table.add_row("rows/s", "-", "everything was scored before")
        return table
    before = totals.rows - report.new_rows
    others = f", {before:,} rows were scored before" if before else ""
    table.add_row(
        "rows/s", f"{report.rows_per_second:,.0f}", f"{report.workers} workers, {report.seconds:,.1f} s{others}"
    )
    price = f"at {report.price_per_core_hour:g} for an hour of a core"
    table.add_row("cost", f"{own:,.4f}", f"{price}; {billion:,.2f} for a billion rows")
    return table


def _interval(interval: Interval | None) -> str:
    return "-" if interval is None else f"{interval.value:.3f} [dim]{interval.low:.3f}-{interval.high:.3f}"
