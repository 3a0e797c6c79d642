"""How the C library hands out memory, and takes it back."""

from __future__ import annotations

import ctypes
import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager

# glibc's malloc.h
M_TRIM_THRESHOLD, M_MMAP_MAX = -1, -4
DEFAULT_TRIM_THRESHOLD, DEFAULT_MMAP_MAX = 128 * 1024, 65536
NEVER = 2**31 - 1


@contextmanager
def reusing_memory() -> Iterator[None]:
    """Keeps freed memory for the next step instead of returning it to the system.

    By default glibc maps every large tensor afresh and gives it back at once; the page faults took a fifth of the time
    of training on two cores. Elsewhere than on glibc this does nothing.
    """
    library = ctypes.CDLL(None) if sys.platform == "linux" else None
    if not hasattr(library, "mallopt"):
        yield
        return
    library.mallopt(M_MMAP_MAX, 0)  # type: ignore[union-attr] # has mallopt
    library.mallopt(M_TRIM_THRESHOLD, NEVER)  # type: ignore[union-attr] # has mallopt
    try:
        yield
    finally:
        library.mallopt(M_MMAP_MAX, DEFAULT_MMAP_MAX)  # type: ignore[union-attr] # has mallopt
        library.mallopt(M_TRIM_THRESHOLD, DEFAULT_TRIM_THRESHOLD)  # type: ignore[union-attr] # has mallopt


def release_memory() -> None:
    """Collects garbage and lets the C library return what is free to the system: it would keep gigabytes."""
    gc.collect()
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # glibc's; musl has none
        if trim is not None:
            trim(0)
