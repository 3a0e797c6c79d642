"""The files of the metrics survive a full disk and a dead worker."""

import errno
import os
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from prometheus_client import values

from bento import metrics
from bento.errors import STATUS
from bento.identity import Identity
from bento.metrics import ServiceMetrics
from bento.routes import GRPC_ROUTES, HTTP_ROUTES, metric_method
from tests.helpers.booted import ready
from tests.helpers.loopback import until

IDENTITY = Identity("sentiment", "7", "linear", "numpy", "sentiment:v7", ("negative", "positive"))
STATUSES = [200, 202, 400, 401, 404, 405, 408, 413, 422, 499, 500, 503, 504]
RPCS = [metric_method(route) for route in GRPC_ROUTES]


@pytest.fixture(autouse=True)
def alone(monkeypatch):
    monkeypatch.setattr(values, "ValueClass", values.ValueClass)
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", "")


def answered(page):
    """The number of requests on a page of metrics."""
    lines = [line for line in page.decode().splitlines() if line.startswith("sentiment_requests_total{")]
    return sum(float(line.rpartition(" ")[2]) for line in lines)


def test_files_have_their_blocks_and_never_grow(tmp_path):
    own = ServiceMetrics(tmp_path / "metrics", IDENTITY)
    for method in [*HTTP_ROUTES, "other"]:
        for status in STATUSES:
            own.request("http", method, str(status), 0.1)
    for method in RPCS:
        for code in ["OK", "CANCELLED", *STATUS]:
            own.request("grpc", method, code, 0.1)
    for label in IDENTITY.labels:
        own.prediction(label, 0.9, True)
        own.feedback(label)
    own.batch(16, 3)
    own.waited(0.1)
    own.dropped(1)
    files = list((tmp_path / "metrics").iterdir())
    assert len(files) == 4
    for file in files:
        assert file.stat().st_size == metrics.FILE_BYTES
        assert file.stat().st_blocks * 512 >= metrics.FILE_BYTES  # not sparse
    expected = (len(HTTP_ROUTES) + 1) * len(STATUSES) + len(RPCS) * (2 + len(STATUS))
    assert answered(own.page()) == expected


def test_on_a_full_disk_a_worker_counts_in_memory_and_logs_it_once(tmp_path, monkeypatch, caplog):
    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "posix_fallocate", full)
    own = ServiceMetrics(tmp_path / "metrics", IDENTITY)
    for _ in range(3):
        own.request("http", "/v1/predict", "200", 0.1)
    own.batch(16, 3)
    assert answered(own.page()) == 3
    assert b"sentiment_queue_texts 3.0" in own.page()
    assert list((tmp_path / "metrics").iterdir()) == []
    assert [record.getMessage() for record in caplog.records] == [
        f"metrics are each worker's own, not in {tmp_path}/metrics: No space left on device"
    ]


WORKER = """
import sys
from pathlib import Path
from bento.identity import Identity
from bento.metrics import ServiceMetrics
identity = Identity("sentiment", "7", "linear", "numpy", "sentiment:v7", ("negative", "positive"))
own = ServiceMetrics(Path(sys.argv[1]), identity)
own.request("http", "/v1/predict", "200", 0.1)
own.batch(16, 3)
"""


def test_a_new_worker_goes_on_counting_where_a_dead_one_ended(tmp_path):
    root = Path(metrics.__file__).parents[1]
    for _ in range(2):
        subprocess.run([sys.executable, "-c", WORKER, str(tmp_path)], cwd=root, check=True)
    own = ServiceMetrics(tmp_path, IDENTITY)
    own.request("http", "/v1/predict", "200", 0.1)
    assert answered(own.page()) == 3
    assert b"sentiment_queue_texts 0.0" in own.page()  # no request waits any more
    assert len(list(tmp_path.iterdir())) == 4  # workers that end again and again do not fill the disk


@pytest.fixture
def small_disk(tmp_path):
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(folder)]
    done = subprocess.run(mount, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"cannot mount a small disk: {done.stderr.strip()}")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill(folder):
    with (folder / "full").open("wb", buffering=0) as file:
        try:
            while file.write(bytes(4096)):
                pass
        except OSError as error:
            assert error.errno == errno.ENOSPC


def ask_everything(booted):
    asked = ["/v1/predict", "/v1/explain", "/v1/feedback", "/invocations", "/v1/info", "/nowhere"]
    bodies = ['{"texts": ["a lovely film"]}', '{"text": "a lovely film"}', "{}", "{"]
    answers = [httpx.post(booted.http + path, content=body, timeout=10) for path in asked for body in bodies]
    assert {answer.status_code for answer in answers} == {200, 400, 404, 405, 422}


@pytest.mark.slow
def test_a_disk_that_runs_full_kills_no_worker(serve, small_disk):
    booted = serve(state=small_disk / "state", log=small_disk / "log")
    (worker,) = booted.workers()
    fill(small_disk)
    ask_everything(booted)
    assert booted.workers() == [worker]
    worker.kill()  # the next worker finds no space, and needs none
    until(lambda: booted.workers() not in ([], [worker]) and ready(booted))
    ask_everything(booted)
    assert "No space left on device" not in booted.output.replace("log, its records are lost: No space", "")
    assert answered(httpx.get(f"{booted.http}/metrics").content) == 2 * 24


@pytest.mark.slow
def test_a_service_starts_on_a_full_disk(serve, small_disk):
    fill(small_disk)
    booted = serve(state=small_disk / "state", log=small_disk / "log")
    workers = booted.workers()
    ask_everything(booted)
    assert booted.workers() == workers
    assert booted.output.count("metrics are each worker's own") == 1
    assert answered(httpx.get(f"{booted.http}/metrics").content) == 24
