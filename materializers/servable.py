"""Servables, stored as the files they are."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any, ClassVar

from zenml.enums import ArtifactType

from materializers.directory import DirectoryMaterializer
from sentiment.models.servable import Servable


class ServableMaterializer(DirectoryMaterializer[Servable]):
    """A servable directory."""

    ASSOCIATED_TYPES: ClassVar[tuple[type[Any], ...]] = (Servable,)
    ASSOCIATED_ARTIFACT_TYPE: ClassVar[ArtifactType] = ArtifactType.MODEL

    def write(self, value: Servable, directory: Path) -> None:
        """See the base class."""
        shutil.copytree(value.path, directory, dirs_exist_ok=True)

    def read(self, directory: Path) -> Servable:
        """See the base class."""
        return Servable(directory)

    def page(self, value: Servable) -> str:
        """The manifest."""
        from dataclasses import asdict

        from sentiment.pages.servable import servable_page

        return servable_page({**asdict(value.manifest), "size_mb": value.size_mb, "fingerprint": value.fingerprint})

    def fingerprint(self, value: Servable) -> str:
        """See the base class."""
        return value.fingerprint

    def extract_metadata(self, data: Servable) -> dict[str, Any]:
        """Returns the facts that identify the version, for the dashboard and for queries."""
        manifest = data.manifest
        return {
            "kind": manifest.kind,
            "format": manifest.format,
            "fingerprint": data.fingerprint,
            "size_mb": round(data.size_mb, 2),
        }
