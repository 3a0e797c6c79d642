"""Confirmation: how many of the latest windows a finding was in, so that one odd window starts no retraining."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from sentiment.checks import CheckReport
    from sentiment.monitoring.alarms import MonitoringRun
    from sentiment.monitoring.settings import ConfirmSettings, Finding

MAX_OVERLAP = 0.1  # share of the shorter window: a scheduled run may start early


@dataclass(frozen=True)
class Windows:
    """The latest windows in which a check of a finding was judged, this one included.

    Attributes:
        failed: Windows in which the check failed.
        of: Windows that were counted.
    """

    failed: int = 1
    of: int = 1


def judged_checks(report: CheckReport) -> list[str]:
    """Names the checks that reached a verdict: a check without enough data passes as a warning without a score."""
    return [c.name for c in report.checks if not c.passed or c.score is not None or c.severity == "critical"]


def count_windows(
    report: CheckReport, span: tuple[float, float], earlier: Iterable[MonitoringRun], settings: ConfirmSettings
) -> dict[Finding, Windows]:
    """Counts for each finding of a report in how many of the latest windows the same check failed.

    Windows that share more than :data:`MAX_OVERLAP` of the shorter one count once: hourly runs look at nearly the same
    day, and would confirm themselves. The newest one counts. A window without enough data for a check counts neither
    for nor against it. Each check is counted by itself: different checks that fail in turn are what chance looks like.

    Args:
        report: The report of this window.
        span: First moment of this window and the moment after it, in seconds since 1970.
        earlier: The earlier monitoring runs of the same version, newest first; read only as far as necessary.
        settings: How many windows count.

    Returns:
        By finding, the windows of the check that failed in most of them.
    """
    counts = {check.name: Windows() for check in report.failures()}
    spans = dict.fromkeys(counts, span)  # of the window that was counted last
    runs = iter(earlier)
    while any(count.of < settings.of for count in counts.values()) and (run := next(runs, None)) is not None:
        for name, count in counts.items():
            if count.of < settings.of and name in run.judged and _is_apart(run.span, spans[name]):
                counts[name] = Windows(count.failed + (name in run.failed), count.of + 1)
                spans[name] = run.span
    found: dict[Finding, Windows] = {}
    for name, count in counts.items():
        finding = cast("Finding", name.partition(":")[0])
        found[finding] = max(found.get(finding, count), count, key=lambda windows: (windows.failed, -windows.of))
    return found


def _is_apart(earlier: tuple[float, float], later: tuple[float, float]) -> bool:
    shorter = min(earlier[1] - earlier[0], later[1] - later[0])
    return earlier[1] - later[0] <= MAX_OVERLAP * shorter
