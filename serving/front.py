"""The front: nginx at the live address, so that a switch to a new service loses no request."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from sentiment.errors import UserError
from serving.nginx import CLOSING, Route, render
from stacks import processes
from stacks.files import write_whole

if TYPE_CHECKING:
    from serving.deployer_config import BentoDeployerConfig

START_TIMEOUT_S = 5.0  # also for a reload
CLOSING_S = 1.0  # busy clients see their connection end within this time, and open another
WHERE = "front (nginx)"


class Front:
    """One nginx process with its own folder; it outlives this process."""

    def __init__(self, folder: Path, config: BentoDeployerConfig) -> None:
        """Changes nothing yet.

        Args:
            folder: The folder of all files that nginx writes.
            config: The deployer's configuration.
        """
        self._folder, self._config = folder, config
        self._file, self._applied, self._pid = folder / "nginx.conf", folder / "applied", folder / "nginx.pid"

    def master(self) -> psutil.Process | None:
        """Returns nginx's master process, if it runs."""
        try:
            process = psutil.Process(int(self._pid.read_text()))
            return process if str(self._file) in " ".join(process.cmdline()) and processes.is_running(process) else None
        except (FileNotFoundError, ValueError, psutil.NoSuchProcess, psutil.AccessDenied):
            return None

    def apply(self, route: Route) -> None:
        """Applies a route, unless it is applied already; returns when the former service gets no more requests.

        Raises:
            UserError: If nginx refuses it; nothing has changed then.
        """
        text = render(self._folder, self._config, route)
        running = self.master() is not None
        if running and self._applied.exists() and self._applied.read_text(encoding="utf-8") == text:
            return
        before = self._file.read_text(encoding="utf-8") if self._file.exists() else None
        self._check(text)
        self._applied.unlink(missing_ok=True)
        write_whole(self._file, text)
        try:
            if running:
                self._reload()
            else:
                self._start()
        except UserError:
            if before is not None:
                write_whole(self._file, before)
            raise
        write_whole(self._applied, text)

    def stop(self) -> bool:
        """Stops nginx after the requests in flight; returns whether there was anything to stop."""
        session = self._session()
        master = self.master()
        if master is not None:
            master.send_signal(signal.SIGQUIT)
            processes.wait_until_ended(master, self._config.drain_seconds + START_TIMEOUT_S)
        left = processes.find_in_session(session, "nginx") if session else []
        processes.kill(left)
        self._pid.unlink(missing_ok=True)
        self._applied.unlink(missing_ok=True)
        return master is not None or bool(left)

    def _check(self, text: str) -> None:
        """Lets nginx check a configuration before it is used."""
        (self._folder / "temp").mkdir(parents=True, exist_ok=True)
        new = self._folder / "new.conf"
        write_whole(new, text)
        done = self._nginx("-t", "-c", str(new))
        if done.returncode:
            raise _refused(done.stderr)
        new.unlink()

    def _start(self) -> None:
        self._end_orphans()
        port = self._config.live_address.used_port()
        if port is not None:
            raise UserError(
                f"port {port} is in use",
                where="live address",
                remedy="Stop what listens there, or give the model deployer another port in the stack file.",
            )
        self._closing.unlink(missing_ok=True)
        done = self._nginx("-c", str(self._file))
        if done.returncode:
            raise _refused(done.stderr)
        self._until(lambda: self.master() is not None, START_TIMEOUT_S, "does not start")

    def _reload(self) -> None:
        """Reloads the configuration: new workers take over.

        Nginx 1.22 closes idle connections even if a request has just arrived on one. So connections are closed with
        their next response first (``Connection: close``): then no connection in use is idle.
        """
        master = self.master()
        if master is None:
            raise UserError("nginx has just ended", where=WHERE, remedy="Try again.")
        old = set(master.children())
        drain = self._config.drain_seconds + START_TIMEOUT_S
        self._closing.touch()
        try:
            time.sleep(CLOSING_S)
            master.send_signal(signal.SIGHUP)
            self._until(lambda: set(master.children()) - old, START_TIMEOUT_S, "does not take its configuration")
            self._until(lambda: not set(master.children()) & old, drain, "does not end its former workers")
        finally:
            self._closing.unlink(missing_ok=True)

    def _end_orphans(self) -> None:
        """Ends the workers of a killed master: they finish their requests and release the ports."""
        session = self._session()
        orphans = processes.find_in_session(session, "nginx") if session and self.master() is None else []
        for orphan in orphans:
            orphan.send_signal(signal.SIGQUIT)
        deadline = time.monotonic() + START_TIMEOUT_S
        while orphans and self._config.live_address.used_port() and time.monotonic() < deadline:
            time.sleep(0.02)

    def _session(self) -> int | None:
        """Returns the process session of the last master and its workers."""
        try:
            return int(self._pid.read_text())
        except (FileNotFoundError, ValueError):
            return None

    @property
    def _closing(self) -> Path:
        return self._folder / CLOSING

    def _nginx(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        program = processes.find_program("nginx") or "nginx"
        command = [program, "-p", str(self._folder), "-e", str(self._folder / "error.log")]
        # into a file: the daemon keeps its output open, so a pipe would never end
        with (self._folder / "output").open("w+", encoding="utf-8") as output:
            done = subprocess.run(
                [*command, *arguments], stdin=subprocess.DEVNULL, stdout=output, stderr=output, check=False
            )
            output.seek(0)
            return subprocess.CompletedProcess(done.args, done.returncode, "", output.read())

    def _until(self, condition: Callable[[], object], seconds: float, otherwise: str) -> None:
        deadline = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > deadline:
                raise UserError(otherwise, where=WHERE, remedy=f"See {self._folder / 'error.log'}.")
            time.sleep(0.02)


def _refused(output: str) -> UserError:
    lines = [line for line in output.splitlines() if "[emerg]" in line] or output.splitlines() or ["no message"]
    return UserError(f"does not start: {lines[0].strip()}", where=WHERE, remedy="See configs/stacks.")
