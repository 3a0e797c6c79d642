"""MLflow's database: a separate PostgreSQL cluster, from Debian's package."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Iterable
from pathlib import Path

import psutil

from sentiment.errors import UserError
from stacks import processes
from stacks.cloud.keys import HOST, PRIVATE
from stacks.cloud.server import Server
from stacks.files import write_whole

USER = "mlflow"
DATABASE = "mlflow"


class PostgreSQL(Server):
    """A cluster with one user and one database, on the loopback address only."""

    name = "postgresql"
    title = "PostgreSQL"
    stop_signal = signal.SIGINT  # ends connections; SIGTERM would wait for them

    @property
    def address(self) -> str:
        """See ``Server``."""
        return f"postgresql://{HOST}:{self.port}"

    @property
    def uri(self) -> str:
        """With the password."""
        return f"postgresql://{USER}:{self.keys.database_password}@{HOST}:{self.port}/{DATABASE}"

    def prepare(self) -> None:
        """Makes the cluster and the database."""
        super().prepare()
        secret = self.folder / "password"
        write_whole(secret, self.keys.database_password, mode=PRIVATE)
        if os.geteuid() == 0:
            for path in (secret, self.data):
                shutil.chown(path, "postgres", "postgres")
        try:
            self._run("initdb", "--username", USER, "--pwfile", str(secret), "--auth", "scram-sha-256",
                      "--encoding", "UTF8", "--no-locale", "--no-sync", "--pgdata", str(self.data))  # fmt: skip
            self._run("postgres", "--single", "-D", str(self.data), "postgres", words=f"CREATE DATABASE {DATABASE};\n")
        finally:
            secret.unlink()

    def start(self) -> None:
        """See ``Server``."""
        self.stop(at_once=True)
        (self.data / "postmaster.pid").unlink(missing_ok=True)  # no process is left; another one may have that number
        super().start()

    def command(self) -> list[str]:
        """See ``Server``."""
        settings = {
            "port": str(self.port),
            "listen_addresses": HOST,
            "unix_socket_directories": "",  # the path may be too long for one
            "log_min_error_statement": "panic",  # otherwise statements with logged values are in the log
            "max_connections": "60",
            "shared_buffers": "64MB",
        }
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        made_by = self.data / "PG_VERSION"
        version = made_by.read_text().strip() if made_by.exists() else "*"
        return [*_as_postgres(), str(program("postgres", version)), "-D", str(self.data), *options]

    def environment(self) -> dict[str, str]:
        """See ``Server``."""
        return {}

    def problem(self) -> str:
        """See ``Server``."""
        import psycopg2

        try:
            psycopg2.connect(self.uri, connect_timeout=2).close()
        except psycopg2.OperationalError as error:
            return str(error).strip().replace("\n", " ")
        return ""

    def left_over(self) -> Iterable[psutil.Process]:
        """See ``Server``; its processes overwrite their environment, and work in its data."""
        return processes.find_in_folder(self.data, "postgres")

    def _run(self, name: str, *arguments: str, words: str = "") -> None:
        command = [*_as_postgres(), str(program(name)), *arguments]
        done = subprocess.run(command, input=words, capture_output=True, text=True, check=False, cwd=self.data)
        if done.returncode:
            message = (done.stderr.strip() or done.stdout.strip() or "it printed nothing").splitlines()[-1]
            raise UserError(f"{name} failed: {message}", where=self.title, remedy="See PostgreSQL's message.")


def program(name: str, version: str = "*") -> Path | None:
    """One of PostgreSQL's programs, of the newest version that is installed; Debian keeps them off the PATH.

    Args:
        name: Of the program.
        version: Other versions cannot read its data; ``*``: any.
    """
    folders = sorted(Path("/usr/lib/postgresql").glob(f"{version}/bin"), key=lambda folder: float(folder.parent.name))
    found = shutil.which(name, path=os.pathsep.join([*map(str, reversed(folders)), os.environ.get("PATH", "")]))
    return Path(found) if found else None


def obstacle(folder: Path) -> str:
    """Why PostgreSQL cannot keep its data below a folder here; empty if it can."""
    found = program("postgres")
    if found is None:
        return "it is not installed"
    try:
        subprocess.run([*_as_postgres(), str(found), "--version"], cwd=folder, capture_output=True, check=True)
        subprocess.run([*_as_postgres(), "test", "-x", str(folder)], check=True)
    except (OSError, subprocess.CalledProcessError):
        return f"root may not run it, and its user postgres cannot reach {folder}"
    return ""


def _as_postgres() -> list[str]:
    """PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return []
    return ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups"]
