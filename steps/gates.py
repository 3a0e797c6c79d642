"""A failed critical check stops the pipeline, after its report has been stored for people to see."""

from __future__ import annotations

from sentiment.checks import CheckReport
from sentiment.errors import UserError


def require(report: CheckReport, remedy: str = "Mend the data, or the limits in configs/expectations/.") -> None:
    """Raises a UserError that names every failed critical check of the report, and the remedy."""
    failures = report.failures("critical")
    if failures:
        named = "; ".join(f"{c.name}: {c.observed}, must be {c.limit}" for c in failures)
        raise UserError(
            f"critical checks failed: {named}",
            where=f"suite {report.suite}",
            remedy=remedy,
        )
