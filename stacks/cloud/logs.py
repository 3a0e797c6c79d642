"""Keeps the logs of running servers small: ``python logs.py FOLDER NAME``, for FOLDER/*/NAME."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

MAX_BODY_BYTES = 10_000_000
KEPT_BYTES = 1_000_000
SECONDS = 2.0


def cut(log: Path) -> None:
    """Keeps the end of a log that has grown too long beside it, and begins it anew; its writer appends, so goes on."""
    if log.stat().st_size > MAX_BODY_BYTES:
        with log.open("rb+") as file:
            file.seek(-KEPT_BYTES, os.SEEK_END)
            log.with_suffix(".log.1").write_bytes(file.read())
            file.truncate(0)


if __name__ == "__main__":
    while True:
        for path in Path(sys.argv[1]).glob(f"*/{sys.argv[2]}"):
            cut(path)
        time.sleep(SECONDS)
