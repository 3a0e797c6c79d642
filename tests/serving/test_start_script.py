"""The image's entry point: SageMaker's argument ``serve`` alone chooses the port."""

import json
import subprocess

import pytest

from stacks.stack_file import ROOT


@pytest.fixture
def start(tmp_path):
    """Runs the script with a stand-in for Python, which shows its arguments and its port."""
    (tmp_path / "python3").write_text('#!/bin/sh\necho "$BENTOML_PORT $*"\n')
    (tmp_path / "python3").chmod(0o755)

    def run(*arguments, **variables):
        environment = {"PATH": f"{tmp_path}:/usr/bin:/bin", "BENTOML_PORT": "3000", **variables}
        command = [str(ROOT / "deploy" / "image" / "start.sh"), *arguments]
        return subprocess.check_output(command, env=environment, text=True).strip()

    return run


SERVE = "-m bentoml serve --timeout-graceful-shutdown 20"


def test_serve_alone_listens_where_sagemaker_asks(start):
    assert start("serve") == f"8080 {SERVE}"
    assert start("serve", SAGEMAKER_BIND_TO_PORT="8091") == f"8091 {SERVE}"


def test_other_arguments_are_passed_on(start):
    lines = (ROOT / "deploy" / "image" / "Dockerfile").read_text().splitlines()
    (default,) = [json.loads(line.removeprefix("CMD ")) for line in lines if line.startswith("CMD ")]
    assert start(*default) == f"3000 {SERVE}"
    assert start("serve", "--port", "1", SAGEMAKER_BIND_TO_PORT="8091") == "3000 -m bentoml serve --port 1"
