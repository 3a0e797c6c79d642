"""CheckReport: the single type of every gate (data, leakage, behaviour, drift) and of the rules of a decision."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

from sentiment.errors import UserError

Severity = Literal["critical", "warning"]


class Check(BaseModel):
    """One check of a gate: an observation, its limit, and examples of failures.

    Attributes:
        name: Unique in its report; a rule of a decision has its kind in front: ``"floor: overall accuracy"``.
        severity: ``critical`` stops the pipeline or the promotion when failed; ``warning`` is shown and logged.
        passed: Whether the observation keeps the limit.
        observed: The measured value for readers, e.g. ``"3.1% of 240 cases"``.
        limit: The limit in the same unit, e.g. ``"at most 5%"``.
        detail: Further facts for readers, such as the number of rows.
        score: The measured value as a number, if there is one (behaviour: failure rate in [0, 1]).
        compared: Whether promotion compares the score with the champion's; false for what is only reported.
        count: Number of cases or rows that were checked; 0 if it does not apply.
        examples: A few failing texts or rows, shortened.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    severity: Severity = "critical"
    passed: bool
    observed: str
    limit: str
    detail: str = ""
    score: float | None = None
    compared: bool = True
    count: int = 0
    examples: tuple[str, ...] = ()

    @property
    def blocks(self) -> bool:
        """True if it is critical and failed."""
        return self.severity == "critical" and not self.passed


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

    @property
    def compared(self) -> tuple[Check, ...]:
        """The checks that promotion compares with the champion's."""
        return tuple(c for c in self.checks if c.compared)

    def failures(self, severity: Severity | None = None) -> tuple[Check, ...]:
        """Returns the failed checks, of one severity or of both."""
        return tuple(c for c in self.checks if not c.passed and severity in (None, c.severity))

    def require_passed(self, remedy: str = "Fix the data, or change the limits in configs/expectations/.") -> None:
        """Stops the pipeline if a critical check failed; its report is already stored by then.

        Raises:
            UserError: Names every failed critical check, and the remedy.
        """
        failures = self.failures("critical")
        if failures:
            named = "; ".join(f"{c.name}: {c.observed}, must be {c.limit}" for c in failures)
            raise UserError(f"critical checks failed: {named}", where=f"suite {self.suite}", remedy=remedy)
