"""Telling somebody: a line in a file, and a webhook; once for each thing that is wrong, not every hour."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from registry import ledger
from registry.locks import alone
from sentiment.checks import Check
from sentiment.monitoring.settings import AlertSettings

SECONDS = 5.0  # that a webhook has to answer
LINE, SENT = "alert_line", "alert_sent"  # what the ledger calls them


def tell(
    settings: AlertSettings,
    failed: Iterable[Check],
    *,
    model: str,
    number: str,
    key: str,
    run: str,
    facts: Mapping[str, Any],
) -> tuple[bool, list[str]]:
    """Tells what is wrong with a version, unless that was told already.

    What could not be written or sent is tried again by the next run; one never keeps the other from being told.

    Args:
        settings: Where to.
        failed: What is wrong.
        model: Name of the model.
        number: Number of the version.
        key: Of what was found: see :mod:`registry.ledger`.
        run: Name of the pipeline run that found it.
        facts: What else is worth telling.

    Returns:
        Whether anybody was told anything now, and what went wrong, a line each.
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
    told, problems = False, []
    with alone(model):  # two runs at once make one line
        if ledger.done(model, number, LINE, key) is None:
            try:
                _append(settings.log, line)
            except OSError as error:
                problems.append(f"the alert could not be written to {settings.log}: {error.strerror or error}")
            else:
                told = True
                ledger.note(model, number, LINE, key, run)
    if settings.webhook and ledger.done(model, number, SENT, key) is None:
        if problem := _posted(settings.webhook, line):
            problems.append(problem)
        else:
            told = True
            ledger.note(model, number, SENT, key, run)
    return told, problems


def _append(log: Path, line: Mapping[str, Any]) -> None:
    """In one write, so that two processes do not mix their lines; after one that was cut short, on its own line."""
    log.parent.mkdir(parents=True, exist_ok=True)
    data = json.dumps(line, ensure_ascii=False).encode() + b"\n"
    with log.open("a+b", buffering=0) as file:
        if file.seekable() and file.seek(0, os.SEEK_END) and not _ends_a_line(file):
            data = b"\n" + data
        written = file.write(data)
    if written != len(data):
        raise OSError(None, "the disk took only a part of it")


def _ends_a_line(file: Any) -> bool:  # noqa: ANN401  # FileIO
    file.seek(-1, os.SEEK_END)
    return bool(file.read(1) == b"\n")


def _posted(webhook: str, line: Mapping[str, Any]) -> str:
    """Posts it, twice if need be; what is wrong, without the URL, which may hold a secret."""
    import httpx

    url = os.environ.get(webhook.removeprefix("$"))
    if not url:
        return f"the alert could not be posted: the environment variable {webhook} is not set"
    problem = ""
    for _ in range(2):
        try:
            response = httpx.post(url, json=dict(line), timeout=SECONDS)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            problem = type(error).__name__
        else:
            if response.is_success:
                return ""
            problem = f"status {response.status_code}"
    return f"the alert could not be posted to {webhook}: {problem}"
