"""Keeps runs from using cached steps whose files are gone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Console

from registry.artifacts import is_complete, open_store

if TYPE_CHECKING:
    from zenml.models import StepRunResponse


@contextmanager
def reuse_only_stored(console: Console) -> Iterator[None]:
    """Runs a step again within the block if the files of its cached outputs are gone.

    ZenML finds a cached step in its records and does not check the artifact store, where files may be missing. This
    checks every record that ZenML finds, and lets it expire if files are missing.
    """
    from zenml.client import Client
    from zenml.orchestrators import cache_utils

    find_cached = cache_utils.get_cached_step_run
    store = open_store(Client().active_stack.artifact_store.id)

    def find_stored(cache_key: str) -> StepRunResponse | None:
        while found := find_cached(cache_key):
            outputs = (artifact for artifacts in found.outputs.values() for artifact in artifacts)
            if all(is_complete(artifact, store) for artifact in outputs):
                return found
            console.print(f"[yellow]![/] {found.name}  files of its output are gone: not from cache")
            Client().update_step_run(found.id, cache_expires_at=found.created)
        return None

    cache_utils.get_cached_step_run = find_stored
    try:
        yield
    finally:
        cache_utils.get_cached_step_run = find_cached


def explain_empty_cache(pipeline: str) -> str | None:
    """Returns why no earlier run can serve this one: no run has used the stack's artifact store; None if one has."""
    from zenml.client import Client

    client = Client()
    store = client.active_stack.artifact_store
    if client.list_artifact_versions(artifact_store_id=store.id, uri=f"startswith:{store.path}", size=1).total:
        return None
    if not client.list_pipeline_runs(pipeline_name=pipeline, size=1).total:
        return None  # the very first run
    return f"nothing from cache: no run has used this stack's artifact store, {store.path}, before"
