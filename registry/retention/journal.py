"""The journal of a deletion: a file beside the artifacts that lists everything that may be half-deleted."""

from __future__ import annotations

import json
import os
import socket
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from stacks.probes.storage import JOURNAL

if TYPE_CHECKING:
    from zenml.artifact_stores import BaseArtifactStore


@dataclass(frozen=True)
class Journal:
    """What a deletion is about to delete.

    Attributes:
        started: When it began, ISO 8601 in UTC, and where.
        versions: ``model:number`` of versions.
        runs: Names of pipeline runs.
        artifacts: Identifiers of artifact versions in ZenML.
        mlflow_runs: Identifiers of runs in MLflow.
        mlflow_models: Identifiers of logged models in MLflow.
    """

    started: str = ""
    versions: tuple[str, ...] = ()
    runs: tuple[str, ...] = ()
    artifacts: tuple[str, ...] = ()
    mlflow_runs: tuple[str, ...] = ()
    mlflow_models: tuple[str, ...] = ()


def read_journal(store: BaseArtifactStore) -> Journal:
    """Reads the journal of a deletion that did not finish; an empty one if there is none, or it was cut short.

    A journal that was cut short belongs to a deletion that had deleted nothing yet.
    """
    path = _path(store)
    if not store.exists(path):
        return Journal()
    with store.open(path, "r") as file:
        text = file.read()
    try:
        values = json.loads(text)
    except ValueError:
        return Journal()
    return Journal(values.pop("started"), **{name: tuple(value) for name, value in values.items()})


def write_journal(store: BaseArtifactStore, journal: Journal) -> None:
    """Writes the journal, whole, before anything is deleted."""
    started = f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC on {socket.gethostname()}, process {os.getpid()}"
    with store.open(_path(store), "w") as file:
        file.write(json.dumps({**asdict(journal), "started": started}))


def remove_journal(store: BaseArtifactStore) -> None:
    """Removes the journal, after everything that it lists is gone."""
    if store.exists(_path(store)):
        store.remove(_path(store))


def _path(store: BaseArtifactStore) -> str:
    return f"{store.path.rstrip('/')}/{JOURNAL}"
