"""Killed while the transformer trains, a run resumes where it was and finishes."""

import os
import signal
import subprocess
import time
from pathlib import Path

from sentiment import progress
from tests.helpers import command_line

MODEL = "killed"
SMALL = ("--set", "linear.enabled=false", "--set", "cascade.enabled=false", "--set", "export.int8=false")
STATES = ("--set", "transformer.batch_size=8", "--set", "transformer.save_steps=5")
PATIENCE = 300  # seconds until the first states must be there
ENOUGH = 20  # steps


def newest_state() -> int:
    """Steps of the newest complete state in the scratch folder."""
    seals = (Path(os.environ["SENTIMENT_CACHE"]) / "training").glob("*/checkpoint-*/complete.json")
    return max((int(seal.parent.name.rpartition("-")[2]) for seal in seals), default=0)


def test_a_killed_run_resumes(train, monkeypatch):
    arguments = train(MODEL, *SMALL, *STATES, "--set", "seed=17")
    running = subprocess.Popen(
        command_line.command(*arguments), cwd=command_line.ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        deadline = time.monotonic() + PATIENCE
        while newest_state() < ENOUGH:
            assert running.poll() is None, "it ended before it could be killed"
            assert time.monotonic() < deadline
            time.sleep(0.02)
    finally:
        running.send_signal(signal.SIGKILL)
        running.wait()
    killed_at = newest_state()
    assert command_line.versions(MODEL) == []

    reported = []
    report = progress.report

    def listen(task, done, total, **figures):
        if task == "train transformer":
            reported.append((done, total))
        report(task, done, total, **figures)

    monkeypatch.setattr(progress, "report", listen)
    summary = command_line.run(*arguments).summary
    done, total = zip(*reported, strict=True)
    assert killed_at < min(done) <= killed_at + 10  # reports come every 10 steps
    assert max(done) == total[0] > killed_at
    assert summary["promoted"], summary["reason"]
    assert command_line.production(MODEL) == command_line.champion(MODEL) == "1"
