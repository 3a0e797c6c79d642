"""Windows and References, stored as Parquet and JSON."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

from zenml.enums import ArtifactType

from materializers.directory import DirectoryMaterializer
from sentiment.monitoring.reference import Reference
from sentiment.monitoring.window import Window


class WindowMaterializer(DirectoryMaterializer[Window]):
    """A window: its predictions as Parquet, its facts as JSON."""

    ASSOCIATED_TYPES: ClassVar[tuple[type[Any], ...]] = (Window,)
    ASSOCIATED_ARTIFACT_TYPE: ClassVar[ArtifactType] = ArtifactType.DATA

    def write(self, value: Window, directory: Path) -> None:
        """See the base class."""
        value.save(directory)

    def read(self, directory: Path) -> Window:
        """See the base class."""
        return Window.load(directory)

    def page(self, value: Window) -> str:
        """Returns the window's version, and the parts of the log that are not in it."""
        from sentiment.pages.monitoring import window_page

        return window_page(value)

    def fingerprint(self, value: Window) -> str:
        """See the base class."""
        return value.fingerprint

    def extract_metadata(self, data: Window) -> dict[str, Any]:
        """How much it holds, for the dashboard."""
        facts = data.facts
        return {"version": facts.model_version, "predictions": facts.seen, "labels": len(data.labelled)}


class ReferenceMaterializer(DirectoryMaterializer[Reference]):
    """A reference: its predictions as Parquet, whose they are as JSON."""

    ASSOCIATED_TYPES: ClassVar[tuple[type[Any], ...]] = (Reference,)
    ASSOCIATED_ARTIFACT_TYPE: ClassVar[ArtifactType] = ArtifactType.DATA

    def write(self, value: Reference, directory: Path) -> None:
        """See the base class."""
        value.save(directory)

    def read(self, directory: Path) -> Reference:
        """See the base class."""
        return Reference.load(directory)

    def page(self, value: Reference) -> str:
        """Whose predictions, and how they are spread."""
        from sentiment.pages.monitoring import reference_page

        return reference_page(value)

    def fingerprint(self, value: Reference) -> str:
        """See the base class."""
        return value.fingerprint

    def extract_metadata(self, data: Reference) -> dict[str, Any]:
        """How much it holds, for the dashboard."""
        return {"version": data.model_version, "reviews": len(data.predictions), "accuracy": round(data.accuracy, 5)}
