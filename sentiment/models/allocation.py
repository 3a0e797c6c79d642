"""How the C library hands out memory, and takes it back."""

from __future__ import annotations

import ctypes
import gc
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

# glibc's malloc.h
M_TRIM_THRESHOLD, M_MMAP_MAX = -1, -4
DEFAULT_TRIM_THRESHOLD, DEFAULT_MMAP_MAX = 128 * 1024, 65536
NEVER = 2**31 - 1


@contextmanager
def reusing_memory() -> Iterator[None]:
    """Keeps freed memory for the next step instead of returning it to the system.

    By default glibc maps every large tensor afresh and gives it back at once: every step pays for its page faults.
    Elsewhere than on glibc this does nothing.
    """
    mallopt = _of_glibc("mallopt")
    mallopt(M_MMAP_MAX, 0)
    mallopt(M_TRIM_THRESHOLD, NEVER)
    try:
        yield
    finally:
        mallopt(M_MMAP_MAX, DEFAULT_MMAP_MAX)
        mallopt(M_TRIM_THRESHOLD, DEFAULT_TRIM_THRESHOLD)


def release_memory() -> None:
    """Collects garbage and makes the C library return free memory to the system; otherwise it keeps gigabytes."""
    gc.collect()
    _of_glibc("malloc_trim")(0)


def _of_glibc(name: str) -> Callable[..., object]:
    """A function of glibc; elsewhere (macOS, musl) one that does nothing."""
    found = getattr(ctypes.CDLL(None), name, None) if sys.platform == "linux" else None
    return found or (lambda *_: None)
