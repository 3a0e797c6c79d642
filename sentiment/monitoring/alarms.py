"""Alarms: what monitoring found wrong with the live model and has not found right again since."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sentiment.checks import Check, CheckReport
from sentiment.deployment import Deployment


@dataclass(frozen=True)
class MonitoringRun:
    """One look at the live model.

    Attributes:
        at: When it was taken, with a time zone.
        run: Name of the pipeline run.
        version: Number of the model's version that was looked at; empty if nobody wrote it down.
        passed: Whether no critical check failed.
        failed: Names of the checks that failed, critical ones and warnings.
        scores: What was measured, by the name of the check, where it is a number.
    """

    at: datetime
    run: str
    version: str
    passed: bool
    failed: tuple[str, ...]
    scores: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Alarm:
    """A check that fails, and since when it has failed at every look.

    Attributes:
        check: As it was found last.
        since: The first look of this unbroken row.
    """

    check: Check
    since: datetime


def open_alarms(
    history: Sequence[MonitoringRun], latest: CheckReport | None, live: Deployment | None = None
) -> tuple[Alarm, ...]:
    """The alarms of the last look, critical ones first, each with the beginning of its row.

    Args:
        history: Every look, oldest first; another version's do not count: a new model has no old alarms.
        latest: What the last one found; None if there was none, or its report is gone.
        live: What is live of the model; another version than the last look's has none yet.
    """
    if not history or latest is None or (live and live.bento.version != history[-1].version):
        return ()
    own = [watched for watched in history if watched.version == history[-1].version]
    alarms = [Alarm(check, _since(own, check.name)) for check in latest.failures()]
    return tuple(sorted(alarms, key=lambda alarm: alarm.check.severity != "critical"))


def _since(history: Sequence[MonitoringRun], name: str) -> datetime:
    since = history[-1].at
    for watched in reversed(history):
        if name not in watched.failed:
            break
        since = watched.at
    return since
