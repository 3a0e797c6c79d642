"""Progress of long work, reported to a listener.

The library calls :func:`report`; the command line installs a listener that draws a bar. Without one, nothing is
drawn: a step that runs in a container reports into its log through its own listener.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Protocol


class Listener(Protocol):
    """Receives progress: the task, the amount done, the total, and figures to show (such as ``loss``)."""

    def __call__(self, task: str, done: float, total: float, **figures: float) -> None:
        """Called with every report."""


_listener: ContextVar[Listener | None] = ContextVar("listener", default=None)


@contextmanager
def listening(listener: Listener) -> Iterator[None]:
    """Sends every report made inside the block to ``listener``."""
    token = _listener.set(listener)
    try:
        yield
    finally:
        _listener.reset(token)


def report(task: str, done: float, total: float, **figures: float) -> None:
    """Reports that ``done`` of ``total`` units of ``task`` are finished, with figures such as ``loss``."""
    listener = _listener.get()
    if listener is not None:
        listener(task, done, total, **figures)
