"""Trains in two processes, as a step of the train pipeline."""

import json
import os
import threading
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import pytest

from tests.helpers import command_line, tiny_transformer

SMALL = ("--set", "linear.enabled=false", "--set", "cascade.enabled=false", "--set", "export.int8=false")
LENGTHS = ("--set", "transformer.max_length=48", "--set", "export.max_length=48")


@pytest.fixture
def encoder(tmp_path):
    return tiny_transformer.save_encoder(tmp_path / "encoder")


@contextmanager
def watched_processes():
    """Collects the training processes that this process starts within the block."""
    found, done = set(), threading.Event()

    def watch():
        while not done.wait(0.1):
            for child in psutil.Process().children(recursive=True):
                with suppress(psutil.NoSuchProcess):
                    if "spawn_main" in " ".join(child.cmdline()):
                        found.add(child)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield found
    finally:
        done.set()
        watcher.join()


def test_a_step_trains_in_two_processes(train, encoder, reviews_file):
    source = ("--set", f"source.source=file:{reviews_file}", "--set", "source.rows=null")
    model = ("--set", f"transformer.model={encoder}", "--set", "transformer.num_processes=2")
    with watched_processes() as seen:
        result = command_line.run(*train("processes", *SMALL, *LENGTHS, *source, *model))
    assert result.summary["model_version"] == "1"
    assert len(seen) == 2
    assert not [process for process in seen if process.is_running()]
    reports = (Path(os.environ["SENTIMENT_CACHE"]) / "training").glob("*/checkpoint/training.json")
    assert [r for r in map(json.loads, map(Path.read_text, reports)) if r["settings"]["num_processes"] == 2]
