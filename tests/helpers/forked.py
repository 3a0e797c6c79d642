"""Processes forked from one that has imported the libraries, which takes twenty seconds of a core.

There is one such server for each process that runs tests. It starts with the first fork, and ends with that process.
"""

import multiprocessing
import os
from collections.abc import Callable, Mapping
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import NamedTuple

SERVER = multiprocessing.get_context("forkserver")
SERVER.set_forkserver_preload(
    ["zenml.pipelines", "mlflow.pyfunc", "great_expectations", "transformers.trainer",
     "transformers.models.bert.modeling_bert", "sklearn.linear_model", "matplotlib.figure"]
)  # fmt: skip


class Forked(NamedTuple):
    """A process, and the folder with its output."""

    process: BaseProcess
    folder: Path

    @property
    def code(self) -> int:
        """Waits for the end; returns the exit code."""
        self.process.join()
        return self.process.exitcode

    @property
    def out(self) -> str:
        """Its output so far."""
        return self._read("out")

    @property
    def err(self) -> str:
        return self._read("err")

    def _read(self, name: str) -> str:
        file = self.folder / f"{self.process.pid}.{name}"
        return file.read_text() if file.exists() else ""


def start(work: Callable[..., object], *arguments: object, folder: Path, env: Mapping[str, str] = os.environ) -> Forked:
    """Calls ``work`` in a new process; its result is the exit code. Its output goes to files in ``folder``."""
    process = SERVER.Process(target=_main, args=(work, arguments, folder, dict(env)))
    process.start()
    return Forked(process, folder)


def _main(work: Callable[..., object], arguments: tuple[object, ...], folder: Path, env: dict[str, str]) -> None:
    for number, name in {1: "out", 2: "err"}.items():
        os.dup2(os.open(folder / f"{os.getpid()}.{name}", os.O_WRONLY | os.O_CREAT | os.O_TRUNC), number)
    os.environ.clear()
    os.environ.update(env)
    raise SystemExit(work(*arguments))
