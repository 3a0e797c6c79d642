"""The journal of a deletion: a file beside the artifacts that lists everything that may be half-deleted."""

from __future__ import annotations

import json
import os
import socket
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from sentiment.errors import UserError
from stacks.probes.storage import JOURNAL

if TYPE_CHECKING:
    from zenml.artifact_stores import BaseArtifactStore

DAMAGED = (
    "Rename it to keep it, and prune again. It named what was half-deleted: run.py status shows versions that only "
    "MLflow has, and zenml artifact version list --only_unused=true lists artifacts of no run."
)


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
    """Reads the journal of a deletion that did not finish; an empty one if there is none.

    Raises:
        UserError: If it is damaged: what that deletion left is not known then.
    """
    path = _path(store)
    if not store.exists(path):
        return Journal()
    with store.open(path, "r") as file:
        text = file.read()
    try:
        values = json.loads(text)
        return Journal(values.pop("started"), **{name: tuple(value) for name, value in values.items()})
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UserError("the journal of an earlier prune is damaged", where=path, remedy=DAMAGED) from error


def write_journal(store: BaseArtifactStore, journal: Journal) -> None:
    """Writes the journal before anything is deleted; a crash leaves the old one or the new one, never half of one."""
    started = f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC on {socket.gethostname()}, process {os.getpid()}"
    new = f"{_path(store)}.new"
    with store.open(new, "w") as file:
        file.write(json.dumps({**asdict(journal), "started": started}))
    store.rename(new, _path(store), overwrite=True)


def remove_journal(store: BaseArtifactStore) -> None:
    """Removes the journal, after everything that it lists is gone."""
    if store.exists(_path(store)):
        store.remove(_path(store))


def _path(store: BaseArtifactStore) -> str:
    return f"{store.path.rstrip('/')}/{JOURNAL}"
