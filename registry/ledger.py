"""What was done about a version already: kept on the version in ZenML, where every machine sees it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import UTC, datetime

MOST = 50  # entries of a kind that are kept: the oldest go


def key(number: str, findings: Iterable[str], end: float) -> str:
    """Names what was found, on one day: an unchanged alarm is one alarm, and comes again the next day.

    Args:
        number: Number of the version.
        findings: What is wrong with it, in any order.
        end: Of the window, in seconds since 1970.
    """
    day = datetime.fromtimestamp(end, UTC).date().isoformat()
    return hashlib.sha256("\n".join([number, day, *sorted(findings)]).encode()).hexdigest()[:16]


def done(model: str, number: str, what: str, key: str) -> str | None:
    """The run that did ``what`` about the finding with this key; None if none has."""
    return _entries(model, number, what).get(key)


def note(model: str, number: str, what: str, key: str, run: str) -> None:
    """Writes down that ``run`` did it."""
    from zenml import log_metadata

    entries = {**_entries(model, number, what), key: run}
    latest = dict(list(entries.items())[-MOST:])
    log_metadata(metadata={f"done_{what}": latest}, model_name=model, model_version=number)


def _entries(model: str, number: str, what: str) -> dict[str, str]:
    from zenml.client import Client

    found = Client().get_model_version(model, number).run_metadata.get(f"done_{what}", {})
    return {str(name): str(run) for name, run in found.items()} if isinstance(found, dict) else {}
