"""Runs the smoke profile on the cloud stack and on the local one: only --stack differs."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.helpers import command_line
from tests.helpers.loopback import free_ports

TEXTS = ["This was lovely, witty and graceful.", "This was dull, clumsy and tedious."]
DEPLOY = ("--pipeline", "deploy", "--set", "smoke.p95_ms=5000", "--set", "smoke.reviews=8")  # the cores may be busy


@pytest.fixture(scope="module")
def first_machine(first, cloud, tmp_path_factory):
    """Connects this process to the servers; without any file of the run on the local stack."""
    http, grpc = free_ports(2)
    own = {"SENTIMENT_CACHE": str(tmp_path_factory.mktemp("cache")), **live_ports(http, grpc)}
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {**cloud.environment, **own}.items():
            patch.setenv(name, value)
        yield


@pytest.fixture
def second_machine(cloud, tmp_path):
    """The environment of a new machine that is connected to the servers."""
    folders = {
        name: tmp_path / name.lower() for name in ("HOME", "ZENML_CONFIG_PATH", "BENTOML_HOME", "SENTIMENT_CACHE")
    }
    for folder in folders.values():
        folder.mkdir()
    own = {name: str(folder) for name, folder in folders.items()}
    return {**os.environ, **cloud.environment, **own, **live_ports(*free_ports(2))}


def live_ports(http, grpc):
    return {"SENTIMENT_LIVE_HTTP_PORT": str(http), "SENTIMENT_LIVE_GRPC_PORT": str(grpc)}


def run_here(*arguments):
    return command_line.run("--stack", "cloud", *arguments, "--json")


def run_on(machine, *arguments):
    folder = Path(machine["HOME"])
    return command_line.run_forked("--stack", "cloud", *arguments, "--json", folder=folder, env=machine)


@pytest.fixture(scope="module")
def remote(first_machine, train):
    """The same run as ``first``, on the cloud stack."""
    return run_here(*train("sentiment"))


def test_the_same_reviews_give_the_same_metrics_and_decision(first, remote):
    here, there = first.summary, remote.summary
    assert there["metrics"] == here["metrics"]  # to 1e-6, of every candidate and slice
    for key in ("challenger", "promoted", "reason", "model_version"):
        assert there[key] == here[key]
    assert remote.err.count("✓") == first.err.count("✓")
    local = next(v for v in command_line.list_versions("sentiment") if v["number"] == "1")
    (there,) = run_here("versions").summary["versions"]
    assert there["fingerprint"] == local["fingerprint"]  # of the model's files


def test_every_artifact_is_in_the_bucket(remote, cloud):
    from cli.session import session

    with session("cloud", debug=False):
        from zenml.client import Client

        steps = Client().get_pipeline_run(remote.summary["run"]).steps.values()
        uris = [artifact.uri for step in steps for outputs in step.outputs.values() for artifact in outputs]
    assert len(uris) > 15
    bucket, pages = cloud.environment["SENTIMENT_S3_BUCKET"], cloud.bucket().get_paginator("list_objects_v2")
    keys = [entry["Key"] for page in pages.paginate(Bucket=bucket) for entry in page.get("Contents", ())]
    for uri in uris:
        assert any(f"s3://{bucket}/{key}".startswith(f"{uri}/") for key in keys), uri


def test_mlflow_loads_the_champion_in_a_process_without_the_project(remote, cloud, tmp_path):
    script = (
        "import json, mlflow\n"
        "model = mlflow.pyfunc.load_model('models:/sentiment@champion')\n"
        f"print(json.dumps([p['label'] for p in model.predict({TEXTS})]))\n"
    )
    known = {name: cloud.environment[f"SENTIMENT_MLFLOW_{name}"] for name in ("URI", "USERNAME", "PASSWORD")}
    access = {f"MLFLOW_TRACKING_{name}": value for name, value in known.items()}
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path), **access},
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert set(json.loads(done.stdout.splitlines()[-1])) <= {"positive", "negative"}


def test_a_second_machine_deploys_the_version_that_the_first_one_trained(remote, second_machine, tmp_path):
    built = run_here(*DEPLOY)
    try:
        assert built.summary["deployed"], built.err
    finally:
        run_here("stop")
    try:
        taken = run_on(second_machine, *DEPLOY)
        assert taken.summary["deployed"], taken.err
        assert taken.summary["bento"] == built.summary["bento"]
        from bento.client import HttpClient

        with HttpClient(taken.summary["http"]) as client:
            answered = client.predict(TEXTS)
        assert answered.model_version == remote.summary["model_version"]
        report = run_on(second_machine, "report", "--output", tmp_path / "report.html").summary
        assert (report["stack"], report["live"]["healthy"], report["missing"]) == ("cloud", True, [])
        assert report["health"]["requests"] >= 1
    finally:
        run_on(second_machine, "stop")
