"""Copies an MLflow run to the stack's further experiment trackers. A tracker that fails costs a warning."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
import tempfile
from dataclasses import asdict
from typing import TYPE_CHECKING

from registry import mlflow_registry
from registry.trackers.record import Record
from sentiment.imports import ROOT
from stacks.tracking import find_folder

if TYPE_CHECKING:
    from registry.trackers.flavors import FurtherTracker

logger = logging.getLogger(__name__)

COMMAND = (sys.executable, "-m", "registry.trackers.process")
TIMEOUT_S = 180.0  # for one tracker, its import and its upload
MAX_REASON_CHARACTERS = 300
REMEDY = "Run python run.py stack check %s."
MLFLOW_TAG_PREFIX = "mlflow."  # MLflow sets these tags itself


def copy_run(run_id: str | None = None) -> None:
    """Copies an MLflow run, as it is now, to every tracker after the first one; raises nothing.

    Its name, the last value of each metric, its parameters and its tags become one run there. Call it once a run, when
    all is logged.

    Args:
        run_id: Identifier of the MLflow run; by default the active one.
    """
    import mlflow
    from zenml.client import Client

    from registry.trackers.flavors import FurtherTracker

    stack = Client().active_stack
    trackers = [each for each in stack.experiment_trackers.values() if isinstance(each, FurtherTracker)]
    active = mlflow.active_run() if trackers else None
    run_id = run_id or (active.info.run_id if active else None)
    for tracker in trackers if run_id else ():
        try:
            _send(tracker, _read_run(str(run_id)))
        except Exception as error:  # the training is done: no failure of a copy may undo it
            reason = (" ".join(str(error).split()) or type(error).__name__)[:MAX_REASON_CHARACTERS].rstrip(".")
            name = stack.name.removeprefix("sentiment-")
            logger.warning("%s has no copy of this run, MLflow has it: %s. %s", tracker.flavor, reason, REMEDY % name)


def _read_run(run_id: str) -> Record:
    run = mlflow_registry.connect().get_run(run_id)
    tags = {name: value for name, value in run.data.tags.items() if not name.startswith(MLFLOW_TAG_PREFIX)}
    name = str(run.info.run_name)
    return Record(name, dict(run.data.metrics), dict(run.data.params), {**tags, "mlflow_run": run_id})


def _send(tracker: FurtherTracker, record: Record) -> None:
    config = tracker.config
    settings = {name: getattr(config, name) for name in type(config).model_fields}  # secrets resolve on access only
    folder = find_folder(tracker.flavor, settings)
    folder.mkdir(parents=True, exist_ok=True)
    given = {"flavor": tracker.flavor, "record": asdict(record), "settings": settings, "folder": str(folder)}
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as errors:  # W&B's service keeps a pipe open
        try:
            done = subprocess.run(
                COMMAND, cwd=ROOT, input=json.dumps(given), text=True, stdout=subprocess.DEVNULL, stderr=errors,
                timeout=TIMEOUT_S, check=False,
            )  # fmt: skip
        except subprocess.TimeoutExpired as error:
            raise TimeoutError(f"not done after {TIMEOUT_S:g} s") from error
        if done.returncode:
            errors.seek(0)
            lines = errors.read().strip().splitlines() or [f"its process ended with {done.returncode}"]
            raise RuntimeError(lines[-1])
