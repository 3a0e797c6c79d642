"""The cloud's servers in one folder: starts them in parallel, stops them, shows them."""

from __future__ import annotations

import fcntl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sentiment.errors import UserError
from stacks import processes
from stacks.addresses import Address, free_port
from stacks.cloud.keys import HOST, PRIVATE, Keys
from stacks.cloud.mlflow import MLflow
from stacks.cloud.postgresql import PostgreSQL, obstacle
from stacks.cloud.s3 import S3
from stacks.cloud.server import BUSY_SECONDS, COMPLETE, MARK, Server
from stacks.cloud.trimmer import Trimmer
from stacks.cloud.zenml import ZenML
from stacks.files import write_whole

PORT_SECONDS = 2.0  # until the threads of a killed server have let go of its port


@dataclass(frozen=True)
class Cloud:
    """The servers and their data in one folder; its file ``env`` holds their addresses and keys.

    Attributes:
        root: The folder.
    """

    root: Path

    @property
    def env_file(self) -> Path:
        """Addresses and keys, as lines ``NAME=value``."""
        return self.root / "env"

    def up(self, say: Callable[[str], None]) -> list[Server]:
        """Starts the servers that do not answer.

        Args:
            say: Receives lines for the user.

        Returns:
            The servers that were started.

        Raises:
            UserError: If one does not start: those that were started are stopped again; data stay.
        """
        with self._locked():
            keys = Keys.read(self._keys_file) or self._new_keys()
            servers = self.servers(keys)
            running = [server for server in servers if self._answers(server)]
            moved = [server for server in servers if server not in running and self._move(server)]
            if moved:  # the others know the old ports
                _stop(running)
                running = []
            keys.write(self._keys_file)
            started = self._start(servers, running, say)
            try:
                self._write_environment(keys, servers)
            except BaseException:
                _stop(started)
                raise
        return started

    def down(self) -> list[str]:
        """Stops the servers and keeps their data; returns the titles of those that ran."""
        if not self.root.exists():
            return []
        with self._locked():
            keys = Keys.read(self._keys_file)
            ended = _stop(self.servers(keys) if keys else [])
            processes.kill(process for process, _ in processes.find_by_variable(MARK, below=self.root))
        return ended

    def servers(self, keys: Keys | None = None) -> list[Server]:
        """In the order in which they start.

        Raises:
            UserError: If there never were any.
        """
        keys = keys or Keys.read(self._keys_file)
        if keys is None:
            raise UserError("there are no servers", where=str(self.root), remedy="Start them: make cloud-up.")
        kinds: list[type[Server]] = [Trimmer, S3, ZenML, PostgreSQL, MLflow]
        if keys.database == "sqlite":
            kinds.remove(PostgreSQL)
        return [kind(self.root, keys) for kind in kinds]

    @property
    def _keys_file(self) -> Path:
        return self.root / "keys.json"

    def _new_keys(self) -> Keys:
        if any(self.root.glob(f"*/{COMPLETE}")):
            remedy = "Put it back, or remove the folder with all its data, then make cloud-up."
            raise UserError("is gone: it has the keys to the data beside it", where=str(self._keys_file), remedy=remedy)
        return Keys(database="sqlite" if obstacle(self.root) else "postgresql")

    @staticmethod
    def _answers(server: Server) -> bool:
        if server.process() is None:
            return False
        try:
            server.wait(BUSY_SECONDS)
        except UserError:
            return False
        return True

    @staticmethod
    def _move(server: Server) -> bool:
        """Gives a server another port if another process has taken its own meanwhile."""
        if isinstance(server, Trimmer):
            return False
        server.stop(at_once=True)
        deadline = time.monotonic() + PORT_SECONDS
        while Address(HOST, server.port, server.port).used_port() is not None:
            if time.monotonic() > deadline:
                server.keys.ports[server.name] = free_port(set(server.keys.ports.values()))
                return True
            time.sleep(0.05)
        return False

    @staticmethod
    def _start(servers: list[Server], running: list[Server], say: Callable[[str], None]) -> list[Server]:
        started: list[Server] = []
        try:
            for server in servers:
                if server not in running:
                    say(f"starting {server.title}")
                    started.append(server)
                    server.start()
                if isinstance(server, PostgreSQL):
                    server.wait()  # MLflow ends where it finds no database
            for server in started:
                server.wait()
        except BaseException:
            _stop(started)
            raise
        return started

    def _write_environment(self, keys: Keys, servers: list[Server]) -> None:
        if keys.zenml_api_key is None:
            keys.zenml_api_key = next(s.make_api_key() for s in servers if isinstance(s, ZenML))
            keys.write(self._keys_file)
        lines = [f"{name}={value}\n" for name, value in keys.environment().items()]
        write_whole(self.env_file, "# Written by make cloud-up.\n" + "".join(lines), mode=PRIVATE)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Waits until no other process starts or stops them."""
        self.root.mkdir(parents=True, exist_ok=True)
        with (self.root / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def _stop(servers: list[Server]) -> list[str]:
    """Ends them, those first that need others; titles of those of which something ran."""
    return [server.title for server in reversed(servers) if server.stop()]
