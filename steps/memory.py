"""Gives memory back between stages, which share one process on a laptop."""

from __future__ import annotations

import ctypes
import gc
import sys


def release_memory() -> None:
    """Collects garbage and lets the C library return what is free to the system: it would keep gigabytes."""
    gc.collect()
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # glibc's; musl has none
        if trim is not None:
            trim(0)
