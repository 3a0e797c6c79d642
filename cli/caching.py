"""What a run may take from cache, said in plain words."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Console

from registry.artifacts import artifact_store, complete

if TYPE_CHECKING:
    from zenml.models import StepRunResponse


@contextmanager
def only_what_is_stored(console: Console) -> Iterator[None]:
    """Within the block, a step comes from cache only if the files of its outputs are there; else it runs again.

    ZenML looks a step up in its records and not into the artifact store, from which somebody may have taken files. So
    every record that it finds is checked, and expires if it leads nowhere.
    """
    from zenml.client import Client
    from zenml.orchestrators import cache_utils

    look_up = cache_utils.get_cached_step_run
    store = artifact_store(Client().active_stack.artifact_store.id)

    def stored(cache_key: str) -> StepRunResponse | None:
        while found := look_up(cache_key):
            outputs = (artifact for artifacts in found.outputs.values() for artifact in artifacts)
            if all(complete(artifact, store) for artifact in outputs):
                return found
            console.print(f"[yellow]![/] {found.name}  files of what it made are gone: not from cache")
            Client().update_step_run(found.id, cache_expires_at=found.created)
        return None

    cache_utils.get_cached_step_run = stored
    try:
        yield
    finally:
        cache_utils.get_cached_step_run = look_up


def why_nothing_is_cached(pipeline: str) -> str | None:
    """Why nothing of earlier runs can serve this one: the active stack stores artifacts where no run has stored any."""
    from zenml.client import Client

    client = Client()
    store = client.active_stack.artifact_store
    if client.list_artifact_versions(artifact_store_id=store.id, uri=f"startswith:{store.path}", size=1).total:
        return None
    if not client.list_pipeline_runs(pipeline_name=pipeline, size=1).total:
        return None  # the very first run
    return f"nothing from cache: this stack's artifact store, {store.path}, has seen no run yet"
