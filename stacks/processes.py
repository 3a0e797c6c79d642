"""Processes that outlive the one that started them, known by who they are and not only by their number."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import psutil

from stacks.files import write_whole

KILL_SECONDS = 5.0  # until a killed process is gone
CLOCK_SECONDS = 2.0  # by which the clock may be set while a process runs: its start is counted from the boot


def find_program(name: str) -> str | None:
    """Returns the path of a program; None if it is not installed.

    Debian puts servers such as nginx into folders that are not on a user's PATH.
    """
    return shutil.which(name, path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/usr/local/sbin")


def spawn(
    command: Sequence[str], *, environment: Mapping[str, str], folder: Path, log: Path, record: Path
) -> psutil.Process:
    """Starts a process that goes on when this one ends.

    Args:
        command: The program and its arguments.
        environment: All of its environment.
        folder: Where it runs.
        log: Takes its output; what was there is gone. It may be cut while the process writes to it.
        record: Takes who it is.
    """
    log.write_bytes(b"")
    with log.open("ab") as output:
        process = subprocess.Popen(
            command, env=environment, cwd=folder, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
            start_new_session=True,
        )  # fmt: skip
    known = psutil.Process(process.pid)
    write_whole(record, json.dumps({"pid": known.pid, "created": known.create_time()}))
    return known


def recorded(record: Path) -> psutil.Process | None:
    """The process that ``spawn`` recorded, if it runs; another one that got its number later is not it."""
    try:
        known = json.loads(record.read_text())
        process = psutil.Process(known["pid"])
        same = abs(process.create_time() - known["created"]) < CLOCK_SECONDS
    except (FileNotFoundError, psutil.NoSuchProcess):
        return None
    return process if same and runs(process) else None


def runs(process: psutil.Process) -> bool:
    """Whether a process has not ended; one that nobody has taken note of yet has."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def having(variable: str, *, below: Path) -> Iterator[tuple[psutil.Process, Path]]:
    """Processes whose environment has a path below a folder in a variable, with that path.

    Workers are found by it even where the process that started them was killed.
    """
    for process in psutil.process_iter():
        with suppress(psutil.Error, OSError):  # another user's, or gone in between
            value = process.environ().get(variable)
            if value and Path(value).is_relative_to(below) and runs(process):
                yield process, Path(value)


def in_session(session: int, name: str) -> list[psutil.Process]:
    """Processes of that name in a session; the session's leader may be gone."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error, OSError):
            if os.getsid(process.pid) == session and process.name() == name and runs(process):
                found.append(process)
    return found


def working_in(folder: Path, name: str) -> list[psutil.Process]:
    """Processes of that name whose working directory is a folder."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error, OSError):
            if process.name() == name and Path(process.cwd()) == folder and runs(process):
                found.append(process)
    return found


def lost_a_child(process: psutil.Process) -> bool:
    """Whether a child has ended that the process has not looked after yet."""
    with suppress(psutil.NoSuchProcess):
        return any(not runs(child) for child in process.children())
    return False


def kill(processes: Iterable[psutil.Process]) -> None:
    """Ends processes at once, and waits until they are gone."""
    processes = list(processes)
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    for process in processes:
        ended(process, KILL_SECONDS)


def ended(process: psutil.Process, seconds: float) -> bool:
    """Waits until a process has ended; whether it has."""
    deadline = time.monotonic() + seconds
    while runs(process):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    with suppress(psutil.Error):
        process.wait(timeout=0)  # takes note of it, if it was started here
    return True
