"""A Bento served by its own processes on this machine, as a service of ZenML."""

from __future__ import annotations

import os
import re
import shutil
import signal
import sys
import time
from collections import deque
from collections.abc import Generator
from pathlib import Path
from urllib.parse import quote
from uuid import UUID

import psutil
from pydantic import Field, ValidationError
from zenml.enums import ServiceState
from zenml.models.v2.misc.service import ServiceType
from zenml.services.service import BaseDeploymentService, ServiceConfig
from zenml.services.service_status import ServiceStatus

from sentiment.deployment import Bento
from sentiment.errors import UserError
from sentiment.monitoring.prediction_log import GATHER_S
from stacks import processes
from stacks.addresses import Address
from stacks.files import write_whole

POLL_S = 0.1
KILL_AFTER_S = 5.0  # after its time to drain
STATE = "SENTIMENT_STATE"  # in the environment of every process of a service: the service's folder
RAISED = re.compile(r"[\w.]*(Error|Exception|Exit)\b.*")  # last line of a traceback
SERVICES = "services"  # folder with one folder a service
# Environment variables that the service inherits: an allow-list, so that cloud credentials do not leak.
INHERITED = (
    "PATH", "HOME", "USER", "LOGNAME", "LANG", "LANGUAGE", "TZ", "TMPDIR", "LD_LIBRARY_PATH", "LD_PRELOAD",
    "CUDA_VISIBLE_DEVICES", "DO_NOT_TRACK",
)  # fmt: skip
INHERITED_PREFIXES = (
    "LC_", "PYTHON", "BENTOML_", "OMP_", "OPENBLAS_", "MKL_", "MALLOC_", "TOKENIZERS_",
    "OTEL_",  # also the header for the collector, which only the service that exports spans needs
)  # fmt: skip


class NotStartedError(UserError):
    """A service ended while it started, or did not answer in time; it was removed."""


class BentoServiceConfig(ServiceConfig):
    """Configures how a Bento is served; a later process can start it again from this.

    Attributes:
        bento: The Bento that is served.
        root: Folder of the deployer.
        created: When the service was created, ISO 8601 in UTC.
        host: IPv4 address that it listens on.
        http_port: Port for HTTP.
        grpc_port: Port for gRPC.
        tls_certificate: Certificate (PEM) if it speaks TLS itself.
        tls_key: Its private key (PEM).
        drain_seconds: Time to finish its requests when it is stopped.
        start_timeout: Seconds until it must answer.
        settings: Identity of the deployer's settings when it was started.
        environment: The service's settings; secrets only by the file that holds them.
    """

    bento: Bento
    root: str
    created: str
    host: str = "127.0.0.1"
    http_port: int
    grpc_port: int
    tls_certificate: str | None = None
    tls_key: str | None = None
    drain_seconds: int = 20
    start_timeout: int = 60
    settings: str = ""
    environment: dict[str, str]


