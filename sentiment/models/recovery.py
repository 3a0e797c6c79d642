"""Saved states of a training run that survive being killed at any moment.

The trainer writes straight into the final folder, so a folder may be half-written, or half-deleted. A state counts
only once it is *sealed*: a file written last, atomically, that names every other file with its hash.
"""

from __future__ import annotations

import fcntl
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sentiment import progress
from sentiment.hashing import sha256

SEAL = "complete.json"
LOCK = "lock"
PREFIX = "checkpoint-"  # how the trainer names the folders: checkpoint-<step>


@contextmanager
def alone(run_dir: Path) -> Iterator[None]:
    """Waits until no other process trains in ``run_dir``, and keeps them out while the block runs.

    The kernel gives the lock back with the process, however that ends. The processes of one training need no lock of
    their own: the one that started them holds it, and none of them outlives it.
    """
    with (run_dir / LOCK).open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            progress.report("waiting for another process, which trains the same", 0, 1)
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def seal(folder: Path, seconds: float) -> None:
    """Marks a saved state as complete.

    Args:
        folder: The saved state.
        seconds: Training time spent so far, over all starts of this run.
    """
    partial = folder / f"{SEAL}.partial"
    files = {p.name: sha256(p) for p in sorted(folder.iterdir()) if p.is_file() and p not in (partial, folder / SEAL)}
    partial.write_text(json.dumps({"seconds": seconds, "files": files}), encoding="utf-8")
    partial.replace(folder / SEAL)


def seconds_spent(folder: Path) -> float:
    """Training time that led to a sealed state."""
    return float(json.loads((folder / SEAL).read_text(encoding="utf-8"))["seconds"])


def newest_usable(run_dir: Path) -> Path | None:
    """The newest state that is sealed and undamaged, and whose best state is so too; None if there is none.

    Newer ones are deleted: the run writes them again.
    """
    for folder in _newest_first(run_dir):
        if _intact(folder) and _intact(best_state(folder)):
            return folder
        shutil.rmtree(folder)
    return None


def best_state(folder: Path) -> Path:
    """The saved state with the best validation figure known at ``folder``; ``folder`` itself before any evaluation."""
    state = json.loads((folder / "trainer_state.json").read_text(encoding="utf-8"))
    return folder.with_name(f"{PREFIX}{state['best_global_step'] or _step(folder)}")


def prune(run_dir: Path) -> None:
    """Deletes all but the two newest states (one is the spare of the other) and their best ones."""
    states = _newest_first(run_dir)
    sealed = [state for state in states if (state / SEAL).is_file()]
    kept = {path for state in sealed[:2] for path in (state, best_state(state))}
    for folder in states:
        if folder not in kept:
            (folder / SEAL).unlink(missing_ok=True)  # first, so that no half-deleted folder looks complete
            shutil.rmtree(folder)


def _newest_first(run_dir: Path) -> list[Path]:
    folders = [path for path in run_dir.glob(f"{PREFIX}*") if path.is_dir()]
    return sorted(folders, key=_step, reverse=True)


def _step(folder: Path) -> int:
    return int(folder.name.removeprefix(PREFIX))


def _intact(folder: Path) -> bool:
    try:
        files = json.loads((folder / SEAL).read_text(encoding="utf-8"))["files"]
        return all(sha256(folder / name) == digest for name, digest in files.items())
    except (OSError, ValueError, KeyError):  # no seal, an unreadable one, or a missing file
        return False
