"""ZenML's production stage and MLflow's alias disagree, and are repaired."""

import subprocess
import sys

import pytest

from tests.helpers import command_line

MODEL = "repaired"


@pytest.fixture(scope="module")
def arguments(train, reviews_file):
    return train(MODEL, *command_line.LINEAR, "--set", f"source.source=file:{reviews_file}")


@pytest.fixture(scope="module", autouse=True)
def two(arguments):
    """Version 1 is in production, version 2 is not."""
    assert command_line.run(*arguments).summary["promoted"]
    assert not command_line.run(*arguments, "--set", "linear.inverse_regularization=9").summary["promoted"]


def show_status(*more):
    return command_line.run("status", "--model", MODEL, "--json", *more)


def status(*more):
    return show_status(*more).summary


@pytest.fixture
def mlflow():
    from mlflow import MlflowClient

    return MlflowClient(command_line.tracking_uri())


def set_stage(number, stage):
    from cli.session import session

    with session("local", debug=False):
        from zenml.client import Client

        Client().update_model_version(MODEL, number, stage=stage, force=True)


def mlflow_number(client, number):
    """Returns MLflow's number of a version."""
    found = client.search_model_versions(f"name='{MODEL}'")
    return max(int(v.version) for v in found if v.tags.get("zenml_version") == number)


def register_unknown(client, **tags):
    """Registers a version in MLflow that ZenML does not know."""
    known = client.get_model_version(MODEL, mlflow_number(client, "1"))
    return client.create_model_version(MODEL, known.source, known.run_id, tags=tags).version


def die_after_the_stage(client):
    set_stage("2", "production")


def drop_alias(client):
    client.delete_registered_model_alias(MODEL, "champion")


def move_the_alias(client):
    client.set_registered_model_alias(MODEL, "champion", mlflow_number(client, "2"))


def point_at_an_unknown_version(client):
    client.set_registered_model_alias(MODEL, "champion", register_unknown(client))


def delete_the_version(client):
    client.delete_model_version(MODEL, mlflow_number(client, "1"))


def die_before_zenml_knows(client):
    register_unknown(client, fingerprint="0" * 64)


def delete_the_tag(client):
    client.delete_model_version_tag(MODEL, mlflow_number(client, "2"), "zenml_version")


def archive_the_version(client):
    set_stage("1", "archived")


@pytest.mark.parametrize(
    ("disagree", "warning", "repaired", "production"),
    [
        (die_after_the_stage, "version 2 is in production, but MLflow's alias champion points at", "at version 2", "2"),
        (drop_alias, "version 1 is in production, but MLflow's alias champion does not exist", "at version 1", "1"),
        (move_the_alias, "but MLflow's alias champion points at version 2", "at version 1", "1"),
        (point_at_an_unknown_version, "points at a model that this ZenML does not know", "at version 1", "1"),
        (delete_the_version, "but MLflow's registry does not have it", "registered there again", "1"),
        (die_before_zenml_knows, "belongs to no version", "zenml_version: none", "1"),
        (delete_the_tag, "is version 2, but is not tagged so", "zenml_version: 2", "1"),
        (archive_the_version, "no version is in production, but MLflow's alias champion", "champion was removed", None),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)  # fmt: skip
def test_a_disagreement_is_shown_and_repaired(disagree, warning, repaired, production, mlflow):
    command_line.run("promote", "--version", "1", "--model", MODEL)
    assert status()["disagreements"] == []
    disagree(mlflow)
    shown = show_status()
    (seen,) = shown.summary["disagreements"]
    assert warning in seen
    assert "warning: " in shown.err
    summary = status("--repair")
    assert len(summary["repaired"]) == 1
    assert repaired in summary["repaired"][0]
    assert summary["disagreements"] == []
    assert command_line.find_production(MODEL) == command_line.find_champion(MODEL) == production
    again = show_status("--repair")
    assert again.summary["repaired"] == again.summary["disagreements"] == []
    assert "nothing to repair" in again.err


def test_a_champion_of_another_zenml_is_not_replaced(arguments, mlflow):
    command_line.run("promote", "--version", "1", "--model", MODEL)
    stranger = register_unknown(mlflow)
    mlflow.set_registered_model_alias(MODEL, "champion", stranger)
    refused = command_line.run("promote", "--version", "2", "--model", MODEL, *command_line.APPROVED)
    assert refused.code == 2
    assert f"points at version {stranger} in MLflow's registry, which this ZenML does not know" in refused.err
    assert command_line.find_production(MODEL) == "1"
    assert mlflow.get_model_version_by_alias(MODEL, "champion").version == stranger
    status("--repair")
    assert command_line.find_production(MODEL) == command_line.find_champion(MODEL) == "1"


def test_the_next_run_restores_the_alias(arguments, mlflow):
    command_line.run("promote", "--version", "1", "--model", MODEL)
    move_the_alias(mlflow)
    assert not command_line.run(*arguments).summary["promoted"]  # no change since
    assert command_line.find_production(MODEL) == command_line.find_champion(MODEL) == "1"


DYING = """
import os, sys
from cli import app
from registry import versions
versions.create_version = lambda *_: os._exit(9)
app.main(sys.argv[1:])
"""


def test_the_next_run_finishes_one_that_died_between_both_registries(arguments, mlflow, monkeypatch):
    third = [*arguments, "--set", "linear.inverse_regularization=2"]
    before = mlflow.search_model_versions(f"name='{MODEL}'")
    died = subprocess.run(
        [sys.executable, "-c", DYING, *map(str, third)], cwd=command_line.ROOT, capture_output=True, check=False
    )
    assert died.returncode == 9
    (left,) = {v.version for v in mlflow.search_model_versions(f"name='{MODEL}'")} - {v.version for v in before}
    (seen,) = status()["disagreements"]
    assert "belongs to no version: the run that registered it did not finish" in seen
    monkeypatch.setattr("registry.locks.STALE_AFTER_S", 1.0)  # the dead run holds the lock
    summary = command_line.run(*third).summary
    assert mlflow.get_model_version(MODEL, left).tags["zenml_version"] == summary["model_version"]
    assert len(mlflow.search_model_versions(f"name='{MODEL}'")) == len(before) + 1
    assert status()["disagreements"] == []
