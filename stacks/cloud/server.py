"""One server of the cloud: a process that outlives the one that started it, with its data and its log."""

from __future__ import annotations

import os
import shutil
import signal
import time
from abc import ABC, abstractmethod
from collections.abc import Iterable
from http.client import HTTPException
from pathlib import Path
from typing import ClassVar
from urllib.error import HTTPError
from urllib.request import ProxyHandler, Request, build_opener

import psutil

from sentiment.errors import UserError
from stacks import processes
from stacks.cloud.keys import HOST, Keys

LOG = "server.log"
COMPLETE = "complete"  # file in the folder of a server that has answered: there may be data to keep
MARK = "SENTIMENT_CLOUD_SERVER"  # in the environment of every process of a server: its own folder
INHERITED = ("PATH", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "TMPDIR", "TZ")  # settings for others' servers stay outside
QUIET = {"DO_NOT_TRACK": "1", "NO_PROXY": HOST, "PYTHONUNBUFFERED": "1"}
START_SECONDS = 120.0  # until it must answer: the first start makes its database
BUSY_SECONDS = 15.0  # for one that runs already
STOP_SECONDS = 15.0  # for it to finish its requests
POLL_SECONDS = 0.1


class Server(ABC):
    """A server on a port of this machine.

    Attributes:
        name: Of its folder and its port.
        title: Name for users.
        stop_signal: The signal that stops it.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    stop_signal: ClassVar[signal.Signals] = signal.SIGTERM

    def __init__(self, root: Path, keys: Keys) -> None:
        self.keys = keys
        self.folder = root / self.name
        self.log = self.folder / LOG

    @property
    def port(self) -> int:
        """On the loopback address."""
        return self.keys.ports[self.name]

    @property
    def address(self) -> str:
        """Name for users."""
        return self.keys.address(self.name)

    @property
    def data(self) -> Path:
        """All that it keeps."""
        return self.folder / "data"

    @abstractmethod
    def command(self) -> list[str]:
        """Its command; every user of this machine can read it."""

    @abstractmethod
    def environment(self) -> dict[str, str]:
        """Its environment; only its owner can read it."""

    @abstractmethod
    def problem(self) -> str:
        """Why it does not answer; empty if it does."""

    def prepare(self) -> None:
        """Creates the files that it needs before its first start."""
        self.data.mkdir(mode=0o700)

    def process(self) -> psutil.Process | None:
        """Its first process, if it runs."""
        return processes.find_recorded(self.folder / "process.json")

    def start(self) -> None:
        """Starts it, after ending leftovers of a killed one; ``wait`` reports whether it started."""
        self.stop(at_once=True)
        self.folder.mkdir(parents=True, exist_ok=True)
        if not (self.folder / COMPLETE).exists():
            shutil.rmtree(self.data, ignore_errors=True)
            self.prepare()
        if self.log.exists():
            self.log.replace(self.log.with_suffix(".log.1"))
        inherited = {name: os.environ[name] for name in INHERITED if name in os.environ}
        own = {"HOME": str(self.folder), MARK: str(self.folder)}
        processes.spawn(
            self.command(),
            environment={**inherited, **QUIET, **own, **self.environment()},
            folder=self.data,  # not the repository, whose packages would be taken for theirs
            log=self.log,
            record=self.folder / "process.json",
        )

    def wait(self, seconds: float = START_SECONDS) -> None:
        """Waits until it answers.

        Raises:
            UserError: If it ends, or does not answer in time.
        """
        deadline = time.monotonic() + seconds
        while problem := self.problem():
            if self.process() is None:
                raise self.failed(f"ended while it started: {self._last_words()}")
            if time.monotonic() > deadline:
                raise self.failed(f"did not answer within {seconds:g} s ({problem}): {self._last_words()}")
            time.sleep(POLL_SECONDS)
        (self.folder / COMPLETE).touch()

    def stop(self, *, at_once: bool = False) -> bool:
        """Stops it after its requests in flight, or immediately with ``at_once``; returns whether it ran."""
        process = self.process()
        if process is not None and not at_once:
            process.send_signal(self.stop_signal)
            processes.wait_until_ended(process, STOP_SECONDS)
        left = [*filter(None, [self.process()]), *self.left_over()]
        processes.kill(left)
        return process is not None or bool(left)

    def left_over(self) -> Iterable[psutil.Process]:
        """Finds its processes after its first process was killed."""
        return (process for process, _ in processes.find_by_variable(MARK, below=self.folder))

    def failed(self, what: str) -> UserError:
        """The error that names it and its log."""
        return UserError(what, where=f"{self.title}, {self.address}", remedy=f"Its log: {self.log}")

    def _last_words(self) -> str:
        lines = self.log.read_text(encoding="utf-8", errors="replace").split("\n") if self.log.exists() else []
        last = next((line.strip() for line in reversed(lines) if line.strip()), "it printed nothing")
        return last[:300].rstrip(".")


def http_status(url: str, seconds: float = 2.0) -> int | str:
    """Returns the status of a server's answer, ignoring proxies, or the reason why there is none."""
    try:
        with build_opener(ProxyHandler({})).open(Request(url), timeout=seconds) as response:
            return int(response.status)
    except HTTPError as error:
        return error.code
    except (OSError, HTTPException) as error:
        return str(getattr(error, "reason", None) or error)
