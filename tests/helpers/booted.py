"""A built Bento, served by its own process."""

import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from bento.client import GrpcClient, HttpClient
from tests.helpers.loopback import free_ports, until


@dataclass
class Booted:
    process: subprocess.Popen
    http_port: int
    grpc_port: int
    folder: Path

    @property
    def http(self):
        return f"http://127.0.0.1:{self.http_port}"

    @property
    def grpc(self):
        return f"127.0.0.1:{self.grpc_port}"

    @property
    def output(self):
        return (self.folder / "output.log").read_text()

    def workers(self):
        import psutil

        alive = [
            child
            for child in psutil.Process(self.process.pid).children(recursive=True)
            if child.status() != psutil.STATUS_ZOMBIE
        ]
        return [child for child in alive if "_bentoml_impl.worker.service" in " ".join(child.cmdline())]

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=30)

    def kill(self):
        """Kills all processes: workers survive a killed arbiter, and an arbiter starts new ones."""
        workers = self.workers() if self.process.poll() is None else []
        self.process.kill()
        self.process.wait(timeout=30)
        for worker in workers:
            worker.kill()


def boot(tag, folder, *, wait=True, arguments=(), **settings):
    """Serves ``tag``; settings become the service's environment. Returns once both protocols answer."""
    folder.mkdir(parents=True, exist_ok=True)
    http_port, grpc_port = free_ports(2)
    ports = {"http_port": settings.pop("http_port", http_port), "grpc_port": settings.pop("grpc_port", grpc_port)}
    own = {"grpc_port": ports["grpc_port"], "state": folder / "state", "workers": 1, **settings}
    environment = os.environ | {f"SENTIMENT_{name}".upper(): str(value) for name, value in own.items()}
    command = [sys.executable, "-m", "bentoml", "serve", tag, "--host", "127.0.0.1", "--port", str(ports["http_port"])]
    with (folder / "output.log").open("w") as output:
        process = subprocess.Popen(
            [*command, "--timeout-graceful-shutdown", "20", *arguments],
            env=environment, cwd=folder, stdout=output, stderr=subprocess.STDOUT,
        )  # fmt: skip
    booted = Booted(process, folder=folder, **ports)
    if wait:
        try:
            until(lambda: ready(booted) or process.poll() is not None)
            assert process.poll() is None, booted.output
        except BaseException:
            booted.kill()
            raise
    return booted


def ready(booted):
    with HttpClient(booted.http, retries=0) as http, GrpcClient(booted.grpc, retries=0) as grpc:
        return http.ready() and grpc.ready()
