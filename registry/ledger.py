"""The ledger: actions that were already taken on a version, kept on the version in ZenML for every machine to see."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import UTC, datetime

MAX_ENTRIES = 50  # of one action; the oldest are dropped


def finding_key(number: str, findings: Iterable[str], end: float) -> str:
    """Names the findings of one day, so that an unchanged alarm is raised once a day.

    Args:
        number: Number of the version.
        findings: Names of its failed checks, in any order.
        end: End of the window, in seconds since 1970.
    """
    day = datetime.fromtimestamp(end, UTC).date().isoformat()
    return hashlib.sha256("\n".join([number, day, *sorted(findings)]).encode()).hexdigest()[:16]


def find_run(model: str, number: str, action: str, key: str) -> str | None:
    """Returns the run that took ``action`` on the findings with this key; None if no run has."""
    return _entries(model, number, action).get(key)


def record_run(model: str, number: str, action: str, key: str, run: str) -> None:
    """Records that ``run`` took ``action`` on the findings with this key."""
    from zenml import log_metadata

    entries = {**_entries(model, number, action), key: run}
    latest = dict(list(entries.items())[-MAX_ENTRIES:])
    log_metadata(metadata={f"done_{action}": latest}, model_name=model, model_version=number)


def _entries(model: str, number: str, action: str) -> dict[str, str]:
    from zenml.client import Client

    found = Client().get_model_version(model, number).run_metadata.get(f"done_{action}", {})
    return {str(name): str(run) for name, run in found.items()} if isinstance(found, dict) else {}
