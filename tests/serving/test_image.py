"""The image: built from the Bento, inspected, run with its own settings, and called over both protocols."""

import json
import os
import signal
import subprocess
from dataclasses import dataclass

import httpx
import psutil
import pytest

from bento.client import GrpcClient, HttpClient
from sentiment.errors import UserError
from sentiment.models import Classifier
from serving import image
from tests.helpers.containers import buildah
from tests.helpers.loopback import free_ports, until

USER = 1034
LIGHT = ["--env=SENTIMENT_WORKERS=1", "--env=SENTIMENT_LOG="]
MODEL_MB = 140  # size of the default model's servable; that of the tests is tiny
TEXTS = ["a lovely film with a superb ending", "a dull plot and a tedious actor"]
TOOLS = ["gcc", "cc", "g++", "make", "ld", "git", "curl", "apt-get", "dpkg", "perl", "pip", "pip3", "uv"]
MODULES = [
    "pip",
    "uv",
    "setuptools",
    "ensurepip",
    "torch",
    "transformers",
    "zenml",
    "mlflow",
    "pandas",
    "huggingface_hub",
]
LOOK = f"""
import importlib.util, json, os, shutil
device, size = os.lstat("/").st_dev, 0
for folder, folders, files in os.walk("/"):
    folders[:] = [f for f in folders if os.lstat(os.path.join(folder, f)).st_dev == device]
    size += sum(os.lstat(os.path.join(folder, f)).st_size for f in files)
print(json.dumps({{
    "megabytes": size / 1e6,
    "user": [os.getuid(), os.getgid()],
    "writable": [f for f in ("/", "/usr", "/opt/sentiment", os.getcwd(), "/data") if os.access(f, os.W_OK)],
    "tools": [tool for tool in {TOOLS} if shutil.which(tool)],
    "modules": [module for module in {MODULES} if importlib.util.find_spec(module)],
    "log": [os.stat(os.path.join("/data", f)).st_size for f in os.listdir("/data")],
}}))
"""


def program(folder, name, code=0):
    """Writes a stand-in program."""
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(f"#!/bin/sh\nexit {code}\n")
    (folder / name).chmod(0o755)


def test_docker_builds_if_its_daemon_runs_otherwise_buildah(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UserError, match="neither a Docker daemon nor buildah"):
        image.find_engine()
    program(tmp_path, "docker", code=1)  # installed without a running daemon
    with pytest.raises(UserError, match="install buildah"):
        image.find_engine()
    program(tmp_path, "buildah")
    assert image.find_engine() == image.BUILDAH
    program(tmp_path, "docker")
    assert image.find_engine() == image.DOCKER


def test_a_bento_that_is_not_there_is_one_line(tmp_path, monkeypatch, capsys):
    program(tmp_path, "buildah")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert image.main(["--bento", "sentiment:v404-none"]) == 2
    assert "error: Bento sentiment:v404-none: " in (error := capsys.readouterr().err)
    assert error.count("\n") == 1
    assert "make deploy" in error


@pytest.mark.slow
def test_nothing_live_is_one_line(tmp_path, monkeypatch, capsys):
    program(tmp_path, "buildah")
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setenv("ZENML_ACTIVE_STACK_ID", "")  # restored after the test
    assert image.main([]) == 2
    assert "there is no live service. Run make deploy, or name one" in capsys.readouterr().err.splitlines()[-1]


@dataclass
class Container:
    """A container of the image that serves."""

    engine: image.Engine
    name: str
    config: dict
    http_port: int
    grpc_port: int
    process: subprocess.Popen

    def run(self, *command):
        inside = "exec" if self.engine == image.DOCKER else "run --isolation chroot"
        ports = self.environment(self.http_port, self.grpc_port)
        end = [self.name] if self.engine == image.DOCKER else [self.name, "--"]
        return subprocess.run(
            [*self.engine.command, *inside.split(), *ports, *end, *command], capture_output=True, text=True, check=False
        )

    @staticmethod
    def environment(http_port, grpc_port):
        return [
            f"--env=BENTOML_PORT={http_port}",
            f"--env=SENTIMENT_GRPC_PORT={grpc_port}",
            "--env=SENTIMENT_WORKERS=1",
        ]

    def ready(self):
        with HttpClient(f"http://127.0.0.1:{self.http_port}", retries=0) as client:
            return client.ready()

    def first_process(self):
        """Sends the signal with which an engine stops a container; buildah itself would kill it."""
        if self.engine == image.DOCKER:
            return psutil.Process(self.process.pid)  # passes it on
        running = psutil.Process(self.process.pid).children(recursive=True)
        return next(p for p in running if p.uids().real == USER and p.name().startswith("python"))

    def end(self):
        if self.process.poll() is None:
            everything = psutil.Process(self.process.pid).children(recursive=True)
            self.process.terminate()
            for process in everything:
                if process.is_running():
                    process.kill()
            self.process.wait(30)


