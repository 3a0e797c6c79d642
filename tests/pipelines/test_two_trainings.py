"""Two machines train at the same time on the cloud stack: one champion, and both decisions are recorded."""

import os
import subprocess
import sys

import pytest

from tests.helpers import command_line
from tests.helpers.meeting import promoting_together

MODEL = "two_at_once"

# Both decide before either promotes: the second one has compared with a champion that is outdated.
OTHER = """
import os, sys
from pathlib import Path
from cli import app
from tests.helpers.meeting import promoting_together
with promoting_together(Path(os.environ["MEETING"])):
    sys.exit(app.main(sys.argv[1:]))
"""


@pytest.fixture
def meeting(tmp_path):
    folder = tmp_path / "meeting"
    folder.mkdir()
    return folder


@pytest.fixture
def other_machine(cloud, tmp_path, meeting):
    """The environment of a machine that shares only the cloud's servers with this process."""
    folder = tmp_path / "other"
    folder.mkdir()
    own = {variable: str(folder) for variable in ("HOME", "ZENML_CONFIG_PATH", "SENTIMENT_CACHE")}
    return {**os.environ, **cloud.environment, **own, "MEETING": str(meeting)}


def test_one_champion_and_two_decisions(other_machine, meeting, cloud_variables, train, reviews_file):
    start = train(MODEL, *command_line.LINEAR, "--stack", "cloud", "--set", f"source.source=file:{reviews_file}")
    here, there = ([*map(str, start), "--set", f"linear.inverse_regularization={strength}"] for strength in (1, 9))
    other = subprocess.Popen(
        [sys.executable, "-c", OTHER, *there],
        cwd=command_line.ROOT, env=other_machine, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        with promoting_together(meeting):
            own = command_line.run(*here)
        out, err = other.communicate(timeout=300)
    finally:
        other.kill()
    results = [own, command_line.Result(other.returncode, out, err)]
    won, lost = sorted((r.summary for r in results), key=lambda s: not s["promoted"])
    assert (won["promoted"], lost["promoted"]) == (True, False)
    assert won["reason"].startswith("first champion")
    assert f"champion version {won['model_version']}" in lost["reason"]  # decided again, against the winner
    assert sum("became champion meanwhile: deciding again" in r.err for r in results) == 1
    status = command_line.run("status", "--stack", "cloud", "--model", MODEL, "--json").summary
    assert (status["production"], status["disagreements"]) == (won["model_version"], [])
    recorded = {v["number"]: (v["promoted"], v["reason"]) for v in status["decisions"]}
    assert recorded == {s["model_version"]: (s["promoted"], s["reason"]) for s in (won, lost)}
