"""Watching a service for a while, with progress."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from sentiment import progress

POLL_S = 1.0


def watch(task: str, seconds: float, poll: Callable[[], tuple[bool, Mapping[str, float]]]) -> None:
    """Polls every second until the time is over.

    Args:
        task: Name of the task in the progress.
        seconds: The time.
        poll: Returns whether to stop early, and figures to show.
    """
    start = time.monotonic()
    while (elapsed := time.monotonic() - start) < seconds:
        time.sleep(min(POLL_S, seconds - elapsed))
        enough, figures = poll()
        progress.report(task, min(time.monotonic() - start, seconds), seconds, **figures)
        if enough:
            return
