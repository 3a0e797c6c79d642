"""A real Prometheus reads a real address and raises the alert, with the rules as shipped but for their durations."""

import json
import re
import shutil
import socket
import subprocess
import threading
import time
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import yaml
from deploy_files import DEPLOY

PATIENCE = 60  # seconds; it takes about ten

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("prometheus") is None, reason="prometheus is not installed (Debian's package)"),
]


class Failing(BaseHTTPRequestHandler):
    """/metrics of a service that refuses one request in five."""

    def do_GET(self):  # the standard library's name
        self.server.asked += 1
        labels = 'protocol="http",method="/v1/predict",code'
        text = f'sentiment_requests_total{{{labels}="200"}} {400 * self.server.asked}\n'
        text += f'sentiment_requests_total{{{labels}="503"}} {100 * self.server.asked}\n'
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; version=0.0.4")
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *args):
        pass


@pytest.fixture
def target():
    """Address (host:port) of a service whose requests fail."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Failing)
    server.asked = 0
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def hurried(rules):
    """Rules whose minutes are seconds."""
    return re.sub(r"(\[|for: )(\d+)m\b", r"\1\2s", rules)


@pytest.fixture
def prometheus(target, tmp_path):
    """Address of a Prometheus that asks ``target`` every second."""
    settings = yaml.safe_load((DEPLOY / "prometheus.yml").read_text())
    settings["global"] = {"scrape_interval": "1s", "evaluation_interval": "1s"}
    (job,) = [job for job in settings["scrape_configs"] if job["job_name"] == "sentiment"]
    del job["dns_sd_configs"]
    settings["scrape_configs"] = [job | {"static_configs": [{"targets": [target]}]}]
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
    except OSError:  # not there yet
        return {}
    return {alert["labels"]["alertname"]: alert["annotations"] for alert in alerts if alert["state"] == "firing"}


def test_an_alert_fires(prometheus):
    deadline = time.monotonic() + PATIENCE
    while "HighErrorRate" not in (alerts := firing(prometheus)) and time.monotonic() < deadline:
        time.sleep(0.5)
    assert alerts.keys() == {"HighErrorRate"}
    assert alerts["HighErrorRate"]["summary"] == "20% of the requests over http fail."
