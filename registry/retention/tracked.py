"""Runs, registered versions and logged models in MLflow, as retention reads and deletes them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from registry.mlflow_registry import FINGERPRINT, NUMBER, connect
from registry.retention.records import PIPELINES
from registry.retention.rules import Rule
from registry.search_runs import EXPERIMENT
from sentiment.deployment import Version

if TYPE_CHECKING:
    from mlflow.entities import Run as MlflowRun

UNFINISHED = ("RUNNING", "SCHEDULED")
ON_SERVER = "MLflow's server keeps the files of deleted runs: run mlflow gc there"


@dataclass(frozen=True)
class Tracked:
    """What may be deleted in MLflow.

    Attributes:
        versions: Numbers of registered versions in MLflow's registry, by the number of the version in ZenML.
        runs: Identifiers of runs.
        models: Identifiers of logged models, which hold the files of registered versions.
        folders: Local folders of the runs and logged models; none on a server.
    """

    versions: Mapping[str, Sequence[str]]
    runs: tuple[str, ...]
    models: tuple[str, ...]
    folders: tuple[Path, ...]


@dataclass(frozen=True)
class Searches:
    """Searches on record in MLflow.

    Attributes:
        old: Identifiers of runs of finished searches and their trials that may be deleted.
        unfinished: Names of studies that a later start goes on with.
        since: Start of the oldest unfinished search; None if there is none.
    """

    old: tuple[str, ...]
    unfinished: tuple[str, ...]
    since: datetime | None


def is_local() -> bool:
    """Whether MLflow's database is on this machine; a server deletes no files for its clients."""
    import mlflow

    connect()
    return not mlflow.get_tracking_uri().startswith(("http://", "https://"))


def find_searches(rule: Rule, runs: Collection[str]) -> Searches:
    """Finds the searches.

    Args:
        rule: The newest searches stay.
        runs: Names of this ZenML's runs: on a shared server, the searches of others stay.
    """
    found = sorted(_search([EXPERIMENT]), key=lambda run: run.info.start_time, reverse=True)
    searches = [run for run in found if "study" in run.data.tags]
    unfinished = [run for run in searches if run.info.status in UNFINISHED]
    old = [r for r in searches[rule.keep :] if r not in unfinished and _at(r.info.start_time) < rule.before]
    deleted = []
    for search in old:
        trials = [run for run in found if run.data.tags.get("mlflow.parentRunId") == search.info.run_id]
        if is_local() or any(trial.data.tags.get("zenml_run") in runs for trial in trials):
            deleted += [search.info.run_id, *(trial.info.run_id for trial in trials)]
    since = min((_at(run.info.start_time) for run in unfinished), default=None)
    return Searches(tuple(deleted), tuple(run.data.tags["study"] for run in unfinished), since)


def find_tracked(model: str, old: Sequence[Version], runs: Collection[str], searches: Searches) -> Tracked:
    """Finds what belongs to versions and pipeline runs that may be deleted.

    Args:
        model: Name of the model.
        old: Its versions that may be deleted.
        runs: Names of the pipeline runs that may be deleted.
        searches: From :func:`find_searches`.
    """
    wanted = {(version.fingerprint, version.number) for version in old}
    registered: dict[str, list[str]] = defaultdict(list)
    for entry in connect().search_model_versions(f"name='{model}'"):
        number = entry.tags.get(NUMBER, "")
        if (entry.tags.get(FINGERPRINT), number) in wanted:
            registered[number].append(str(entry.version))
    entries = {(model, version) for found in registered.values() for version in found}
    kept_runs, kept_models = _find_registered(without=entries)
    ended = [run for run in _search(PIPELINES) if run.info.run_name in runs]
    ended += [run for run in _search([EXPERIMENT]) if run.info.run_id in searches.old]
    ended = [run for run in ended if run.info.run_id not in kept_runs]
    models = {output.model_id for run in ended for output in (run.outputs.model_outputs if run.outputs else ())}
    models |= _find_registered(only=entries)[1]
    models -= kept_models
    return Tracked(
        registered,
        tuple(run.info.run_id for run in ended),
        tuple(sorted(models)),
        tuple(_folders([run.info.artifact_uri for run in ended], models)) if is_local() else (),
    )


