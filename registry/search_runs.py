"""A search in MLflow: a run for the search, and a run below it for every trial."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING

from registry.mlflow_registry import connect

if TYPE_CHECKING:
    from mlflow import MlflowClient

    from sentiment.tuning.report import Trial

EXPERIMENT = "tune"
STATUS = {"complete": "FINISHED", "pruned": "FINISHED", "fail": "FAILED"}


def start_search(study: str, parameters: Mapping[str, str]) -> str:
    """Creates the run of a search; returns its identifier."""
    client = connect()
    found = client.get_experiment_by_name(EXPERIMENT)
    experiment = found.experiment_id if found else client.create_experiment(EXPERIMENT)
    run = client.create_run(experiment, run_name=study, tags={"study": study}).info.run_id
    for name, value in parameters.items():
        client.log_param(run, name, value)
    return str(run)


def has_run(identifier: str) -> bool:
    """Whether MLflow knows a run: the store may be another one, or cleaned up."""
    from mlflow.exceptions import MlflowException

    try:
        return bool(connect().get_run(identifier).info.lifecycle_stage == "active")
    except MlflowException:
        return False


def log_trial(search: str, trial: Trial) -> str:
    """Creates the run of a trial below that of its search; returns its identifier.

    Args:
        search: Run of the search.
        trial: The trial, or the base; every other seed's values are metrics, too.
    """
    client = connect()
    experiment = client.get_run(search).info.experiment_id
    same = f"tags.`mlflow.parentRunId` = '{search}' and tags.trial = '{trial.name}'"
    for known in client.search_runs([experiment], same, max_results=1):  # the search was killed before it noted it
        return str(known.info.run_id)
    tags = {"mlflow.parentRunId": search, "zenml_run": trial.run, "trial": trial.name, "state": trial.state}
    ended = int(1000 * time.time())
    run = client.create_run(
        experiment, run_name=f"trial {trial.name}", tags=tags, start_time=ended - int(1000 * trial.seconds)
    ).info.run_id
    for key, value in trial.params.items():
        client.log_param(run, key, str(value))
    for name, value in {**trial.values, "seconds": trial.seconds}.items():
        client.log_metric(run, name, value)
    for percent, value in trial.course.items():
        client.log_metric(run, "course", value, step=percent)
    if trial.error:
        client.set_tag(run, "error", trial.error)
    client.set_terminated(run, STATUS.get(trial.state, "FAILED"), end_time=ended)
    return str(run)


def log_seed(run: str, seed: int, values: Mapping[str, float]) -> None:
    """Logs the values of a trial with another seed to its run."""
    client: MlflowClient = connect()
    for name, value in values.items():
        client.log_metric(run, f"seed_{name}", value, step=seed)


def finish_search(search: str, figures: Mapping[str, float], verdict: str, page: str, profile: str) -> None:
    """Completes the run of a search with its figures, its page and its profile."""
    client = connect()
    for name, value in figures.items():
        client.log_metric(search, name, value)
    client.set_tag(search, "verdict", verdict)
    client.log_text(search, page, "tuning.html")
    client.log_text(search, profile, "profile.yaml")
    client.set_terminated(search)
