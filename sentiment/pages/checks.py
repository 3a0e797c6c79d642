"""The page of a gate."""

from __future__ import annotations

from collections.abc import Sequence

from sentiment.checks import Check, CheckReport
from sentiment.pages.html import Html, badge, banner, details, join, page, shorten, table, text


def check_report_page(report: CheckReport) -> str:
    """Shows every check of a report: observation, limit, and examples of failures."""
    return page(f"Checks: {report.suite}", verdict(report), checks_table(report.checks))


def verdict(report: CheckReport) -> Html:
    """Shows whether a report passed, and its failed checks."""
    critical, warnings = report.failures("critical"), report.failures("warning")
    kept = len(report.checks) - len(critical) - len(warnings)
    words = f"{kept} of {len(report.checks)} checks passed"
    if critical:
        return banner(f"Failed: {words}", "bad", "Critical: " + ", ".join(check.name for check in critical))
    if warnings:
        return banner(f"Passed with warnings: {words}", "warn", ", ".join(check.name for check in warnings))
    return banner(f"Passed: {words}", "good")


def checks_table(checks: Sequence[Check]) -> Html:
    """Shows observations and limits in a table, with examples to open."""
    rows = [(check_badge(c), named(c), c.observed, c.limit, f"{c.count:,}" if c.count else "") for c in checks]
    failed = [i for i, check in enumerate(checks) if not check.passed and check.severity == "critical"]
    return table(["", "check", "observed", "limit", "cases"], rows, numbers=[4], failed=failed)


def check_badge(check: Check) -> Html:
    """Passed, failed or a warning."""
    if check.passed:
        return badge("passed", "good")
    return badge("failed", "bad") if check.severity == "critical" else badge("warning", "warn")


def named(check: Check) -> Html:
    """The name of a check, with its failing examples to open."""
    summary = f"{len(check.examples)} example{'s' if len(check.examples) > 1 else ''}"
    return join([text(check.name), details(summary, [shorten(example) for example in check.examples])])
