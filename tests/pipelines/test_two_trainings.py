"""Two machines train at the same time on the cloud stack: one champion, and both decisions are recorded."""

import os

import pytest

from tests.helpers import command_line, forked
from tests.helpers.meeting import promoting_together

MODEL = "two_at_once"


def train_on_other(meeting, arguments):
    """Runs in a process of its own; both trainings decide before either promotes."""
    with promoting_together(meeting):
        return command_line.main(arguments)


@pytest.fixture
def meeting(tmp_path):
    folder = tmp_path / "meeting"
    folder.mkdir()
    return folder


@pytest.fixture
def other_machine(cloud, tmp_path):
    """The environment of a machine that shares only the cloud's servers with this process."""
    folder = tmp_path / "other"
    folder.mkdir()
    own = {variable: str(folder) for variable in ("HOME", "ZENML_CONFIG_PATH", "SENTIMENT_CACHE")}
    return {**os.environ, **cloud.environment, **own}


def test_one_champion_and_two_decisions(other_machine, meeting, cloud_variables, train, reviews_file, tmp_path):
    start = train(MODEL, *command_line.LINEAR, "--stack", "cloud", "--set", f"source.source=file:{reviews_file}")
    here, there = ([*map(str, start), "--set", f"linear.inverse_regularization={strength}"] for strength in (1, 9))
    other = forked.start(train_on_other, meeting, there, folder=tmp_path, env=other_machine)
    try:
        with promoting_together(meeting):  # the one that promotes last has compared with an outdated champion
            own = command_line.run(*here)
        results = [own, command_line.result_of(other)]
    finally:
        other.process.kill()
    won, lost = sorted((r.summary for r in results), key=lambda s: not s["promoted"])
    assert (won["promoted"], lost["promoted"]) == (True, False)
    assert won["reason"].startswith("first champion")
    assert f"champion version {won['model_version']}" in lost["reason"]  # decided again, against the winner
    assert sum("became champion meanwhile: deciding again" in r.err for r in results) == 1
    status = command_line.run("status", "--stack", "cloud", "--model", MODEL, "--json").summary
    assert (status["production"], status["disagreements"]) == (won["model_version"], [])
    recorded = {v["number"]: (v["promoted"], v["reason"]) for v in status["decisions"]}
    assert recorded == {s["model_version"]: (s["promoted"], s["reason"]) for s in (won, lost)}
