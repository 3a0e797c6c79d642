"""Alerts: a line in a file and a POST to a webhook, once for the same findings, not every hour."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from registry import ledger
from registry.locks import version_lock
from sentiment.checks import Check
from sentiment.monitoring.settings import AlertSettings

WEBHOOK_TIMEOUT_S = 5.0
MAX_POSTS = 2
LINE, SENT = "alert_line", "alert_sent"  # actions in the ledger


def send_alert(
    settings: AlertSettings,
    failed: Iterable[Check],
    *,
    model: str,
    number: str,
    key: str,
    run: str,
    facts: Mapping[str, Any],
) -> tuple[bool, list[str]]:
    """Sends an alert about a version, unless the same findings were already sent.

    The next run retries a line or a POST that failed; a failure of one does not stop the other.

    Args:
        settings: The file and the webhook.
        failed: The failed checks.
        model: Name of the model.
        number: Number of the version.
        key: Key of the findings: see :mod:`registry.ledger`.
        run: Name of the pipeline run that found them.
        facts: Further facts for the alert.

    Returns:
        Whether a line or a POST was sent now, and a message for each failure.
    """
    line = {
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
        "model": model,
        "model_version": number,
        "key": key,
        "run": run,
        "found": [{"check": c.name, "observed": c.observed, "limit": c.limit} for c in failed],
        **facts,
    }
    sent, problems = False, []
    with version_lock(model):  # two runs at once write one line
        if ledger.find_run(model, number, LINE, key) is None:
            try:
                _append(settings.log, line)
            except OSError as error:
                problems.append(f"the alert could not be written to {settings.log}: {error.strerror or error}")
            else:
                sent = True
                ledger.record_run(model, number, LINE, key, run)
    if settings.webhook and ledger.find_run(model, number, SENT, key) is None:
        if problem := _post(settings.webhook, line):
            problems.append(problem)
        else:
            sent = True
            ledger.record_run(model, number, SENT, key, run)
    return sent, problems


def _append(log: Path, line: Mapping[str, Any]) -> None:
    """Appends a line in one write, so that lines of two processes do not mix; a truncated line before it is ended."""
    log.parent.mkdir(parents=True, exist_ok=True)
    data = json.dumps(line, ensure_ascii=False).encode() + b"\n"
    with log.open("a+b", buffering=0) as file:
        if file.seekable() and file.seek(0, os.SEEK_END) and not _ends_a_line(file):
            data = b"\n" + data
        written = file.write(data)
    if written != len(data):
        raise OSError(None, "the disk took only a part of the line")


def _ends_a_line(file: Any) -> bool:  # noqa: ANN401  # FileIO
    file.seek(-1, os.SEEK_END)
    return bool(file.read(1) == b"\n")


def _post(webhook: str, line: Mapping[str, Any]) -> str:
    """Posts the alert; returns the problem without the URL, which may hold a secret, or an empty string."""
    import httpx

    url = os.environ.get(webhook.removeprefix("$"))
    if not url:
        return f"the alert could not be posted: the environment variable {webhook} is not set"
    problem = ""
    for _ in range(MAX_POSTS):
        try:
            response = httpx.post(url, json=dict(line), timeout=WEBHOOK_TIMEOUT_S)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            problem = type(error).__name__
        else:
            if response.is_success:
                return ""
            problem = f"status {response.status_code}"
    return f"the alert could not be posted to {webhook}: {problem}"
