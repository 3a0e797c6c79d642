"""CheckReport: the single type of every gate (data, leakage, behaviour, drift)."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

Severity = Literal["critical", "warning"]


class Check(BaseModel):
    """One check of a gate: what was observed, against which limit, with examples of what failed.

    Attributes:
        name: What is checked, unique in its report.
        severity: ``critical`` stops the pipeline when failed; ``warning`` is shown and logged.
        passed: Whether the observation keeps the limit.
        observed: The measured value as a person reads it, e.g. ``"3.1 % of 240 cases"``.
        limit: The limit in the same unit, e.g. ``"at most 5 %"``.
        score: The measured value as a number where there is one (behaviour: failure rate in [0, 1]).
        count: How many cases or rows were looked at; 0 where it does not apply.
        examples: A few failing texts or rows, shortened to be read.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    severity: Severity = "critical"
    passed: bool
    observed: str
    limit: str
    score: float | None = None
    count: int = 0
    examples: tuple[str, ...] = ()


class CheckReport(BaseModel):
    """The result of a suite of checks.

    Attributes:
        suite: Name of the suite, e.g. ``"reviews"``, ``"leakage"``, ``"behaviour"``.
        checks: Every check, in the order of the suite.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    suite: str
    checks: tuple[Check, ...]

    @property
    def passed(self) -> bool:
        """True if no critical check failed."""
        return not self.failures("critical")

    def failures(self, severity: Severity | None = None) -> tuple[Check, ...]:
        """The failed checks, of one severity or of both."""
        return tuple(c for c in self.checks if not c.passed and severity in (None, c.severity))
