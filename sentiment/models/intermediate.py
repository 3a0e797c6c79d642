"""Evaluations inside a training, reported to a judge that may end it.

A search installs a judge; without one, nothing happens. The judge and the training share a process.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Protocol


class PrunedError(Exception):
    """Ends a training that a judge has given up."""


class Judge(Protocol):
    """Receives the figures of an evaluation."""

    def __call__(self, share: float, *, accuracy: float, log_loss: float) -> None:
        """Called after every evaluation; raises :class:`PrunedError` to end the training.

        Args:
            share: Share of the training that is done, in (0, 1].
            accuracy: On validation reviews, in [0, 1].
            log_loss: Mean there, in nats.
        """


_judge: ContextVar[Judge | None] = ContextVar("judge", default=None)


@contextmanager
def judging(judge: Judge) -> Iterator[None]:
    """Sends every evaluation made inside the block to ``judge``."""
    token = _judge.set(judge)
    try:
        yield
    finally:
        _judge.reset(token)


def report_evaluation(share: float, *, accuracy: float, log_loss: float) -> None:
    """Reports an evaluation in the middle of a training.

    Raises:
        PrunedError: If the judge gives the training up.
    """
    judge = _judge.get()
    if judge is not None:
        judge(share, accuracy=accuracy, log_loss=log_loss)
