"""Reviews and Splits, stored as Parquet."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any, ClassVar

import pandas as pd
from pydantic import TypeAdapter
from zenml.enums import ArtifactType

from materializers.directory import DirectoryMaterializer
from sentiment.reviews.table import SPLITS, Fate, Reviews, Splits

MAX_SOURCES = 50  # a column of sources may name every film
FATES = TypeAdapter(tuple[Fate, ...])


class ReviewsMaterializer(DirectoryMaterializer[Reviews]):
    """Reviews as one Parquet file."""

    ASSOCIATED_TYPES: ClassVar[tuple[type[Any], ...]] = (Reviews,)
    ASSOCIATED_ARTIFACT_TYPE: ClassVar[ArtifactType] = ArtifactType.DATA

    def write(self, value: Reviews, directory: Path) -> None:
        """See the base class."""
        value.frame.to_parquet(directory / "reviews.parquet", index=False)
        _write_fates(value.fates, directory)

    def read(self, directory: Path) -> Reviews:
        """See the base class."""
        return Reviews(pd.read_parquet(directory / "reviews.parquet"), _read_fates(directory))

    def page(self, value: Reviews) -> str:
        """Counts, lengths and samples."""
        from sentiment.pages.reviews import reviews_page

        return reviews_page(value)

    def fingerprint(self, value: Reviews) -> str:
        """Of the reviews and of the fates of the others, so that the splits tell of them."""
        fates = "".join(fate.model_dump_json() for fate in value.fates)
        return hashlib.sha256((value.fingerprint + fates).encode("utf-8", "surrogatepass")).hexdigest()

    def extract_metadata(self, data: Reviews) -> dict[str, Any]:
        """Rows, and those of the largest sources, for the dashboard."""
        counts = data.frame["source"].value_counts().head(MAX_SOURCES)
        return {"rows": len(data), "rows_by_source": {str(name): int(rows) for name, rows in counts.items()}}


class SplitsMaterializer(DirectoryMaterializer[Splits]):
    """Splits as three Parquet files."""

    ASSOCIATED_TYPES: ClassVar[tuple[type[Any], ...]] = (Splits,)
    ASSOCIATED_ARTIFACT_TYPE: ClassVar[ArtifactType] = ArtifactType.DATA

    def write(self, value: Splits, directory: Path) -> None:
        """See the base class."""
        for name in SPLITS:
            getattr(value, name).frame.to_parquet(directory / f"{name}.parquet", index=False)
        _write_fates(value.fates, directory)

    def read(self, directory: Path) -> Splits:
        """See the base class."""
        parts = {name: Reviews(pd.read_parquet(directory / f"{name}.parquet")) for name in SPLITS}
        return Splits(**parts, fates=_read_fates(directory))

    def page(self, value: Splits) -> str:
        """Fates of the rows; counts by split, source and label."""
        from sentiment.pages.reviews import splits_page

        return splits_page(value)

    def fingerprint(self, value: Splits) -> str:
        """See the base class."""
        return value.fingerprint

    def extract_metadata(self, data: Splits) -> dict[str, Any]:
        """Rows by split, for the dashboard."""
        return {"fingerprint": data.fingerprint, **{name: len(getattr(data, name)) for name in SPLITS}}


def _write_fates(fates: tuple[Fate, ...], directory: Path) -> None:
    (directory / "fates.json").write_bytes(FATES.dump_json(fates))


def _read_fates(directory: Path) -> tuple[Fate, ...]:
    file = directory / "fates.json"  # older artifacts have none
    return FATES.validate_json(file.read_bytes()) if file.exists() else ()