class BentoService(BaseDeploymentService):
    """One service: BentoML's arbiter and its workers.

    Attributes:
        config: How it is served.
    """

    SERVICE_TYPE = ServiceType(
        name="sentiment-bento",
        type="model-serving",
        flavor="sentiment_bento",
        description="A Bento over HTTP and gRPC, on this machine",
    )

    config: BentoServiceConfig
    status: ServiceStatus = Field(default_factory=ServiceStatus)

    @classmethod
    def read(cls, root: Path, identifier: UUID) -> BentoService | None:
        """Reads a service; None if its file is gone, or an incompatible version of this project wrote it."""
        try:
            text = (root / SERVICES / str(identifier) / "service.json").read_text(encoding="utf-8")
            return cls(uuid=identifier, config=BentoServiceConfig.model_validate_json(text))
        except (FileNotFoundError, ValidationError):
            return None

    @property
    def bento(self) -> Bento:
        """The Bento that is served."""
        return self.config.bento

    @property
    def folder(self) -> Path:
        """The folder of its files; it is removed with the service."""
        return Path(self.config.root) / SERVICES / str(self.uuid)

    @property
    def log_file(self) -> Path:
        """The output of its processes, since they were last started."""
        return self.folder / "service.log"

    @property
    def prediction_log(self) -> Path:
        """Folder of its prediction log: its own until ``share_log`` is called."""
        return self.folder / "log"

    @property
    def address(self) -> Address:
        """Its own address, not the live one."""
        c = self.config
        return Address(c.host, c.http_port, c.grpc_port, Path(c.tls_certificate) if c.tls_certificate else None)

    @property
    def http_address(self) -> str:
        """E.g. ``http://127.0.0.1:20123``."""
        return self.address.http

    @property
    def grpc_address(self) -> str:
        """E.g. ``127.0.0.1:20124``."""
        return self.address.grpc

    @property
    def prediction_url(self) -> str:
        """The URL for predictions that ZenML shows."""
        return f"{self.http_address}/v1/predict"

    @property
    def healthcheck_url(self) -> str:
        """The URL for health checks that ZenML shows."""
        return f"{self.http_address}/readyz"

    def get_healthcheck_url(self) -> str:
        """Returns ``healthcheck_url``, by the name that ZenML calls."""
        return self.healthcheck_url

    def process(self) -> psutil.Process | None:
        """BentoML's arbiter, if it runs."""
        return processes.find_recorded(self.folder / "process.json")

    def save(self) -> None:
        """Writes the file that ``read`` reads."""
        self.folder.mkdir(parents=True, exist_ok=True)
        write_whole(self.folder / "service.json", self.config.model_dump_json(indent=2))

    def share_log(self) -> None:
        """Redirects its prediction log to the model's shared folder, without the requests of its tests.

        Its workers write through a link, and open new files once the old ones are gone.
        """
        shared = Path(self.config.root) / "predictions" / quote(self.bento.model, safe="")
        shared.mkdir(parents=True, exist_ok=True)
        if self.prediction_log.is_symlink() and self.prediction_log.readlink() == shared:
            return
        own = self.prediction_log.readlink() if self.prediction_log.is_symlink() else None
        time.sleep(2 * GATHER_S)  # until the last requests are written
        self._link_log(shared)
        if own is not None:
            shutil.rmtree(own)

    def _link_log(self, folder: Path) -> None:
        new = self.folder / ".log"
        new.unlink(missing_ok=True)
        new.symlink_to(folder)
        new.replace(self.prediction_log)

    def launch(self) -> None:
        """Starts it, and waits until it answers over both protocols.

        Raises:
            NotStartedError: If it does not answer in time, or ends; no process is left then.
            UserError: If one of its ports is in use.
        """
        self.save()
        port = self.address.used_port()
        if port is not None:
            raise UserError(
                f"port {port} is in use", where=f"Bento {self.bento.tag}", remedy="Stop what listens there."
            )
        if not self.prediction_log.is_symlink():
            own = self.folder / "before-traffic"
            own.mkdir(exist_ok=True)
            self._link_log(own)
        processes.spawn(
            self._command(),
            environment=self._environment(),
            folder=self.folder,  # not the repository: Python would import its code instead of the Bento's
            log=self.log_file,
            record=self.folder / "process.json",
        )
        try:
            self._wait()
        except BaseException:
            self.terminate(at_once=True)
            raise

    def _command(self) -> list[str]:
        c = self.config
        command = [sys.executable, "-m", "bentoml", "serve", self.bento.tag, "--host", c.host]
        command += ["--port", str(c.http_port), "--timeout-graceful-shutdown", str(c.drain_seconds)]
        if c.tls_certificate and c.tls_key:
            command += ["--ssl-certfile", c.tls_certificate, "--ssl-keyfile", c.tls_key]
        return command

    def _environment(self) -> dict[str, str]:
        c = self.config
        names = [n for n in os.environ if n in INHERITED or n.startswith(INHERITED_PREFIXES)]
        inherited = {name: os.environ[name] for name in names}
        own = {
            STATE: str(self.folder / "state"),
            "SENTIMENT_LOG": str(self.prediction_log),
            "SENTIMENT_HOST": c.host,
            "SENTIMENT_GRPC_PORT": str(c.grpc_port),
            "SENTIMENT_TLS_CERTIFICATE": c.tls_certificate or "",
            "SENTIMENT_TLS_KEY": c.tls_key or "",
        }
        return {**inherited, **own, **c.environment}

    def _wait(self) -> None:
        deadline = time.monotonic() + self.config.start_timeout
        while problem := self._problem():
            process = self.process()
            if process is None:
                raise self._failed("ended while it started")
            if processes.has_dead_child(process):
                raise self._failed("a worker ended while it started")  # BentoML would restart it forever
            if time.monotonic() > deadline:
                raise self._failed(f"did not answer within {self.config.start_timeout} s ({problem})")
            time.sleep(POLL_S)

    def _problem(self) -> str:
        return "no process" if self.process() is None else self.address.problem()

    def _failed(self, what: str) -> NotStartedError:
        """Keeps the log, and quotes its most informative lines."""
        kept = Path(self.config.root) / "failed.log"
        shutil.copyfile(self.log_file, kept)
        last = deque((line.strip() for line in kept.open(encoding="utf-8", errors="replace") if line.strip()), 200)
        raised = [line for line in last if RAISED.fullmatch(line)]
        reason = raised[-1] if raised else " / ".join(list(last)[-3:]) or "it printed no output"
        return NotStartedError(
            f"{what}: {reason[:500].rstrip('.')}", where=f"Bento {self.bento.tag}", remedy=f"Its log: {kept}"
        )

    def terminate(self, *, at_once: bool = False) -> None:
        """Ends it after its requests in flight, or immediately with ``at_once``; returns when no process is left."""
        process = self.process()
        if process is not None and not at_once:
            process.send_signal(signal.SIGTERM)
            processes.wait_until_ended(process, self.config.drain_seconds + KILL_AFTER_S)
        if (process := self.process()) is not None:
            processes.kill([process])  # first: it would restart its workers
        processes.kill(found for found, _ in processes.find_by_variable(STATE, below=self.folder))

    def check_status(self) -> tuple[ServiceState, str]:
        """Returns the actual state, for ZenML, not the requested one."""
        if self.process() is None:
            asked = self.admin_state == ServiceState.ACTIVE
            return (ServiceState.ERROR, "its process is gone") if asked else (ServiceState.INACTIVE, "")
        problem = self.address.problem()
        return (ServiceState.ERROR, problem) if problem else (ServiceState.ACTIVE, "")

    def provision(self) -> None:
        """Starts it for ZenML."""
        if self.process() is None:
            self.launch()

    def deprovision(self, force: bool = False) -> None:
        """Ends it for ZenML."""
        self.terminate(at_once=force)

    def get_logs(self, follow: bool = False, tail: int | None = None) -> Generator[str, bool, None]:
        """Yields lines of its log, for ZenML.

        Args:
            follow: Whether to wait for further lines.
            tail: Number of last lines to begin with; None: all.
        """
        if not self.log_file.exists():
            return
        with self.log_file.open(encoding="utf-8", errors="replace") as log:
            yield from (line.rstrip("\n") for line in deque(log, tail))
            while follow:
                line = log.readline()
                if line:
                    yield line.rstrip("\n")
                else:
                    time.sleep(0.5)
