"""BentoML's stores on this machine: a Bento and its model are complete, or absent."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import psutil

from sentiment.errors import UserError

STAGING = ".staging-"  # followed by the id of the process that fills it


def model_tag(tag: str) -> str:
    """Returns the tag of a Bento's model; Bentos that differ only in code share it."""
    return tag.rpartition("-")[0]


def fill(command: Sequence[str], tag: str, *, stdin: str, folder: Path) -> None:
    """Runs a process that builds a Bento and its model in empty stores, then moves both into this machine's stores.

    Each moves atomically, the model first, so a killed process leaves no incomplete Bento.

    Args:
        command: The process.
        tag: The Bento; it replaces one of the same name.
        stdin: The standard input of the process.
        folder: The working directory of the process.

    Raises:
        UserError: If it fails, or builds another Bento.
    """
    with _staging() as staging:
        environment = {**os.environ, "BENTOML_HOME": str(staging)}
        done = subprocess.run(
            command, input=stdin, cwd=folder, env=environment, capture_output=True, text=True, check=False
        )
        if done.returncode:
            reason = (done.stderr.strip().splitlines() or ["no message"])[-1]
            raise UserError(f"cannot be built: {reason}", where=f"Bento {tag}", remedy="See BentoML's message.")
        for path in paths(tag):
            if not (staging / path).is_dir():
                raise UserError(f"cannot be built: there is no {path}", where=f"Bento {tag}", remedy="Deploy again.")
        for path in paths(tag):
            target = home() / path
            target.parent.mkdir(parents=True, exist_ok=True)
            if target.exists():  # moved as late as possible: it may be live, and the build may fail
                target.rename(staging / f"old-{path.parts[0]}")
            (staging / path).rename(target)


def remove(folders: Sequence[Path]) -> None:
    """Removes folders of the stores; each leaves its store atomically, so a killed process leaves no incomplete Bento.

    Also removes what killed processes have left.

    Args:
        folders: Folders of Bentos and models; a Bento before its model.
    """
    with _staging() as staging:
        for number, folder in enumerate(folders):
            folder.rename(staging / f"removed-{number}")


@contextmanager
def _staging() -> Iterator[Path]:
    """Creates a staging folder beside the stores; removes those of killed processes."""
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
    """Returns BentoML's home, which holds the stores of this machine."""
    return Path(os.environ.get("BENTOML_HOME") or Path.home() / "bentoml")


def paths(tag: str) -> tuple[Path, Path]:
    """Returns the paths of the model and the Bento below BentoML's home."""
    return Path("models", *model_tag(tag).split(":")), Path("bentos", *tag.split(":"))
