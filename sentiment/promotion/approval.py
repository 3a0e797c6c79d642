"""The approval of a version: who decided that it may go into production, or may not, and why."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sentiment.errors import UserError

PENDING, APPROVED, REJECTED = "pending", "approved", "rejected"  # states, in ZenML's metadata and in MLflow's tag
MAX_CHARACTERS = 1000  # of a name or a reason: MLflow's databases take tags of up to 5,000


@dataclass(frozen=True)
class Approval:
    """A person's decision on a version.

    Attributes:
        by: Who decided.
        reason: Why, on one line; empty if the person gave no reason.
        at: When, ISO 8601 in UTC.
        state: :data:`APPROVED` or :data:`REJECTED`.
    """

    by: str
    reason: str
    at: str
    state: str = APPROVED

    def as_facts(self) -> dict[str, Any]:
        """Returns it as metadata in ZenML, which are also the tags in MLflow."""
        return {
            "approval": self.state,
            "approval_by": self.by,
            "approval_reason": self.reason,
            "approval_time": self.at,
        }

    def __str__(self) -> str:
        reason = f": {self.reason}" if self.reason else ""
        return f"{self.state.capitalize()} by {self.by} on {self.at[:10]}{reason}"


def make_approval(by: str, reason: str, state: str = APPROVED) -> Approval:
    """Makes an approval of now; longer names and reasons are cut to :data:`MAX_CHARACTERS`."""
    name, words = (" ".join(text.split())[:MAX_CHARACTERS] for text in (by, reason))
    return Approval(name, words, at=datetime.now(UTC).isoformat(timespec="seconds"), state=state)


def read_approval(by: str | None, reason: str | None) -> Approval | None:
    """Reads ``--by`` and ``--reason``; None if both are missing.

    Raises:
        UserError: If only one of them is given, or one is blank or longer than :data:`MAX_CHARACTERS`.
    """
    if by is None and reason is None:
        return None
    for option, text in (("--by", by), ("--reason", reason)):
        if not (text or "").strip():
            raise UserError("an approval needs a name and a reason", where=option, remedy='--by NAME --reason "..."')
        if len(text or "") > MAX_CHARACTERS:
            raise UserError(f"is longer than {MAX_CHARACTERS:,} characters", where=option, remedy="Shorten it.")
    return make_approval(by or "", reason or "")
