"""The page of a scoring job."""

from __future__ import annotations

from sentiment.pages import charts
from sentiment.pages.checks import checks_table, verdict
from sentiment.pages.html import Html, cards, facts, figure, page, paragraph, section, share, table
from sentiment.scoring.results import ScoringReport

BILLION = 1e9


def scoring_page(report: ScoringReport) -> str:
    """Shows the scores of a job, its rejects, and whether its input is like what the model knows."""
    totals = report.totals
    return page(
        f"Scored by version {report.model_version}",
        paragraph(f"{report.input} to {report.output}", "soft"),
        verdict(report.checks),
        cards(_figures(report)),
        section("Scores", *_distribution(report)),
        *([section("Sources", _sources(report))] if totals.sources else []),
        section("Most uncertain texts", _uncertain(report)),
        section("Rejected rows", _rejects(report)),
        section("Is this input like what the model knows?", checks_table(report.checks.checks)),
        section("Run", _run(report)),
    )


def _figures(report: ScoringReport) -> list[tuple[str, object, object]]:
    totals = report.totals
    scored = max(totals.scored, 1)
    cost = report.cost(BILLION)
    return [
        ("rows", f"{totals.rows:,}", f"of {report.files:,} file{'s' * (report.files != 1)}"),
        ("positive", f"{totals.positives / scored:.1%}", f"{totals.positives:,} rows"),
        ("abstained", f"{totals.abstained / scored:.1%}", f"{totals.abstained:,} rows"),
        ("rejected", f"{totals.rejections:,}", f"{totals.rejections / max(totals.rows, 1):.2%} of the rows"),
        ("rows/s", f"{report.rows_per_second:,.0f}" if report.new_rows else "-", f"{report.workers} workers"),
        ("a billion rows", "-" if cost is None else f"{cost:,.0f}", "at the configured price"),
    ]


def _distribution(report: ScoringReport) -> list[Html]:
    if not report.totals.scored:
        return [paragraph("No row was scored.", "soft")]
    drawing = charts.binned_shares(report.totals.histogram, report.reference_histogram, "P(positive)")
    return [figure(drawing, "Shares of the rows; outline: the version's answers to held-out reviews.")]


def _sources(report: ScoringReport) -> Html:
    rows = [
        (name, f"{count.rows:,}", f"{count.positives / count.rows:.1%}", share(count.positives / count.rows, "good"))
        for name, count in report.totals.sources.items()
        if count.rows
    ]
    return table(["source", "rows", "positive", ""], rows, numbers=(1, 2), prose=(0,))


def _uncertain(report: ScoringReport) -> Html:
    examples = report.totals.uncertain
    if not examples:
        return paragraph("None.", "soft")
    rows = [(f"{e.positive:.3f}", e.text, f"{e.file}, row {e.row:,}") for e in examples]
    return table(["P(positive)", "text", "place"], rows, numbers=(0,), prose=(1, 2))


def _rejects(report: ScoringReport) -> Html:
    rejected = report.totals.rejected
    if not rejected:
        return paragraph("None: every row was scored.", "soft")
    by_count = sorted(rejected.items(), key=lambda item: (-item[1], item[0]))
    return table(["reason", "rows"], [(reason, f"{count:,}") for reason, count in by_count], numbers=(1,))


def _run(report: ScoringReport) -> Html:
    return facts(
        {
            "model": f"{report.model}, version {report.model_version}, {report.kind}, computed by {report.engine}",
            "rows of this run": f"{report.new_rows:,}; the others were finished before",
            "time": f"{report.seconds:,.1f} s",
            "price": f"{report.price_per_core_hour:g} for an hour of a core",
        }
    )
