"""Runs, versions and artifacts in ZenML, as retention reads and deletes them."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from registry.history import MAX_RUNS, REPORT
from registry.retention.rules import Run

if TYPE_CHECKING:
    from zenml.artifact_stores import BaseArtifactStore
    from zenml.models import ArtifactVersionResponse, PipelineRunResponse

PIPELINES = ("train", "trial", "tune", "evaluate", "deploy", "monitor", "score")  # no other pipeline's run is deleted
STALE_AFTER = timedelta(days=3)  # ZenML shows a killed run as running forever; no run of ours takes this long


@dataclass(frozen=True)
class StoredFile:
    """A file or folder in the artifact store.

    Attributes:
        uri: Its address.
        size: In bytes.
    """

    uri: str
    size: int


def list_runs(now: datetime) -> list[Run]:
    """Lists the runs of this project's pipelines, on any stack."""
    from zenml.client import Client
    from zenml.utils.pagination_utils import depaginate

    found = []
    for name in PIPELINES:
        for pipeline in Client().list_pipelines(name=name).items:  # get_pipeline would also take a longer name
            runs = depaginate(Client().list_pipeline_runs, pipeline_id=pipeline.id)
            found += [_read_run(run, name, now) for run in runs]
    return found


def list_active(now: datetime) -> list[Run]:
    """Lists the runs of this project's pipelines that are running, on any stack."""
    from zenml.client import Client
    from zenml.utils.pagination_utils import depaginate

    recent = f"gte:{now - STALE_AFTER:%Y-%m-%d %H:%M:%S}"
    runs = depaginate(Client().list_pipeline_runs, created=recent, in_progress=True)
    named = [(run, run.pipeline.name) for run in runs if run.pipeline]
    return [run for found, name in named if name in PIPELINES and (run := _read_run(found, name, now)).active]


def _read_run(run: PipelineRunResponse, pipeline: str, now: datetime) -> Run:
    from zenml.client import Client

    created = _with_zone(run.created)
    return Run(
        run.id,
        run.name,
        pipeline,
        created,
        active=not run.status.is_finished and created > now - STALE_AFTER,
        here=run.stack is not None and run.stack.id == Client().active_stack_model.id,
        stack=run.stack.name if run.stack else "",
    )


def find_producers(runs: Iterable[Run]) -> set[UUID]:
    """Returns the runs whose outputs these runs took from cache: without them, the next run finds nothing in cache."""
    from zenml.client import Client
    from zenml.utils.pagination_utils import depaginate

    steps = [s for run in runs for s in depaginate(Client().list_run_steps, pipeline_run_id=run.id)]
    originals = {step.original_step_run_id for step in steps if step.original_step_run_id}
    producers = set()
    for original in originals:
        with suppress(KeyError):
            producers.add(Client().get_run_step(original, hydrate=False).pipeline_run_id)
    return producers


def list_artifacts_of_run(run: UUID) -> set[UUID]:
    """Lists the artifacts that a run has read or written so far."""
    from zenml.client import Client
    from zenml.utils.pagination_utils import depaginate

    return {artifact.id for artifact in depaginate(Client().list_artifact_versions, pipeline_run=str(run))}


def find_inputs(run: UUID, model: str) -> tuple[set[UUID], set[str]]:
    """Finds what an active run was given and reads only later: artifacts, and versions of a model by number."""
    from zenml.client import Client

    artifacts: set[UUID] = set()
    numbers: set[str] = set()
    try:
        snapshot = Client().get_pipeline_run(run).snapshot
    except KeyError:  # deleted in between
        return artifacts, numbers
    for step in snapshot.step_configurations.values() if snapshot else ():
        artifacts |= {found.id for found in step.config.external_input_artifacts.values() if found.id}
        for loader in step.config.client_lazy_loaders.values():  # ZenML asks for these when the step starts
            named = loader.call_chain[0].call_kwargs
            if named.get("model_name_or_id") == model:
                numbers.add(str(named.get("model_version_name_or_number_or_id")))
            with suppress(KeyError, AttributeError):
                artifacts.add(loader.evaluate().id)
    return artifacts, numbers


def list_artifacts_of_version(model: str, number: str) -> set[UUID]:
    """Lists the artifacts that a version links to."""
    from zenml.client import Client
    from zenml.utils.pagination_utils import depaginate

    version = Client().get_model_version(model, number)
    links = depaginate(Client().list_model_version_artifact_links, model_version_id=version.id)
    return {link.artifact_version.id for link in links}


