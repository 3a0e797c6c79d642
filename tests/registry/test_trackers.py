"""One record to one tracker, in the process that writes it."""

import json
import subprocess
import sys
from dataclasses import asdict
from types import SimpleNamespace

import pytest

from registry.trackers import copy, flavors
from registry.trackers.process import TRACKERS
from registry.trackers.record import Record
from stacks.stack_file import FURTHER_TRACKERS
from tests.helpers.tracker_files import read_trackio, read_wandb

READ = {"wandb": read_wandb, "trackio": read_trackio}
RECORD = Record(
    name="train-1",
    metrics={
        "linear.accuracy": 1 / 3,
        "a_b.ece": 1.2345678901234567e-12,
        "linear.reviews_per_second": 1e9 / 7,
        "n": 3.0,
    },
    params={"linear.max_features": "1000"},
    tags={"promoted": "True"},
)


@pytest.fixture
def tracker(tmp_path):
    """A tracker as a stack file configures it."""

    def tracker(name, **settings):
        config = flavors.WandbConfig if name == "wandb" else flavors.FurtherTrackerConfig
        return SimpleNamespace(
            flavor=f"sentiment_{name}", config=config(**{"folder": str(tmp_path / "files"), **settings})
        )

    return tracker


def test_every_flavor_is_in_every_table():
    assert list(FURTHER_TRACKERS) == list(TRACKERS)
    for name, path in FURTHER_TRACKERS.items():
        module, _, attribute = path.rpartition(".")
        assert module == flavors.__name__
        assert getattr(flavors, attribute)().name == name


@pytest.mark.slow
@pytest.mark.parametrize("name", READ)
def test_every_digit_arrives(name, tracker, tmp_path, capfd):
    pytest.importorskip(name, reason=f"{name} is not installed: make trackers")
    copy._send(tracker(name), RECORD)
    (run,) = READ[name](tmp_path / "files")
    assert (run.name, run.metrics) == (RECORD.name, RECORD.metrics)
    assert (run.config["linear.max_features"], run.config["tags"]) == ("1000", RECORD.tags)
    assert capfd.readouterr() == ("", "")


@pytest.mark.slow
def test_a_file_that_trackio_cannot_write_is_an_error(tracker, tmp_path):
    pytest.importorskip("trackio", reason="trackio is not installed: make trackers")
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / "sentiment.db").write_text("no database, but more than a hundred bytes of text" * 3)
    with pytest.raises(RuntimeError, match=r"file is not a database|does not hold the metrics"):
        copy._send(tracker("trackio"), RECORD)


@pytest.mark.slow
def test_online_without_a_key_is_an_error(tracker, monkeypatch):
    pytest.importorskip("wandb", reason="wandb is not installed: make trackers")
    monkeypatch.delenv("WANDB_API_KEY", raising=False)
    with pytest.raises(RuntimeError, match="online needs WANDB_API_KEY"):
        copy._send(tracker("wandb", mode="online"), RECORD)


def test_a_folder_that_cannot_be_made_is_an_error(tracker, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(NotADirectoryError):
        copy._send(tracker("trackio", folder=f"{tmp_path}/file/below"), RECORD)


@pytest.mark.parametrize(
    ("code", "error", "words"),
    [
        ("import time; time.sleep(60)", TimeoutError, "not done after 1 s"),
        ("import os; os.abort()", RuntimeError, "its process ended with -6"),
        ("import sys; sys.exit('noise\\nthe reason')", RuntimeError, "the reason"),
    ],
)
def test_a_process_that_hangs_or_dies_is_an_error(code, error, words, tracker, monkeypatch):
    monkeypatch.setattr(copy, "COMMAND", (sys.executable, "-c", code))
    monkeypatch.setattr(copy, "TIMEOUT_S", 1.0)
    with pytest.raises(error) as caught:
        copy._send(tracker("trackio"), RECORD)
    assert str(caught.value) == words


def test_an_error_of_a_client_is_one_line(tmp_path):
    given = {"flavor": "nowhere", "record": asdict(RECORD), "settings": {}, "folder": str(tmp_path)}
    done = subprocess.run(
        copy.COMMAND, input=json.dumps(given), cwd=copy.ROOT, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr.splitlines()[-1]) == (1, "", "'nowhere'")


def test_the_files_are_in_zenmls_local_store_unless_the_stack_file_says_where(tmp_path):
    from zenml.config.global_config import GlobalConfiguration

    from stacks.tracking import find_folder

    assert find_folder("sentiment_trackio", {"folder": str(tmp_path)}) == tmp_path
    found = find_folder("sentiment_trackio", {})
    assert str(found).startswith(str(GlobalConfiguration().local_stores_path))
