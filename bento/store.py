"""BentoML's stores on this machine: a Bento and its model are there as a whole, or not at all."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import psutil

from sentiment.errors import UserError

STAGING = ".staging-"  # with the process that fills it


def model_tag(tag: str) -> str:
    """The model of a Bento; where only the code differs, it is the same."""
    return tag.rpartition("-")[0]


def is_here(tag: str) -> bool:
    """Whether a Bento and its model are in the stores on this machine."""
    return all((home() / path).is_dir() for path in paths(tag))


def fill(command: Sequence[str], tag: str, *, words: str = "", folder: Path | None = None, anew: bool = False) -> None:
    """Lets a process put a Bento and its model into empty stores; both then move to those of this machine.

    Each moves as a whole, the model first: whoever is killed leaves no half of a Bento that would be served.

    Args:
        command: The process.
        tag: The Bento.
        words: What the process reads.
        folder: Where it runs.
        anew: Whether it takes the place of what is there of the same name.

    Raises:
        UserError: If it fails, or makes another Bento.
    """
    with _staging() as staging:
        _run(command, tag, words=words, folder=folder, environment={**os.environ, "BENTOML_HOME": str(staging)})
        for path in paths(tag):
            if not (staging / path).is_dir():
                raise UserError(f"cannot be made: there is no {path}", where=f"Bento {tag}", remedy="Deploy again.")
        for path in paths(tag):
            target = home() / path
            target.parent.mkdir(parents=True, exist_ok=True)
            if anew and target.exists():
                target.rename(staging / f"old-{path.parts[0]}")  # and not before: it may be live, and this may fail
            if not target.exists():
                (staging / path).rename(target)


def export(tag: str, path: Path) -> None:
    """Writes a Bento of this machine with its model into one file; how it is packed goes by the file's name.

    Raises:
        UserError: If it cannot.
    """
    _, here = paths(tag)
    shutil.rmtree(home() / here / "models", ignore_errors=True)  # of an export that was killed: it may be half a model
    _run([sys.executable, "-m", "bentoml", "export", tag, str(path)], tag)


def _run(
    command: Sequence[str],
    tag: str,
    *,
    words: str = "",
    folder: Path | None = None,
    environment: Mapping[str, str] | None = None,
) -> None:
    done = subprocess.run(
        command, input=words, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise UserError(f"cannot be made: {reason}", where=f"Bento {tag}", remedy="See BentoML's message.")


@contextmanager
def _staging() -> Iterator[Path]:
    """A folder beside the stores, with this process in its name; those of processes that were killed are removed."""
    own = home() / f"{STAGING}{os.getpid()}"
    for left in home().glob(f"{STAGING}*"):
        if left == own or not psutil.pid_exists(int(left.name.removeprefix(STAGING))):
            shutil.rmtree(left, ignore_errors=True)
    own.mkdir(parents=True)
    try:
        yield own
    finally:
        shutil.rmtree(own)


def home() -> Path:
    """BentoML's home, with the stores of this machine."""
    return Path(os.environ.get("BENTOML_HOME") or Path.home() / "bentoml")


def paths(tag: str) -> tuple[Path, Path]:
    """Of the model and of the Bento, in BentoML's home."""
    return Path("models", *model_tag(tag).split(":")), Path("bentos", *tag.split(":"))
