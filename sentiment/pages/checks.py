"""The page of a gate."""

from __future__ import annotations

from sentiment.checks import Check, CheckReport
from sentiment.pages.html import Html, badge, banner, details, join, page, shorten, table, text


def check_report_page(report: CheckReport) -> str:
    """Every check of a report: what was observed, against which limit, and examples of what failed."""
    critical, warnings = report.failures("critical"), report.failures("warning")
    kept = len(report.checks) - len(critical) - len(warnings)
    words = f"{kept} of {len(report.checks)} checks passed"
    if critical:
        verdict = banner(f"Failed: {words}", "bad", "Critical: " + ", ".join(check.name for check in critical))
    elif warnings:
        verdict = banner(f"Passed with warnings: {words}", "warn", ", ".join(check.name for check in warnings))
    else:
        verdict = banner(f"Passed: {words}", "good")
    rows = [(_badge(c), _name(c), c.observed, c.limit, f"{c.count:,}" if c.count else "") for c in report.checks]
    failed = [i for i, check in enumerate(report.checks) if not check.passed and check.severity == "critical"]
    return page(
        f"Checks: {report.suite}",
        verdict,
        table(["", "check", "observed", "limit", "cases"], rows, numbers=[4], failed=failed),
    )


def _badge(check: Check) -> Html:
    if check.passed:
        return badge("passed", "good")
    return badge("failed", "bad") if check.severity == "critical" else badge("warning", "warn")


def _name(check: Check) -> Html:
    summary = f"{len(check.examples)} example{'s' if len(check.examples) > 1 else ''}"
    return join([text(check.name), details(summary, [shorten(example) for example in check.examples])])
