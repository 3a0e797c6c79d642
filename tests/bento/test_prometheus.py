"""A real Prometheus reads a real service and fires the shipped alerts, with shorter durations."""

import contextlib
import json
import re
import shutil
import socket
import subprocess
import threading
import urllib.request
from pathlib import Path

import httpx
import pytest
import yaml

from sentiment.monitoring.settings import HealthSettings
from serving.health import read_health
from tests.helpers.loopback import until

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"
PATIENCE = 60  # seconds; it takes about ten

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("prometheus") is None, reason="prometheus is not installed (Debian's package)"),
]


@pytest.fixture
def failing(serve):
    """A service with clients whose requests take too long."""
    booted = serve(timeout=0.05)
    stop = threading.Event()

    def ask():
        while not stop.is_set():
            with contextlib.suppress(httpx.TransportError):  # the test stops it
                httpx.post(f"{booted.http}/v1/predict", json={"texts": [" ".join(["plot"] * 3000)] * 64}, timeout=10)

    client = threading.Thread(target=ask)
    client.start()
    yield booted
    stop.set()
    client.join()


def hurried(rules):
    """The rules with seconds in place of minutes."""
    return re.sub(r"(\[|for: )(\d+)m\b", r"\1\2s", rules)


@pytest.fixture
def prometheus(failing, tmp_path):
    """Address of a Prometheus that asks the service every second."""
    settings = yaml.safe_load((DEPLOY / "prometheus.yml").read_text())
    settings["global"] = {"scrape_interval": "1s", "evaluation_interval": "1s"}
    (job,) = [job for job in settings["scrape_configs"] if job["job_name"] == "sentiment"]
    del job["dns_sd_configs"]
    settings["scrape_configs"] = [job | {"static_configs": [{"targets": [f"127.0.0.1:{failing.http_port}"]}]}]
    (tmp_path / "prometheus.yml").write_text(yaml.safe_dump(settings))
    (tmp_path / "alerts.yml").write_text(hurried((DEPLOY / "alerts.yml").read_text()))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = ["prometheus", f"--config.file={tmp_path}/prometheus.yml", f"--storage.tsdb.path={tmp_path}/data"]
    with (tmp_path / "log").open("w") as log:
        process = subprocess.Popen([*command, f"--web.listen-address=127.0.0.1:{port}"], stdout=log, stderr=log)
    yield f"http://127.0.0.1:{port}"
    process.terminate()
    process.wait(30)


def firing(address):
    """Annotations of the alerts that fire, by name."""
    try:
        with urllib.request.urlopen(f"{address}/api/v1/alerts", timeout=5) as response:
            alerts = json.load(response)["data"]["alerts"]
    except OSError:  # no such alert yet
        return {}
    return {alert["labels"]["alertname"]: alert["annotations"] for alert in alerts if alert["state"] == "firing"}


def test_alerts_fire_when_requests_fail_and_when_the_service_is_down(prometheus, failing):
    until(lambda: "HighErrorRate" in firing(prometheus), seconds=PATIENCE)
    assert "of the requests over http fail" in firing(prometheus)["HighErrorRate"]["summary"]
    health, _ = read_health(HealthSettings(prometheus=prometheus), hours=1)  # the queries of the monitor pipeline
    assert health.requests > 0
    assert health.error_rate > 0.5
    assert health.p95_ms > 10
    failing.stop()
    until(lambda: "ServiceDown" in firing(prometheus), seconds=PATIENCE)
