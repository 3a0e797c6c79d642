"""Stored artifacts: whether the artifact store still holds their bytes, and loading them."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, cast
from uuid import UUID

if TYPE_CHECKING:
    from zenml.artifact_stores import BaseArtifactStore
    from zenml.models import ArtifactVersionResponse

# ZenML records the type of an artifact by its import path. These types have moved since they were first stored.
MOVED = {
    "sentiment.evaluation.metrics.Evaluation": "sentiment.evaluation.measure.Evaluation",
    "sentiment.evaluation.comparison.Decision": "sentiment.promotion.decision.Decision",
    "sentiment.models.transformer.TransformerCheckpoint": "sentiment.models.checkpoint.TransformerCheckpoint",
}


def open_store(identifier: UUID) -> BaseArtifactStore:
    """Returns a new artifact store object: the active stack's may have cached listings that are out of date."""
    from zenml.artifact_stores import BaseArtifactStore
    from zenml.client import Client
    from zenml.enums import StackComponentType

    found = Client().get_stack_component(StackComponentType.ARTIFACT_STORE, identifier)
    return cast(BaseArtifactStore, BaseArtifactStore.from_model(found))


def is_complete(artifact: ArtifactVersionResponse, store: BaseArtifactStore) -> bool:
    """Whether the store still holds all bytes of an artifact that ZenML has on record."""
    found = [
        (os.fsdecode(folder), os.fsdecode(name)) for folder, _, names in store.walk(artifact.uri) for name in names
    ]
    held: int = sum(store.size(f"{folder}/{name}") or 0 for folder, name in found)
    return held > 0 and held == artifact.run_metadata.get("storage_size", held)


def load_artifact(artifact: ArtifactVersionResponse) -> Any:  # noqa: ANN401  # whichever type was stored
    """Loads an artifact, also one whose type has moved since it was stored."""
    from zenml.config.source import Source

    recorded = artifact.data_type
    moved = MOVED.get(recorded.import_path)
    if moved is None or artifact.body is None:
        return artifact.load()
    current = Source.from_import_path(moved).model_copy(update={"type": recorded.type})
    body = artifact.body.model_copy(update={"data_type": current})
    return artifact.model_copy(update={"body": body}).load()
