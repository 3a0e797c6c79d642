"""Alarms: checks of the live version that failed in the last monitoring run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sentiment.checks import Check, CheckReport
from sentiment.deployment import Deployment


@dataclass(frozen=True)
class MonitoringRun:
    """One monitoring run of the live version.

    Attributes:
        at: Its time, with a time zone.
        run: Name of the pipeline run.
        version: Number of the monitored version; empty if it is not on record.
        passed: Whether no critical check failed.
        failed: Names of the checks that failed, critical ones and warnings.
        scores: Measured numbers, by the name of the check.
        span: First moment of its window and the moment after it, in seconds since 1970.
        judged: Names of the checks that had enough data; none if the run is from before they were recorded.
        actions: The action for each finding in words, with the windows that confirm it; none if not recorded.
    """

    at: datetime
    run: str
    version: str
    passed: bool
    failed: tuple[str, ...]
    scores: Mapping[str, float] = field(default_factory=dict)
    span: tuple[float, float] = (0.0, 0.0)
    judged: tuple[str, ...] = ()
    actions: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Alarm:
    """A failed check, and the time since when it has failed in every monitoring run.

    Attributes:
        check: Its latest result.
        since: Time of the first failed run of the unbroken series.
        action: The action in words, such as ``alert: in 1 of 2 windows; retrain at 2 of 3``; empty if not recorded.
    """

    check: Check
    since: datetime
    action: str = ""


def open_alarms(
    history: Sequence[MonitoringRun], latest: CheckReport | None, live: Deployment | None = None
) -> tuple[Alarm, ...]:
    """Returns the alarms of the last monitoring run, critical ones first, each with the start of its series.

    Args:
        history: Every monitoring run, oldest first; runs of other versions do not count.
        latest: The report of the last run; None if there was none, or it is gone.
        live: The live deployment of the model; if it is of another version than the last run, it has no alarms yet.
    """
    if not history or latest is None or (live and live.bento.version != history[-1].version):
        return ()
    own = [run for run in history if run.version == history[-1].version]
    actions = own[-1].actions
    alarms = [
        Alarm(check, _since(own, check.name), actions.get(check.name.partition(":")[0], ""))
        for check in latest.failures()
    ]
    return tuple(sorted(alarms, key=lambda alarm: alarm.check.severity != "critical"))


def _since(history: Sequence[MonitoringRun], name: str) -> datetime:
    since = history[-1].at
    for run in reversed(history):
        if name not in run.failed:
            break
        since = run.at
    return since
