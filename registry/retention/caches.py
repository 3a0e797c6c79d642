"""The project's cache on this machine: states of trainings, and studies of searches."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Collection, Iterator
from datetime import UTC, datetime
from pathlib import Path

from registry.retention.rules import Rule
from sentiment.imports import ROOT

LOCK = "lock"  # of a training's folder, held while it trains: see sentiment/models/recovery.py


def cache_home() -> Path:
    """Returns the folder of the cache."""
    return Path(os.environ.get("SENTIMENT_CACHE") or ROOT / ".cache")


def find_caches(rule: Rule, unfinished: Collection[str]) -> list[Path]:
    """Finds folders of trainings, files of searches and broken downloads that may be deleted.

    A finished training needs its folder only until its artifact is stored. Downloaded wheels stay.

    Args:
        rule: The limits.
        unfinished: Names of the studies of unfinished searches.
    """
    home = cache_home()
    trainings = _newest_first(path for path in home.glob("training/*") if path.is_dir())
    studies = _newest_first(home.glob("tuning/*.db"))
    kept = {*unfinished, *(path.stem for path in studies[: rule.keep])}
    searched = [path for path in home.glob("tuning/*") if path.name.split(".worker-")[0].split(".db")[0] not in kept]
    downloads = [*home.glob("download-*"), *home.glob("*/download-*")]
    old = [*trainings[rule.keep :], *searched, *downloads]
    return [path for path in old if _changed(path) < rule.before and not _is_locked(path)]


def _newest_first(paths: Iterator[Path] | list[Path]) -> list[Path]:
    return sorted(paths, key=_changed, reverse=True)


def _changed(path: Path) -> datetime:
    try:
        return datetime.fromtimestamp(path.stat().st_mtime, UTC)
    except FileNotFoundError:
        return datetime.now(UTC)


def _is_locked(folder: Path) -> bool:
    """Whether a process trains in this folder."""
    try:
        with (folder / LOCK).open() as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except (FileNotFoundError, NotADirectoryError):
        return False
    except BlockingIOError:
        return True
    return False