def find_aliases(model: str) -> dict[tuple[str, str], str]:
    """Returns the aliases of a model's versions in MLflow's registry, by fingerprint and number in ZenML."""
    found = connect().search_registered_models(f"name='{model}'")
    aliases = {str(version): alias for entry in found for alias, version in entry.aliases.items()}
    return {
        (entry.tags.get(FINGERPRINT, ""), entry.tags.get(NUMBER, "")): aliases[str(entry.version)]
        for entry in (connect().search_model_versions(f"name='{model}'") if aliases else ())
        if str(entry.version) in aliases
    }


def find_runs(names: Collection[str]) -> set[str]:
    """Returns the identifiers of the runs with these names."""
    return {run.info.run_id for run in _search(PIPELINES) if run.info.run_name in names} if names else set()


@contextmanager
def _skip_deleted() -> Iterator[None]:
    """Ends the block if MLflow no longer has what it asks for; any other error is raised."""
    from mlflow.exceptions import MlflowException

    try:
        yield
    except MlflowException as error:
        if error.error_code != "RESOURCE_DOES_NOT_EXIST":
            raise


def _find_registered(
    *, without: Collection[tuple[str, str]] = (), only: Collection[tuple[str, str]] | None = None
) -> tuple[set[str], set[str]]:
    """Returns the runs and the logged models that registered versions of any model refer to.

    Args:
        without: Names and numbers of versions to leave out.
        only: The only ones to look at; None: all.
    """
    runs: set[str] = set()
    models: set[str] = set()
    for entry in connect().search_model_versions():
        key = (entry.name, str(entry.version))
        if key not in without and (only is None or key in only):
            runs.add(entry.run_id or "")
            models.add((entry.source or "").removeprefix("models:/"))
    return runs, models


def delete_registered(model: str, numbers: Sequence[str]) -> None:
    """Deletes versions from MLflow's registry; their logged models stay."""
    for number in numbers:
        with _skip_deleted():  # an earlier deletion was cut short
            connect().delete_model_version(model, number)


def delete_tracked(runs: Sequence[str], models: Sequence[str]) -> None:
    """Deletes runs and logged models; on this machine with their files, on a server as far as clients can.

    As ``mlflow gc``, but of these alone: it would also empty the trash of the user, runs and experiments.
    """
    from mlflow.tracking._tracking_service.utils import _get_store

    client = connect()
    kept_runs, kept_models = _find_registered()  # a version may have been promoted since these were listed
    runs, models = sorted({*runs} - kept_runs), sorted({*models} - kept_models)
    for run in runs:
        with _skip_deleted():
            client.delete_run(run)
    for model in models:
        with _skip_deleted():
            client.delete_logged_model(model)
    if not is_local():
        return
    store = _get_store()  # type: ignore[no-untyped-call] # MLflow's
    for run in runs:
        with _skip_deleted():
            _delete_files(store.get_run(run).info.artifact_uri)
            store._hard_delete_run(run)
    for model in models:
        with _skip_deleted():
            found = store.get_logged_model(model, allow_deleted=True)
            _delete_files(found.artifact_location)
            store._hard_delete_logged_model(model)


def _delete_files(uri: str) -> None:
    from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

    get_artifact_repository(uri).delete_artifacts()  # type: ignore[no-untyped-call] # MLflow's
    for folder in _local_folders([uri]):
        with suppress(OSError):  # MLflow leaves the folder above it
            folder.parent.rmdir()


def _search(experiments: Sequence[str]) -> Iterator[MlflowRun]:
    """Yields every run of these experiments that is not deleted."""
    client = connect()
    known = [found.experiment_id for name in experiments if (found := client.get_experiment_by_name(name))]
    token: str | None = None
    while known:
        page = client.search_runs(known, max_results=1000, page_token=token)
        yield from page
        token = page.token
        if not token:
            return


def _folders(uris: Sequence[str], models: Collection[str]) -> Iterator[Path]:
    """Yields the local folders of runs and of logged models."""
    yield from _local_folders(uris)
    for model in models:
        with _skip_deleted():
            yield from _local_folders([connect().get_logged_model(model).artifact_location])


def _local_folders(uris: Sequence[str]) -> Iterator[Path]:
    from mlflow.utils.file_utils import local_file_uri_to_path

    for uri in uris:
        if "://" not in uri or uri.startswith("file:"):
            yield Path(local_file_uri_to_path(uri))  # type: ignore[no-untyped-call] # MLflow's


def _at(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)
