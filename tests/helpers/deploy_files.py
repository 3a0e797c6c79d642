"""The files under test, and the names of the service's own metrics."""

import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"

# In its own process: prometheus_client decides at import how it keeps its counts.
PAGE = """
import os, sys
os.environ["PROMETHEUS_MULTIPROC_DIR"] = sys.argv[1]
from pathlib import Path
from bento.identity import Identity
from bento.metrics import ServiceMetrics
identity = Identity("sentiment", "1", "linear", "numpy", "sentiment:v1", ("negative", "positive"))
metrics = ServiceMetrics(Path(sys.argv[1]), identity)
metrics.request("http", "/v1/predict", "200", 0.1)
metrics.batch(1, 0)
metrics.prediction("positive", 0.9, True)
metrics.feedback("positive")
metrics.dropped(1)
sys.stdout.write(metrics.page().decode())
"""
SAMPLE = re.compile(r"^(\w+)(?:\{(.*)\})? ", re.M)
LABEL = re.compile(r'(\w+)="')


def page(folder: Path) -> str:
    """The service's /metrics after one request."""
    command = [sys.executable, "-c", PAGE, str(folder)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout


def exported(text: str) -> dict[str, set[str]]:
    """Names of the metrics on a page, with the names of their labels."""
    return {name: set(LABEL.findall(labels)) for name, labels in SAMPLE.findall(text)}


@cache
def manifests() -> tuple[tuple[Path, dict], ...]:
    """Every Kubernetes object with its file."""
    files = sorted((DEPLOY / "kubernetes").glob("*.yaml"))
    return tuple((file, entry) for file in files for entry in yaml.safe_load_all(file.read_text()))
