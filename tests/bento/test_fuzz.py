"""Requests generated from the OpenAPI page: its promises hold, and nothing crashes."""

import subprocess
import sys

import pytest

pytestmark = pytest.mark.slow


def test_every_answer_is_one_that_the_page_names(service, tmp_path):
    command = [sys.executable, "-m", "schemathesis.cli", "run", f"{service.http}/openapi.json"]
    options = ["--checks", "all", "--max-examples", "25", "--seed", "1", "--no-color", "--request-timeout", "10"]
    done = subprocess.run([*command, *options], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-5000:]
    assert "Traceback" not in service.output
