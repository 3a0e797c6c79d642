"""Stored artifacts: whether the store still holds what ZenML has on record."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, cast
from uuid import UUID

if TYPE_CHECKING:
    from zenml.artifact_stores import BaseArtifactStore
    from zenml.models import ArtifactVersionResponse


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
