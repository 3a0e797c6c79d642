"""Checkpoints, stored as the files they are."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any, ClassVar

from zenml.enums import ArtifactType

from materializers.directory import DirectoryMaterializer
from sentiment.models.checkpoint import TransformerCheckpoint


class CheckpointMaterializer(DirectoryMaterializer[TransformerCheckpoint]):
    """A trained network: safetensors, tokenizer, how it was trained, and its profile where there is one."""

    ASSOCIATED_TYPES: ClassVar[tuple[type[Any], ...]] = (TransformerCheckpoint,)
    ASSOCIATED_ARTIFACT_TYPE: ClassVar[ArtifactType] = ArtifactType.MODEL

    def write(self, value: TransformerCheckpoint, directory: Path) -> None:
        """See the base class."""
        shutil.copytree(value.path, directory, dirs_exist_ok=True)

    def read(self, directory: Path) -> TransformerCheckpoint:
        """See the base class."""
        return TransformerCheckpoint.load(directory)

    def page(self, value: TransformerCheckpoint) -> str:
        """How it was trained, and where a step of the training went if it was profiled."""
        from sentiment.models.step_profile import StepProfile
        from sentiment.pages.training import training_page

        return training_page(value.report, StepProfile.read(value.path))

    def fingerprint(self, value: TransformerCheckpoint) -> str:
        """SHA-256 of the weights."""
        from sentiment.hashing import sha256

        return sha256(value.path / "model.safetensors")
