"""A run that is killed while the transformer trains resumes and finishes."""

import os
import time
from pathlib import Path

from sentiment import progress
from tests.helpers import command_line

MODEL = "killed"
SMALL = ("--set", "linear.enabled=false", "--set", "cascade.enabled=false", "--set", "export.int8=false")
STATES = ("--set", "transformer.batch_size=8", "--set", "transformer.save_steps=5")
TIMEOUT_S = 300  # until the first states exist
MIN_STEPS = 20


def newest_state() -> int:
    """Returns the steps of the newest complete state in the scratch folder."""
    seals = (Path(os.environ["SENTIMENT_CACHE"]) / "training").glob("*/checkpoint-*/complete.json")
    return max((int(seal.parent.name.rpartition("-")[2]) for seal in seals), default=0)


def test_a_killed_run_resumes(train, tmp_path, monkeypatch):
    arguments = train(MODEL, *SMALL, *STATES, "--set", "seed=17")
    running = command_line.start_forked(*arguments, folder=tmp_path, env=dict(os.environ)).process
    try:
        deadline = time.monotonic() + TIMEOUT_S
        while newest_state() < MIN_STEPS:
            assert running.is_alive(), "the run ended before it could be killed"
            assert time.monotonic() < deadline
            time.sleep(0.02)
    finally:
        running.kill()
        running.join()
    killed_at = newest_state()
    assert command_line.list_versions(MODEL) == []

    reported = []
    report = progress.report

    def listen(task, done, total, **figures):
        if task.startswith("train transformer"):  # and in float32, where there is no bfloat16
            reported.append((done, total))
        report(task, done, total, **figures)

    monkeypatch.setattr(progress, "report", listen)
    summary = command_line.run(*arguments).summary
    done, total = zip(*reported, strict=True)
    assert killed_at < min(done) <= killed_at + 10  # reports come every 10 steps
    assert max(done) == total[0] > killed_at
    assert summary["promoted"], summary["reason"]
    assert command_line.find_production(MODEL) == command_line.find_champion(MODEL) == "1"
