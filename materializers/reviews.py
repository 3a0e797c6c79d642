"""Reviews and Splits, stored as Parquet."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any, ClassVar

import pandas as pd
from pydantic import TypeAdapter
from zenml.enums import ArtifactType

from materializers.directory import DirectoryMaterializer
from sentiment.reviews.table import SPLITS, Reviews, RowCount, Splits

MAX_SOURCES = 50  # a column of sources may name every film
ROW_COUNTS = TypeAdapter(tuple[RowCount, ...])


class ReviewsMaterializer(DirectoryMaterializer[Reviews]):
    """Reviews as one Parquet file."""

    ASSOCIATED_TYPES: ClassVar[tuple[type[Any], ...]] = (Reviews,)
    ASSOCIATED_ARTIFACT_TYPE: ClassVar[ArtifactType] = ArtifactType.DATA

    def write(self, value: Reviews, directory: Path) -> None:
        """See the base class."""
        value.frame.to_parquet(directory / "reviews.parquet", index=False)
        _write_row_counts(value.row_counts, directory)

    def read(self, directory: Path) -> Reviews:
        """See the base class."""
        return Reviews(pd.read_parquet(directory / "reviews.parquet"), _read_row_counts(directory))

    def page(self, value: Reviews) -> str:
        """Counts, lengths and samples."""
        from sentiment.pages.reviews import reviews_page

        return reviews_page(value)

    def fingerprint(self, value: Reviews) -> str:
        """Covers the row counts, too: the splits repeat them."""
        row_counts = "".join(count.model_dump_json() for count in value.row_counts)
        return hashlib.sha256((value.fingerprint + row_counts).encode("utf-8", "surrogatepass")).hexdigest()

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
        _write_row_counts(value.row_counts, directory)

    def read(self, directory: Path) -> Splits:
        """See the base class."""
        parts = {name: Reviews(pd.read_parquet(directory / f"{name}.parquet")) for name in SPLITS}
        return Splits(**parts, row_counts=_read_row_counts(directory))

    def page(self, value: Splits) -> str:
        """Row counts; reviews by split, source and label."""
        from sentiment.pages.reviews import splits_page

        return splits_page(value)

    def fingerprint(self, value: Splits) -> str:
        """See the base class."""
        return value.fingerprint

    def extract_metadata(self, data: Splits) -> dict[str, Any]:
        """Rows by split, for the dashboard."""
        return {"fingerprint": data.fingerprint, **{name: len(getattr(data, name)) for name in SPLITS}}


def _write_row_counts(row_counts: tuple[RowCount, ...], directory: Path) -> None:
    (directory / "row_counts.json").write_bytes(ROW_COUNTS.dump_json(row_counts))


def _read_row_counts(directory: Path) -> tuple[RowCount, ...]:
    file = directory / "row_counts.json"  # older artifacts have none
    return ROW_COUNTS.validate_json(file.read_bytes()) if file.exists() else ()
