"""The project's cache on this machine: states of trainings, and studies of searches."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
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


def delete_caches(paths: Sequence[Path], rule: Rule) -> None:
    """Deletes files and folders of the cache, except those that a process trains in, or has changed since."""
    for path in paths:
        with _lock(path) as free:
            if not free or _changed(path) >= rule.before:
                continue
            if path.is_dir():  # a training that starts from now on gets a new folder
                removed = path.with_name(f"{path.name}.removed")
                shutil.rmtree(removed, ignore_errors=True)  # a killed prune may have left it
                path.rename(removed)
                shutil.rmtree(removed, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)


@contextmanager
def _lock(folder: Path) -> Iterator[bool]:
    """Holds the lock of a training's folder during the block; gives whether no other process trains there."""
    try:
        lock = (folder / LOCK).open()
    except (FileNotFoundError, NotADirectoryError):
        yield True
        return
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True


def _is_locked(folder: Path) -> bool:
    """Whether a process trains in this folder."""
    with _lock(folder) as free:
        return not free