@pytest.fixture(scope="module")
def container(container_engine, container_base, bento, tmp_path_factory):
    engine = container_engine
    assert image.main(["--bento", bento.tag, "--base", container_base]) == 0
    ports = free_ports(2)
    if engine == image.DOCKER:
        name = f"sentiment-test-{ports[0]}"
        inspect = ["docker", "image", "inspect", "--format", "{{json .Config}}", "sentiment:latest"]
        config = json.loads(subprocess.check_output(inspect))
        command = ["run", "--rm", "--name", name, "--network=host", *Container.environment(*ports), bento.tag]
    else:
        name = buildah("from", "localhost/sentiment:latest")
        config = json.loads(buildah("inspect", "--type", "image", "localhost/sentiment:latest"))["Docker"]["config"]
        itself = [*config["Entrypoint"], *config["Cmd"]]
        command = ["run", "--isolation", "chroot", *Container.environment(*ports), name, "--", *itself]
    output = tmp_path_factory.mktemp("container") / "output.log"
    with output.open("w") as file:
        process = subprocess.Popen([*engine.command, *command], stdout=file, stderr=subprocess.STDOUT)
    running = Container(engine, name, config, *ports, process)
    try:
        until(lambda: running.ready() or process.poll() is not None)
        assert process.poll() is None, output.read_text()
        yield running
    finally:
        running.end()


@pytest.mark.slow
def test_its_labels_say_how_to_run_it(container, bento):
    config = container.config
    assert config["User"] == f"{USER}:{USER}"
    assert set(config["ExposedPorts"]) == {"3000/tcp", "3001/tcp"}
    assert set(config["Volumes"]) == {"/data"}
    assert config["Labels"]["sentiment.model_version"] == bento.version
    assert {"SENTIMENT_HOST=0.0.0.0", "BENTOML_HOST=0.0.0.0", "SENTIMENT_LOG=/data"} <= set(config["Env"])


@pytest.mark.slow
def test_serves_over_both_protocols_as_evaluated(container, servable):
    expected = Classifier.load(servable).predict_proba(TEXTS)
    for client in (
        HttpClient(f"http://127.0.0.1:{container.http_port}"), GrpcClient(f"127.0.0.1:{container.grpc_port}"),
    ):  # fmt: skip
        with client:
            answers = client.predict(TEXTS).predictions
            assert [a.label for a in answers] == ["positive", "negative"]
            assert [a.score for a in answers] == pytest.approx([expected[0], 1 - expected[1]], abs=1e-6)
            client.feedback(answers[0].id, "positive")


@pytest.mark.slow
def test_answers_as_sagemaker_asks_when_it_is_started_with_serve(container, tmp_path):
    (port, grpc_port) = free_ports(2)
    settings = [f"--env=SAGEMAKER_BIND_TO_PORT={port}", f"--env=SENTIMENT_GRPC_PORT={grpc_port}", *LIGHT]
    if container.engine == image.DOCKER:
        command = ["run", "--rm", "--network=host", *settings, "sentiment:latest", "serve"]
    else:
        name = buildah("from", "localhost/sentiment:latest")
        command = ["run", "--isolation", "chroot", *settings, name, "--", *container.config["Entrypoint"], "serve"]
    with (tmp_path / "output.log").open("w") as file:
        process = subprocess.Popen([*container.engine.command, *command], stdout=file, stderr=subprocess.STDOUT)
    started = Container(container.engine, "", {}, port, grpc_port, process)
    try:
        until(lambda: started.ready() or process.poll() is not None)
        assert process.poll() is None, (tmp_path / "output.log").read_text()
        assert httpx.get(f"http://127.0.0.1:{port}/ping").status_code == 200
        lines = "\n".join(map(json.dumps, TEXTS))
        kind = {"content-type": "application/jsonlines", "accept": "text/csv"}
        answer = httpx.post(f"http://127.0.0.1:{port}/invocations", content=lines, headers=kind).text
        assert [line.partition(",")[0] for line in answer.splitlines()] == ["positive", "negative"]
    finally:
        started.end()


@pytest.mark.slow
def test_is_small_and_has_no_tools(container):
    with HttpClient(f"http://127.0.0.1:{container.http_port}") as client:
        client.predict(TEXTS)
    until(lambda: any(look(container)["log"]))  # it is written off the request path
    seen = look(container)
    assert seen["megabytes"] <= 550 - MODEL_MB
    assert seen["user"] == [USER, USER]
    assert seen["writable"] == ["/data"]
    assert not seen["tools"]
    assert not seen["modules"]


def look(container):
    done = container.run("python3", "-c", LOOK)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.slow
def test_drains_when_it_is_stopped(container):
    """The last of this file: the container has ended then."""
    kind, *check = container.config["Healthcheck"]["Test"]
    assert kind == "CMD"
    assert container.run(*check).returncode == 0
    container.first_process().send_signal(signal.SIGTERM)
    assert container.process.wait(30) == 0
    if container.engine == image.BUILDAH:
        assert container.run(*check).returncode != 0
