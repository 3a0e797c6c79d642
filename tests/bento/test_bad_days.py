"""Killed workers, full disks, taken ports, damaged models: the service answers clearly, recovers, and loses little."""

import json
import os
import resource
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import bentoml
import httpx
import pytest

from bento.build import build
from bento.client import GrpcClient, HttpClient, ServiceError
from tests.helpers.booted import boot, ready
from tests.helpers.loopback import until

pytestmark = pytest.mark.slow
TEXTS = ["a lovely film with a superb ending", "a dull plot and a tedious actor"]


class Load:
    """Clients of both protocols that send requests until they are stopped."""

    def __init__(self, booted, *, retries):
        self.answered, self.failed = 0, []
        self._stop = threading.Event()
        clients = [HttpClient(booted.http, retries=retries), GrpcClient(booted.grpc, retries=retries)] * 2
        self._threads = [threading.Thread(target=self._ask, args=(client,)) for client in clients]

    def _ask(self, client):
        while not self._stop.is_set():
            try:
                client.predict(TEXTS)
                self.answered += 1
            except ServiceError as error:
                self.failed.append(error.code)

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        for thread in self._threads:
            thread.join()


def test_a_killed_worker_is_replaced_and_retries_hide_it(serve):
    booted = serve(workers=2)
    with Load(booted, retries=5) as load:
        until(lambda: load.answered > 50)
        victim = booted.workers()[0]
        victim.send_signal(signal.SIGKILL)
        until(lambda: len([w for w in booted.workers() if w.pid != victim.pid]) == 2 and ready(booted))
        before = load.answered
        until(lambda: load.answered > before + 50)
    assert load.failed == []


def test_a_stopped_service_finishes_its_requests(serve):
    booted = serve()
    long = [" ".join(["plot"] * 3000)] * 64
    outcome = []

    def ask():
        with HttpClient(booted.http, timeout=30, retries=0) as client:
            outcome.append(client.predict(long))

    asking = [threading.Thread(target=ask) for _ in range(2)]
    for thread in asking:
        thread.start()
    # the second request waits while the first is computed
    until(lambda: outcome or "sentiment_queue_texts 64.0" in httpx.get(f"{booted.http}/metrics").text)
    assert booted.stop() == 0
    for thread in asking:
        thread.join()
    assert [len(o.predictions) for o in outcome] == [64, 64]
    assert "Traceback" not in booted.output


def test_a_stop_under_load_gives_no_answer_that_is_wrong(serve):
    booted = serve()
    with Load(booted, retries=0) as load:
        until(lambda: load.answered > 50)
        booted.stop()
    assert set(load.failed) <= {"UNAVAILABLE"}


def log_records(folder):
    lines = [line for file in folder.glob("predictions-*") for line in file.read_bytes().split(b"\n")]
    return [json.loads(line) for line in lines if line.endswith(b"}")]


def test_a_killed_service_loses_at_most_a_second_of_its_log(serve, tmp_path):
    booted = serve(log=tmp_path / "log")
    with HttpClient(booted.http) as client:
        ids = [client.predict(TEXTS).predictions[0].id for _ in range(20)]
        time.sleep(1)
    booted.kill()
    assert set(ids) <= {r["id"] for r in log_records(tmp_path / "log")}


def test_texts_are_logged_only_with_the_setting(serve, tmp_path):
    for log_text in ("false", "true"):
        booted = serve(log=tmp_path / log_text, log_text=log_text)
        with HttpClient(booted.http) as client:
            client.predict(TEXTS)
        booted.stop()
        stored = b"".join(file.read_bytes() for file in (tmp_path / log_text).iterdir())
        assert (b"lovely" in stored) == (log_text == "true")


def test_a_full_disk_costs_log_records_and_no_answer(bento, tmp_path, monkeypatch):
    """A limit on file sizes stands in for a full disk."""
    popen = subprocess.Popen

    def limited(*arguments, **keywords):
        def limit():
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (2 << 20, 2 << 20))  # space for the metrics

        return popen(*arguments, preexec_fn=limit, **keywords)

    monkeypatch.setattr(subprocess, "Popen", limited)
    booted = boot(bento.tag, tmp_path / "service", log=tmp_path / "log", log_text="true", log_max_mb=1000)
    try:
        text = "a lovely film " * 1000
        with HttpClient(booted.http, timeout=20) as client:
            for _ in range(4):
                client.predict([text] * 64)
            until(lambda: dropped(booted) > 0)
            assert client.predict(TEXTS).model_version == "7"
    finally:
        booted.stop()


def dropped(booted):

    lines = httpx.get(f"{booted.http}/metrics").text.splitlines()
    return sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith("sentiment_log_dropped_total"))


def test_a_taken_port_is_named(serve):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        booted = serve(grpc_port=taken.getsockname()[1], wait=False)
        until(lambda: str(taken.getsockname()[1]) in booted.output)
        with HttpClient(booted.http) as client:
            assert not client.ready()


@pytest.mark.parametrize("damage", ["missing", "cut"])
def test_a_damaged_model_never_becomes_ready(servable, serve, tmp_path, damage):
    bento = build(servable, model="sentiment", version=f"9{damage}", labels={})
    stored = bentoml.models.get(f"sentiment:{bento.tag.partition(':')[2].rpartition('-')[0]}").path
    for name in ("model.onnx", "openvino.xml"):
        file = Path(stored) / "transformer" / name
        if damage == "missing":
            file.unlink()
        else:
            os.truncate(file, 100)
    booted = serve(tag=bento.tag, wait=False)
    reasons = ("model cannot be loaded", "has no model.onnx")  # the second: where ONNX Runtime is the fastest engine
    until(lambda: any(reason in booted.output for reason in reasons))
    with HttpClient(booted.http) as client:
        assert not client.ready()


def test_serves_without_the_packages_that_trained(bento, tmp_path, monkeypatch):
    """As in the image, where only bento/requirements.txt is installed."""
    (tmp_path / "sitecustomize.py").write_text(
        "import sys\n"
        "TRAINED = 'torch', 'transformers', 'zenml', 'mlflow', 'pandas', 'datasets', 'sklearn', 'scipy'\n"
        "class NotInstalled:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name.partition('.')[0] in TRAINED:\n"
        "            raise ModuleNotFoundError(name, name=name)\n"
        "sys.meta_path.insert(0, NotInstalled())\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    assert subprocess.run([sys.executable, "-c", "import torch"], capture_output=True, check=False).returncode
    booted = boot(bento.tag, tmp_path / "service", log=tmp_path / "log")
    try:
        with HttpClient(booted.http) as client:
            assert [a.label for a in client.predict(TEXTS).predictions] == ["positive", "negative"]
    finally:
        booted.stop()


def test_bentoml_forgets_a_request_soon_after_its_time_limit():
    """It keeps a timer for each answered request: of an hour, those of a busy service took hundreds of megabytes."""
    code = """
from bentoml._internal.utils.args import set_arguments
set_arguments({"model": "sentiment:v1"})
from bento.service import SentimentService
print(SentimentService.config["traffic"]["timeout"])
"""
    environment = {**os.environ, "SENTIMENT_TIMEOUT": "7"}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert 7 < float(done.stdout.splitlines()[-1]) <= 7 + 30
