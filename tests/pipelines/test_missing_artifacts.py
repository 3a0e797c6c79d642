"""Files are missing from the artifact store: only complete artifacts come from cache."""

import shutil
from pathlib import Path

import pytest

from sentiment.models.servable import FORMAT
from tests.helpers import command_line

MODEL = "incomplete"


@pytest.fixture(scope="module")
def arguments(train, reviews_file):
    return train(MODEL, *command_line.LINEAR, "--set", f"source.source=file:{reviews_file}", "--set", "seed=29")


@pytest.fixture(scope="module", autouse=True)
def first(arguments):
    summary = command_line.run(*arguments).summary
    assert summary["promoted"], summary["reason"]
    return summary


def steps(summary):
    from zenml.client import Client

    return Client().get_pipeline_run(summary["run"]).steps


def recomputed_steps(summary):
    """Returns the steps that could have come from cache and did not."""
    always = {"decide", "promote", "evaluate_champion"}
    return {name for name, step in steps(summary).items() if step.status.value != "cached"} - always


def folder_of(summary, step, output) -> Path:
    return Path(steps(summary)[step].regular_outputs[output].uri)


def empty(folder):
    shutil.rmtree(folder)


def shorten(folder):
    file = max((folder / "data").iterdir(), key=lambda f: f.stat().st_size)
    file.write_bytes(file.read_bytes()[:100])


@pytest.mark.parametrize(
    ("step", "output", "spoil"),
    [
        ("load", "reviews", empty),
        ("divide", "splits", empty),
        ("check_splits", "split_checks", empty),
        ("train_linear", "linear", shorten),
        ("choose", "challenger", empty),
        ("rank", "leaderboard", empty),
    ],
)
def test_only_the_missing_artifact_is_computed_again(step, output, spoil, first, arguments):
    spoil(folder_of(first, step, output))
    result = command_line.run(*arguments)
    assert recomputed_steps(result.summary) == {step}
    assert f"{step}  files of its output are gone: not from cache" in result.err
    assert result.summary["reason"] == "identical to champion version 1"
    assert result.summary["metrics"]["linear"] == first["metrics"]["linear"]


def test_an_empty_store_keeps_the_champion_and_fills_again(first, arguments):
    latest = command_line.run(*arguments).summary
    assert recomputed_steps(latest) == set()
    for response in steps(latest).values():
        for artifact in response.regular_outputs.values():
            empty(Path(artifact.uri))
    result = command_line.run(*arguments, "--set", "linear.inverse_regularization=5")
    assert (result.summary["promoted"], result.summary["model_version"]) == (False, "2")
    assert "the files of version 1 are gone" in result.summary["reason"]
    assert "the files of version 1, in production, are gone" in result.err
    assert command_line.find_production(MODEL) == command_line.find_champion(MODEL) == "1"

    refilled = command_line.run(*arguments).summary  # the settings that made the champion
    assert "the files of version 1 are gone" in refilled["reason"]
    assert command_line.run(*arguments).summary["reason"] == "identical to champion version 1"
    assert command_line.run("promote", "--version", "2", "--model", MODEL, *command_line.APPROVED).code == 0


def test_another_artifact_store_starts_without_cache_and_reports_the_reason(first, arguments, tmp_path, monkeypatch):
    from stacks.stack_file import read_stack

    (tmp_path / "elsewhere.yaml").write_text(
        "components:\n"
        "  orchestrator: {flavor: local}\n"
        f"  artifact_store: {{flavor: local, configuration: {{path: {tmp_path / 'artifacts'}}}}}\n"
        "  experiment_tracker: {flavor: mlflow}\n"
    )
    monkeypatch.setattr("cli.session.read_stack", lambda name, _: read_stack(name, tmp_path))
    elsewhere = [*arguments, "--set", "model=elsewhere", "--stack", "elsewhere"]
    fresh = command_line.run(*elsewhere)
    words = f"nothing from cache: no run has used this stack's artifact store, {tmp_path / 'artifacts'}, before"
    assert words in " ".join(fresh.err.split())
    assert {step.status.value for step in steps(fresh.summary).values()} == {"completed"}
    assert fresh.summary["metrics"] == first["metrics"]
    again = command_line.run(*elsewhere)
    assert "nothing from cache" not in again.err
    assert recomputed_steps(again.summary) == set()


def test_a_champion_of_another_format_neither_stops_the_training_nor_is_replaced(first, arguments, monkeypatch):
    monkeypatch.setattr("registry.versions.FORMAT", 99)
    champion = command_line.find_production(MODEL)
    result = command_line.run(*arguments, "--set", "linear.inverse_regularization=3")
    assert f"version {champion}, in production, are of format {FORMAT}, and this code reads 99" in " ".join(
        result.err.split()
    )
    assert not result.summary["promoted"]
    assert f"the files of version {champion} are gone, or of another format" in result.summary["reason"]
    assert command_line.find_production(MODEL) == command_line.find_champion(MODEL) == champion
