"""Checkpoints, stored as the files they are."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any, ClassVar

from zenml.enums import ArtifactType

from materializers.directory import DirectoryMaterializer
from sentiment.models.checkpoint import TransformerCheckpoint


class CheckpointMaterializer(DirectoryMaterializer[TransformerCheckpoint]):
    """A fine-tuned encoder: safetensors, tokenizer and how it was trained."""

    ASSOCIATED_TYPES: ClassVar[tuple[type[Any], ...]] = (TransformerCheckpoint,)
    ASSOCIATED_ARTIFACT_TYPE: ClassVar[ArtifactType] = ArtifactType.MODEL

    def write(self, value: TransformerCheckpoint, directory: Path) -> None:
        """See the base class."""
        shutil.copytree(value.path, directory, dirs_exist_ok=True)

    def read(self, directory: Path) -> TransformerCheckpoint:
        """See the base class."""
        return TransformerCheckpoint.load(directory)

    def page(self, value: TransformerCheckpoint) -> str:
        """How it was trained."""
        from sentiment.pages.servable import servable_page

        return servable_page(value.report.model_dump())

    def fingerprint(self, value: TransformerCheckpoint) -> str:
        """SHA-256 of the weights."""
        from sentiment.hashing import sha256

        return sha256(value.path / "model.safetensors")