def list_monitoring_reports(before: datetime) -> tuple[set[UUID], set[UUID]]:
    """Lists the reports that alarms and pages read (see :mod:`registry.history`), and older ones of each model.

    Args:
        before: Reports that were created later are not among the older ones.
    """
    from zenml.client import Client
    from zenml.utils.pagination_utils import depaginate

    listed = depaginate(Client().list_artifact_versions, artifact=REPORT, size=MAX_RUNS, hydrate=True)
    reports = sorted(listed, key=lambda report: report.created, reverse=True)
    read = {report.id for report in reports[:MAX_RUNS]}  # status and alarms read these, and then choose their model's
    older: set[UUID] = set()
    seen: Counter[str] = Counter()
    for report in reports:
        model = str(report.run_metadata.get("model", ""))
        seen[model] += 1
        if seen[model] <= MAX_RUNS:
            read.add(report.id)
        elif _with_zone(report.created) < before:
            older.add(report.id)
    return read, older - read


def find_artifacts(identifiers: Iterable[UUID]) -> list[ArtifactVersionResponse]:
    """Returns the artifacts with these identifiers that ZenML still has on record."""
    from zenml.client import Client

    found = []
    for identifier in identifiers:
        with suppress(KeyError):
            found.append(Client().get_artifact_version(identifier))
    return found


def size_of(artifact: ArtifactVersionResponse) -> int:
    """Returns the size of an artifact in bytes, as it was recorded when it was stored."""
    size = artifact.run_metadata.get("storage_size", 0)
    return size if isinstance(size, int) else 0


def find_logs(run: UUID, store: BaseArtifactStore) -> list[StoredFile]:
    """Finds the logs of a run and its steps in the artifact store."""
    from zenml.client import Client

    found = Client().get_pipeline_run(run)
    logs = [*(found.log_collection or ()), *(log for step in found.steps.values() for log in step.log_collection or ())]
    uris = {log.uri for log in logs if log.uri and log.artifact_store_id == store.id}
    return [StoredFile(uri, _measure(uri, store)) for uri in sorted(uris) if store.exists(uri)]


def delete_stored(uri: str, store: BaseArtifactStore) -> None:
    """Deletes a file or a folder of the artifact store, and the folder above it if that is empty then."""
    if not store.exists(uri):
        return
    if store.isdir(uri):
        store.rmtree(uri)
    else:
        store.remove(uri)
    above = uri.rpartition("/")[0]
    if above != store.path.rstrip("/") and store.exists(above) and not store.listdir(above):
        store.rmtree(above)


def delete_run(run: UUID) -> None:
    """Deletes the record of a run."""
    from zenml.client import Client

    with suppress(KeyError):
        Client().delete_pipeline_run(run)


def delete_version(model: str, number: str) -> None:
    """Deletes the record of a version; its artifacts stay, and belong to no version then."""
    from zenml.client import Client

    with suppress(KeyError):
        Client().delete_model_version(Client().get_model_version(model, number).id)


def is_unused(artifact: UUID) -> bool:
    """Whether no run has read or written an artifact, and no version links to it."""
    from zenml.client import Client

    if not Client().list_artifact_versions(id=artifact, only_unused=True, size=1).total:
        return False
    return not Client().list_model_version_artifact_links(artifact_version_id=artifact, size=1).total


def delete_artifact(artifact: ArtifactVersionResponse, store: BaseArtifactStore) -> None:
    """Deletes the files of an artifact, then its record: after a crash, the record still leads to the files."""
    from zenml.client import Client

    delete_stored(artifact.uri, store)
    with suppress(KeyError):
        Client().delete_artifact_version(artifact.id)


def has_service(model: str, number: str) -> bool:
    """Whether a service of this version is on record in ZenML, on any machine: live, or on trial."""
    from zenml.client import Client

    version = Client().get_model_version(model, number)
    return bool(Client().list_services(model_version_id=version.id, size=1).total)


def _measure(uri: str, store: BaseArtifactStore) -> int:
    if not store.isdir(uri):
        return store.size(uri) or 0
    return sum(store.size(f"{os.fsdecode(d)}/{os.fsdecode(n)}") or 0 for d, _, names in store.walk(uri) for n in names)


def _with_zone(time: datetime) -> datetime:
    return time.replace(tzinfo=time.tzinfo or UTC)
