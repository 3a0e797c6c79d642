"""Watching a service for a while, with progress."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from sentiment import progress

LOOK_EVERY = 1.0  # seconds


def watch(task: str, seconds: float, look: Callable[[], tuple[bool, Mapping[str, float]]]) -> None:
    """Looks every second until the time is over.

    Args:
        task: Shown with the progress.
        seconds: How long.
        look: Says whether enough was seen, and figures worth showing.
    """
    start = time.monotonic()
    while (gone := time.monotonic() - start) < seconds:
        time.sleep(min(LOOK_EVERY, seconds - gone))
        enough, figures = look()
        progress.report(task, min(time.monotonic() - start, seconds), seconds, **figures)
        if enough:
            return
