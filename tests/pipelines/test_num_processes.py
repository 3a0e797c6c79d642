"""Trains in two processes, as a step of the train pipeline."""

import json
import os
import subprocess
import time
from pathlib import Path

import psutil
import pytest

from tests.helpers import command_line, tiny_transformer

SMALL = ("--set", "linear.enabled=false", "--set", "cascade.enabled=false", "--set", "export.int8=false")
LENGTHS = ("--set", "transformer.max_length=48", "--set", "export.max_length=48")


@pytest.fixture
def encoder(tmp_path):
    return tiny_transformer.save_encoder(tmp_path / "encoder")


def processes_of(run: subprocess.Popen) -> set[psutil.Process]:
    """Returns the training processes of a run."""
    found = set()
    for child in psutil.Process(run.pid).children(recursive=True):
        try:
            if "spawn_main" in " ".join(child.cmdline()):
                found.add(child)
        except psutil.NoSuchProcess:
            continue
    return found


def test_a_step_trains_in_two_processes(train, encoder, reviews_file, tmp_path):
    source = ("--set", f"source.source=file:{reviews_file}", "--set", "source.rows=null")
    model = ("--set", f"transformer.model={encoder}", "--set", "transformer.num_processes=2")
    arguments = train("processes", *SMALL, *LENGTHS, *source, *model)
    log = tmp_path / "stderr"
    with log.open("w") as stderr:
        run = subprocess.Popen(
            command_line.words_of(*arguments), cwd=command_line.ROOT, stdout=subprocess.PIPE, stderr=stderr, text=True
        )
    seen = set()
    while run.poll() is None:
        seen |= processes_of(run)
        time.sleep(0.1)
    out = run.stdout.read()
    assert run.returncode == 0, log.read_text()
    assert json.loads(out.splitlines()[-1])["model_version"] == "1"
    assert len(seen) == 2
    assert not [process for process in seen if process.is_running()]
    reports = (Path(os.environ["SENTIMENT_CACHE"]) / "training").glob("*/checkpoint/training.json")
    assert [r for r in map(json.loads, map(Path.read_text, reports)) if r["settings"]["num_processes"] == 2]
