"""Times as the annotation tools write them."""

from __future__ import annotations

from datetime import UTC, datetime


def seconds(time: datetime | None) -> float | None:
    """Returns seconds since 1970; a time without a zone is UTC, as Argilla's server writes it."""
    if time is None:
        return None
    return (time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp()
