"""Two machines train at the same time on the cloud stack: one champion, both decisions recorded, none lost."""

import os
import subprocess
import sys
import time

import pytest

from tests.helpers import command_line

MODEL = "two_at_once"

# Both decide before either promotes: the one that comes second has decided against a champion that is none any more.
TOGETHER = """
import os, sys, time
from pathlib import Path
import run
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
sys.exit(run.main(sys.argv[1:]))
"""


@pytest.fixture
def machines(cloud, tmp_path):
    """Environments of two machines that have in common what the cloud holds."""
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


def test_one_champion_and_two_decisions(machines, train, reviews_file):
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
    look = command_line.process("status", "--stack", "cloud", "--model", MODEL, "--json", env=machines[0]).summary
    assert (look["production"], look["disagreements"]) == (won["model_version"], [])
    recorded = {v["number"]: (v["promoted"], v["reason"]) for v in look["decisions"]}
    assert recorded == {s["model_version"]: (s["promoted"], s["reason"]) for s in (won, lost)}


@pytest.fixture
def in_session():
    from cli.session import session

    with session("local", debug=False):
        yield


@pytest.mark.usefixtures("in_session")
def test_who_died_holding_the_lock_holds_nobody_up_for_ever(monkeypatch):
    from zenml.client import Client

    from registry import locks

    monkeypatch.setattr(locks, "STALE_AFTER_S", 0.3)
    Client().create_tag("versions of nobody are changing")  # a process that was killed
    with locks.version_lock("nobody"):
        pass
    with pytest.raises(KeyError):
        Client().get_tag("versions of nobody are changing", allow_name_prefix_match=False)


@pytest.mark.usefixtures("in_session")
def test_one_at_a_time(tmp_path):
    """Eight threads add one to a number in a file, each reading before it writes."""
    from concurrent.futures import ThreadPoolExecutor

    from registry.locks import version_lock

    number = tmp_path / "number"
    number.write_text("0")

    def add(_):
        with version_lock("a number"):
            before = int(number.read_text())
            time.sleep(0.05)
            number.write_text(str(before + 1))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(add, range(8)))
    assert number.read_text() == "8"
