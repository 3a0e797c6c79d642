"""A shadow: the new service gets copies of the live service's requests, and their answers are compared afterwards."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from sentiment.checks import Check, CheckReport
from sentiment.monitoring.prediction_log import Record, read_log
from serving.rollouts.agreement import Pair, check_agreement
from serving.rollouts.watch import watch

if TYPE_CHECKING:
    from serving.rollouts.settings import RolloutSettings

SETTLE = 2.0  # seconds until both prediction logs hold the last answers


def watch_shadow(route: Callable[[], None], new: Path, live: Path, settings: RolloutSettings) -> CheckReport:
    """Lets a service answer copies for a while, then compares the prediction logs of both services.

    Args:
        route: Gives it copies of the live one's requests.
        new: Folder of the new service's prediction log.
        live: Folder of the live one's.
        settings: The duration and the limits.
    """
    since = time.time()
    route()
    watch("shadow", settings.seconds, lambda: (False, {}))
    time.sleep(SETTLE)
    return judge(pairs(*(read_log(folder, since=since).records for folder in (live, new))), settings)


def pairs(live: Iterable[Record], new: Iterable[Record]) -> list[Pair]:
    """P(positive) of both for every text that both answered: the same place in the same request."""
    answered = {(record.request, record.index): record for record in new}
    both = ((record, answered.get((record.request, record.index))) for record in live)
    return [Pair(one.positive, other.positive, one.label == other.label) for one, other in both if other]


def judge(found: list[Pair], settings: RolloutSettings) -> CheckReport:
    """Whether the shadow answers as the live service does."""
    enough = Check(
        name="texts",
        passed=len(found) >= settings.min_requests,
        observed=f"{len(found):,}",
        limit=f"at least {settings.min_requests:,}: fewer are not conclusive",
        score=len(found),
    )
    return CheckReport(suite="shadow", checks=(enough, check_agreement(found, settings)))
