"""Runs the smoke profile on the cloud stack and on the local one: only --stack differs."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from sentiment.errors import UserError
from sentiment.scoring.job import Target
from stacks.cloud.cloud import Cloud
from tests.helpers import command_line, scoring
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


def test_both_stacks_score_alike_and_a_bucket_has_one_job_at_a_time(remote, cloud, tmp_path):
    rows = scoring.rows(1100)
    rows.to_parquet(tmp_path / "reviews.parquet")
    bucket = cloud.environment["SENTIMENT_S3_BUCKET"]
    cloud.bucket().upload_file(str(tmp_path / "reviews.parquet"), bucket, "in/reviews.parquet")
    settings = ("--set", "shard_rows=500", "--set", "workers=2")
    command_line.run("score", tmp_path / "reviews.parquet", tmp_path / "scored", *settings, "--json")
    source, output = f"s3://{bucket}/in/reviews.parquet", f"s3://{bucket}/scored"
    summary = run_here("score", source, output, *settings).summary
    assert (summary["scored"], summary["new_rows"]) == (1100, 1100)
    for number in range(3):
        part = f"parts/part-{number:06d}.parquet"
        there = cloud.bucket().get_object(Bucket=bucket, Key=f"scored/{part}")["Body"].read()
        assert there == (tmp_path / "scored" / part).read_bytes()

    from cli.runs.score import _locked
    from cli.session import session
    from registry.locks import try_lock

    with session("cloud", debug=False), try_lock(f"score {output}") as since:
        assert since is None
        with pytest.raises(UserError, match="another job has been writing it since"), _locked(Target.of(output, None)):
            pytest.fail("two jobs on one output")
    assert run_here("score", source, output, *settings).summary["new_rows"] == 0


def test_a_database_is_read_by_a_cursor_on_its_server(remote, cloud, tmp_path, monkeypatch):
    import sqlalchemy

    server = next((s for s in Cloud(cloud.folder).servers() if s.name == "postgresql"), None)
    if server is None:
        pytest.skip("PostgreSQL is not installed")
    monkeypatch.setenv("REVIEWS_DB", server.uri)
    rows = scoring.rows(11_000)
    rows.to_sql("reviews", sqlalchemy.create_engine(server.uri), index=False)
    query = "SELECT id, text FROM reviews WHERE text LIKE '%' ORDER BY id"
    arguments = ("score", "sql:$REVIEWS_DB", tmp_path / "scored", "--set", f"query={query}", "--set", "workers=2")
    result = run_here(*arguments)
    assert result.summary["scored"] == 11_000
    assert scoring.read_parts(tmp_path / "scored")["id"].tolist() == list(range(11_000))
    manifest = (tmp_path / "scored" / "manifest.json").read_text()
    assert server.keys.database_password not in manifest + result.err + result.out
