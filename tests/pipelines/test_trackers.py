"""Trainings on a stack with MLflow, Weights & Biases and trackio, without a network."""

import os
import shutil
import socket
import subprocess
from pathlib import Path
from types import SimpleNamespace

import pytest

from registry.trackers import copy
from tests.helpers import command_line
from tests.helpers.tracker_files import read_trackio, read_wandb

pytest.importorskip("wandb", reason="wandb is not installed: make trackers")
pytest.importorskip("trackio", reason="trackio is not installed: make trackers")

STACK = """
extends: local.yaml
shares: local
requirements: {packages: [wandb>=0.31, trackio>=0.43], install: make trackers}
components:
  experiment_tracker:
    - {flavor: mlflow}
    - {flavor: sentiment_wandb, configuration: {mode: "${TRACKED_MODE:-offline}", folder: "${TRACKED_WANDB}"}}
    - {flavor: sentiment_trackio, configuration: {folder: "${TRACKED_TRACKIO}"}}
"""
ISOLATED = ("unshare", "--map-root-user", "--net")  # a process that has no network at all


@pytest.fixture(autouse=True)
def no_network(monkeypatch):
    """Lets this process connect to this machine only, and the trackers' processes to nothing."""
    connect = socket.socket.connect

    def refuse(self, address):
        if self.family != socket.AF_UNIX and not str(address[0]).startswith(("127.", "::1", "localhost")):
            raise AssertionError(f"connects to {address}")
        return connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", refuse)
    if (
        shutil.which("unshare")
        and subprocess.run([*ISOLATED, "true"], capture_output=True, check=False).returncode == 0
    ):
        monkeypatch.setattr(copy, "COMMAND", (*ISOLATED, *copy.COMMAND))


@pytest.fixture
def tracked(folder, train, reviews_file, tmp_path, monkeypatch):
    """Trains on the stack; returns the result and the folders of the trackers."""
    shutil.copy(command_line.ROOT / "configs" / "stacks" / "local.yaml", folder)
    (folder / "tracked.yaml").write_text(STACK)
    folders = {name: tmp_path / name for name in ("wandb", "trackio")}
    for name, path in folders.items():
        monkeypatch.setenv(f"TRACKED_{name.upper()}", str(path))

    def tracked(model):
        arguments = train(model, *command_line.LINEAR, "--set", f"source.source=file:{reviews_file}")
        return SimpleNamespace(result=command_line.run("--stack", "tracked", *arguments), **folders)

    return tracked


def mlflow_run(name):
    import mlflow

    client = mlflow.MlflowClient(command_line.tracking_uri())
    experiments = [experiment.experiment_id for experiment in client.search_experiments()]
    (run,) = client.search_runs(experiments, f"attributes.run_name = '{name}'")
    return run


def home_files():
    return {path for path in Path(os.environ["HOME"]).rglob("*") if path.is_file()}


def test_every_tracker_has_every_metric_of_mlflow(tracked):
    before = home_files()
    run = tracked("tracked")
    summary = run.result.summary
    assert summary["promoted"], summary["reason"]
    ours = mlflow_run(summary["run"])
    assert len(ours.data.metrics) > 20
    for (copied,) in (read_wandb(run.wandb), read_trackio(run.trackio)):
        assert copied.name == summary["run"]
        assert copied.metrics == pytest.approx(ours.data.metrics, rel=0, abs=1e-9)  # the same names, too
        assert {name: copied.config[name] for name in ours.data.params} == ours.data.params
        tags = copied.config["tags"]
        assert (tags["promoted"], tags["mlflow_run"]) == ("True", ours.info.run_id)
    said = (run.result.out + run.result.err).lower()
    assert not [word for word in ("wandb", "trackio", "warning") if word in said]
    assert not [path for path in home_files() - before if {"wandb", "trackio", "huggingface"} & set(path.parts)]
    # the local stack has the same versions, and its MLflow the same champion
    assert command_line.find_production("tracked") == command_line.find_champion("tracked") == "1"


def test_trackers_that_fail_do_not_fail_the_training(tracked, tmp_path, monkeypatch):
    monkeypatch.setenv("TRACKED_MODE", "online")  # it fails when its run starts
    monkeypatch.delenv("WANDB_API_KEY", raising=False)
    (tmp_path / "trackio").mkdir()  # it fails when it logs
    (tmp_path / "trackio" / "sentiment.db").write_text("no database, but more than a hundred bytes of text " * 3)
    run = tracked("untracked")
    summary = run.result.summary
    assert summary["promoted"], summary["reason"]
    assert len(mlflow_run(summary["run"]).data.metrics) > 20
    said = " ".join(run.result.err.split())
    assert said.count("has no copy of this run") == 2
    assert (
        "warning: sentiment_wandb has no copy of this run, MLflow has it: online needs WANDB_API_KEY."
        " Run python run.py stack check tracked." in said
    )
    assert "warning: sentiment_trackio has no copy of this run, MLflow has it: " in said
    assert command_line.find_champion("untracked") == "1"
