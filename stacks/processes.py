"""Processes that outlive their parent, identified by number and start time."""

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

KILL_TIMEOUT_S = 5.0  # until a killed process is gone
MAX_CLOCK_CHANGE_S = 2.0  # while a process runs: its start time is counted from the boot


def find_program(name: str) -> str | None:
    """Returns the path of a program; None if it is not installed.

    Debian puts servers such as nginx into folders that are not on a user's PATH.
    """
    return shutil.which(name, path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/usr/local/sbin")


def spawn(
    command: Sequence[str], *, environment: Mapping[str, str], folder: Path, log: Path, record: Path
) -> psutil.Process:
    """Starts a process that outlives this one.

    Args:
        command: The program and its arguments.
        environment: All of its environment.
        folder: Its working directory.
        log: File for its output, replaced. It may be truncated while the process writes to it.
        record: File that identifies the process.
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


def find_recorded(record: Path) -> psutil.Process | None:
    """Returns the process that ``spawn`` recorded, if it runs; a later process with its number does not count."""
    try:
        known = json.loads(record.read_text())
        process = psutil.Process(known["pid"])
        same = abs(process.create_time() - known["created"]) < MAX_CLOCK_CHANGE_S
    except (FileNotFoundError, psutil.NoSuchProcess):
        return None
    return process if same and is_running(process) else None


def is_running(process: psutil.Process) -> bool:
    """Whether a process has not ended; a zombie has."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def find_by_variable(variable: str, *, below: Path) -> Iterator[tuple[psutil.Process, Path]]:
    """Yields processes whose environment has a path below a folder in a variable, with that path.

    This finds workers even if their parent was killed.
    """
    for process in psutil.process_iter():
        with suppress(psutil.Error, OSError):  # another user's, or gone in between
            value = process.environ().get(variable)
            if value and Path(value).is_relative_to(below) and is_running(process):
                yield process, Path(value)


def find_in_session(session: int, name: str) -> list[psutil.Process]:
    """Finds processes of that name in a session; the session's leader may be gone."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error, OSError):
            if os.getsid(process.pid) == session and process.name() == name and is_running(process):
                found.append(process)
    return found


def find_in_folder(folder: Path, name: str) -> list[psutil.Process]:
    """Finds processes of that name whose working directory is a folder."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error, OSError):
            if process.name() == name and Path(process.cwd()) == folder and is_running(process):
                found.append(process)
    return found


def has_dead_child(process: psutil.Process) -> bool:
    """Whether a child has ended and was not replaced yet."""
    with suppress(psutil.NoSuchProcess):
        return any(not is_running(child) for child in process.children())
    return False


def kill(processes: Iterable[psutil.Process]) -> None:
    """Kills processes, and waits until they are gone."""
    processes = list(processes)
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    for process in processes:
        wait_until_ended(process, KILL_TIMEOUT_S)


def wait_until_ended(process: psutil.Process, seconds: float) -> bool:
    """Waits until a process has ended; returns whether it has."""
    deadline = time.monotonic() + seconds
    while is_running(process):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    with suppress(psutil.Error):
        process.wait(timeout=0)  # reaps it, if it is our child
    return True
