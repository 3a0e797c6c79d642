"""Standard output and error that never fail a command: a promotion is done even if its report cannot be shown."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import IO, Any


class TolerantStream:
    """A text stream that drops text which cannot be written: the terminal is closed, or its disk is full."""

    def __init__(self, stream: IO[str]) -> None:
        """Wraps a stream; characters that its encoding lacks become replacement signs."""
        self._stream = stream
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")

    def write(self, text: str) -> int:
        """Writes as much as can be written."""
        with suppress(OSError):
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        """Flushes as much as can be written."""
        with suppress(OSError):
            self._stream.flush()

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - of any attribute
        return getattr(self._stream, name)


@contextmanager
def tolerant_output() -> Iterator[None]:
    """Lets the process go on in the block when its output cannot be written."""
    before = {name: getattr(sys, name) for name in ("stdout", "stderr", "__stderr__")}
    for name, stream in before.items():
        if stream is not None:
            setattr(sys, name, TolerantStream(stream))
    try:
        yield
    finally:
        for name, stream in before.items():
            setattr(sys, name, stream)
            _discard_unwritten(stream)


def _discard_unwritten(stream: IO[str] | None) -> None:
    """Python flushes at its end, and would then exit with another code."""
    if stream is None:
        return
    try:
        stream.flush()
    except OSError:
        with suppress(OSError):  # it has no descriptor
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
