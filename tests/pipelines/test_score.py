"""Scores files from the command line, with the production version of a model."""

import fcntl
import json
import os
import signal
import subprocess
import sys
import time

import pandas as pd
import pytest

from tests.helpers import command_line, scoring

ROWS = scoring.rows(1200)


@pytest.fixture
def reviews(tmp_path):
    ROWS.to_parquet(tmp_path / "reviews.parquet")
    return tmp_path / "reviews.parquet"


def score(model, *arguments, more=()):
    return command_line.run("score", *arguments, "--json", "--set", f"model={model.name}", "--set", "workers=2", *more)


def test_a_file_is_scored_by_the_version_in_production(linear_model, reviews, tmp_path):
    summary = score(linear_model, reviews, tmp_path / "scored", more=("--set", "source_column=shop")).summary
    assert summary["model_version"] == linear_model.summary["model_version"]
    assert (summary["rows"], summary["scored"], summary["new_rows"], summary["passed"]) == (1200, 1200, 1200, True)
    found = scoring.read_parts(tmp_path / "scored")
    assert summary["positives"] == (found["label"] == "positive").sum()
    assert set(summary["checks"]) >= {"rejected rows", "score_drift", "label_shift"}
    again = score(linear_model, reviews, tmp_path / "scored", more=("--set", "source_column=shop")).summary
    assert (again["new_rows"], again["positives"]) == (0, summary["positives"])

    from zenml.client import Client

    report = Client().get_pipeline_run(summary["run"]).steps["score_files"].regular_outputs["scoring_report"]
    page = Client().get_artifact_version(report.id).load()
    assert page.totals.sources.keys() == {"north", "south"}
    assert [v.type.value for v in report.visualizations] == ["html"]
    import mlflow

    client = mlflow.MlflowClient(command_line.tracking_uri())
    experiment = client.get_experiment_by_name("score")
    latest = client.search_runs([experiment.experiment_id], max_results=1)[0]
    assert latest.data.metrics["rows"] == 1200
    assert "scoring.html" in [artifact.path for artifact in client.list_artifacts(latest.info.run_id)]


def test_the_long_form_means_the_same(linear_model, reviews, tmp_path):
    score(linear_model, reviews, tmp_path / "short")
    settings = [f"input={reviews}", f"output={tmp_path / 'long'}", f"model={linear_model.name}", "version=1"]
    long = command_line.run("--pipeline", "score", "--json", *(w for s in settings for w in ("--set", s)))
    assert long.summary["scored"] == 1200
    pd.testing.assert_frame_equal(scoring.read_parts(tmp_path / "long"), scoring.read_parts(tmp_path / "short"))


def test_too_many_rejects_fail_at_the_end_and_the_output_stays(linear_model, tmp_path):
    ROWS.assign(text=ROWS["text"].where(ROWS["id"] % 10 > 0)).to_csv(tmp_path / "a.csv", index=False)
    result = score(linear_model, tmp_path / "a.csv", tmp_path / "scored.csv")
    assert result.code == 1
    assert json.loads(result.out.splitlines()[-1])["rejected"] == {"empty": 120}
    assert len(pd.read_csv(tmp_path / "scored.csv")) == 1080
    assert "rejects/" in result.err
    assert "failed: more than 1% of the rows were rejected (max_rejected_share)" in result.err
    allowed = score(linear_model, tmp_path / "a.csv", tmp_path / "scored.csv", more=("--set", "max_rejected_share=0.1"))
    assert allowed.code == 0


def test_standard_input_and_output_are_streams(linear_model):
    lines = ROWS[:50].to_csv(index=False)
    command = [sys.executable, "run.py", "score", "-", "-", "--set", f"model={linear_model.name}"]
    done = subprocess.run(command, cwd=command_line.ROOT, input=lines, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found = pd.read_csv(pd.io.common.StringIO(done.stdout))
    assert found["text"].tolist() == ROWS["text"][:50].tolist()
    assert "Scored by version" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["missing.csv", "out"], "missing.csv: no such file"),
        ([], "no input is named. Write run.py score INPUT OUTPUT."),
        (["a.csv"], "no output is named"),
        (["-", "-"], "standard output cannot hold both"),
        (["a.csv", "out", "--set", "model=never-trained"], "no version is in production. Run make train first."),
        (["a.csv", "out", "--set", "version=99"], "there is no version 99"),
        (["sql:postgresql://u:secret@host/db", "out"], "the database URL holds a password"),
    ],
)
def test_a_command_that_cannot_run_is_one_line(linear_model, tmp_path, monkeypatch, arguments, message):
    arguments = [str(tmp_path / word) if word in ("missing.csv", "a.csv", "out") else word for word in arguments]
    result = command_line.run("score", "--json", "--set", f"model={linear_model.name}", *arguments)
    assert result.code == 2
    assert "Traceback" not in result.err
    assert not (tmp_path / "out").exists()
    *_, last = result.err.splitlines()
    assert last.startswith("error: ")
    assert message in last
    assert "secret" not in result.err


def test_a_second_job_on_one_output_is_refused(linear_model, reviews, tmp_path):
    (tmp_path / "scored").mkdir()
    with (tmp_path / "scored" / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        result = score(linear_model, reviews, tmp_path / "scored")
    assert result.code == 2
    assert "another job is writing it" in result.err
    assert score(linear_model, reviews, tmp_path / "scored").code == 0


def test_ctrl_c_keeps_finished_parts_and_the_same_command_goes_on(linear_model, tmp_path):
    pd.concat([ROWS] * 100).to_parquet(tmp_path / "many.parquet")
    output = tmp_path / "scored"
    command = [
        sys.executable,
        "run.py",
        "score",
        str(tmp_path / "many.parquet"),
        str(output),
        "--set",
        "shard_rows=100",
    ]
    command += ["--set", f"model={linear_model.name}", "--set", "workers=2"]
    job = subprocess.Popen(command, cwd=command_line.ROOT, stderr=subprocess.PIPE, text=True, start_new_session=True)
    while len(list((output / "done").glob("*.json"))) < 3:
        assert job.poll() is None, job.stderr.read()
        time.sleep(0.02)
    os.killpg(job.pid, signal.SIGINT)  # as a terminal does
    _, err = job.communicate(timeout=60)
    assert job.returncode == 130
    assert err.splitlines()[-1].startswith("interrupted: finished parts stay; the same command goes on")
    assert "Traceback" not in err
    summary = score(linear_model, tmp_path / "many.parquet", output, more=("--set", "shard_rows=100")).summary
    assert 0 < summary["new_rows"] < summary["rows"] == 120_000
