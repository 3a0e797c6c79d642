"""Two machines train at the same time on the cloud stack: one champion, and both decisions are recorded."""

import os
import subprocess
import sys

import pytest

from tests.helpers import command_line

MODEL = "two_at_once"

# Both decide before either promotes: the second one has compared with a champion that is outdated.
TOGETHER = """
import os, sys, time
from pathlib import Path
from cli import app
from registry import champion
promote = champion.set_champion
def together(*arguments, **options):
    folder = Path(os.environ["MEETING"])
    (folder / str(os.getpid())).touch()
    deadline = time.monotonic() + 120
    while len(list(folder.iterdir())) < 2 and time.monotonic() < deadline:
        time.sleep(0.01)
    return promote(*arguments, **options)
champion.set_champion = together
sys.exit(app.main(sys.argv[1:]))
"""


@pytest.fixture
def machines(cloud, tmp_path):
    """Environments of two machines that share only the cloud's servers."""
    meeting = tmp_path / "meeting"
    meeting.mkdir()
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
    return [
        {
            **os.environ,
            **cloud.environment,
            "MEETING": str(meeting),
            **{variable: str(tmp_path / name) for variable in ("HOME", "ZENML_CONFIG_PATH", "SENTIMENT_CACHE")},
        }
        for name in ("one", "other")
    ]


def test_one_champion_and_two_decisions(machines, cloud_variables, train, reviews_file):
    start = train(MODEL, *command_line.LINEAR, "--stack", "cloud", "--set", f"source.source=file:{reviews_file}")
    arguments = [[*map(str, start), "--set", f"linear.inverse_regularization={strength}"] for strength in (1, 9)]
    running = [
        subprocess.Popen(
            [sys.executable, "-c", TOGETHER, *given],
            cwd=command_line.ROOT, env=machine, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )
        for machine, given in zip(machines, arguments, strict=True)
    ]  # fmt: skip
    results = [command_line.Result(p.wait(300), *p.communicate()) for p in running]
    won, lost = sorted((r.summary for r in results), key=lambda s: not s["promoted"])
    assert (won["promoted"], lost["promoted"]) == (True, False)
    assert won["reason"].startswith("first champion")
    assert f"champion version {won['model_version']}" in lost["reason"]  # decided again, against the winner
    assert sum("became champion meanwhile: deciding again" in r.err for r in results) == 1
    status = command_line.run("status", "--stack", "cloud", "--model", MODEL, "--json").summary
    assert (status["production"], status["disagreements"]) == (won["model_version"], [])
    recorded = {v["number"]: (v["promoted"], v["reason"]) for v in status["decisions"]}
    assert recorded == {s["model_version"]: (s["promoted"], s["reason"]) for s in (won, lost)}
