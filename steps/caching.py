"""When a step may be served from cache: same inputs, settings and code below it, and its outputs still have files."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, cast
from uuid import UUID

from zenml.config.cache_policy import CachePolicy

if TYPE_CHECKING:
    from zenml.artifact_stores import BaseArtifactStore
    from zenml.models import ArtifactVersionResponse

ROOT = Path(__file__).resolve().parents[1]
SERVED = tuple(f"sentiment/models/{name}.py" for name in ("classifier", "features", "servable", "truncation"))


def depends_on(*places: str | Path) -> CachePolicy:
    """A cache policy that also looks at files; ZenML by itself sees only the step function's own code.

    Args:
        places: Files or folders of Python files, relative to the repository or absolute.
    """
    files = [file for place in places for file in _files(ROOT / place)]
    return CachePolicy(file_dependencies=[os.path.relpath(file, ROOT) for file in files])


def artifact_store(identifier: UUID) -> BaseArtifactStore:
    """An artifact store that looks for itself: the active stack's may recall what was there before."""
    from zenml.artifact_stores import BaseArtifactStore
    from zenml.client import Client
    from zenml.enums import StackComponentType

    found = Client().get_stack_component(StackComponentType.ARTIFACT_STORE, identifier)
    return cast(BaseArtifactStore, BaseArtifactStore.from_model(found))


def complete(artifact: ArtifactVersionResponse, store: BaseArtifactStore) -> bool:
    """Whether the store still holds all bytes of an artifact that ZenML has on record."""
    found = [
        (os.fsdecode(folder), os.fsdecode(name)) for folder, _, names in store.walk(artifact.uri) for name in names
    ]
    held: int = sum(store.size(f"{folder}/{name}") or 0 for folder, name in found)
    return held > 0 and held == artifact.run_metadata.get("storage_size", held)


def _files(place: Path) -> list[Path]:
    return sorted(place.rglob("*.py")) if place.is_dir() else [place]
