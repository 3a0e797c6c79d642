"""The formats of input files: how each is recognised and read."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import PurePosixPath

from sentiment.errors import UserError
from sentiment.scoring.parquet_table import ParquetTable
from sentiment.scoring.settings import ScoreSettings
from sentiment.scoring.storage import Storage
from sentiment.scoring.tables import InputFile, Table
from sentiment.scoring.text_tables import DelimitedTable, JsonTable

SUFFIXES = {".csv": "csv", ".tsv": "tsv", ".jsonl": "jsonl", ".ndjson": "jsonl", ".parquet": "parquet"}
COMPRESSIONS = {".gz": "gz", ".zst": "zst"}
TABLES: dict[str, Callable[[InputFile, Storage, ScoreSettings], Table]] = {
    "csv": DelimitedTable,
    "tsv": DelimitedTable,
    "jsonl": JsonTable,
    "parquet": ParquetTable,
}


def as_input_file(path: str, settings: ScoreSettings) -> InputFile:
    """Recognises the format of a file by its name, unless the settings name it.

    Raises:
        UserError: If it is of no known format.
    """
    name = PurePosixPath(path)
    compression = COMPRESSIONS.get(name.suffix.lower(), "")
    suffix = PurePosixPath(name.stem).suffix if compression else name.suffix
    found = settings.input_format or SUFFIXES.get(suffix.lower())
    if found is None:
        raise UserError(
            "unknown kind of file",
            where=path,
            remedy=f"Known suffixes: {', '.join(SUFFIXES)}, each also with .gz or .zst; or set input_format.",
        )
    return InputFile(path, found, compression)


def open_table(file: InputFile, storage: Storage, settings: ScoreSettings) -> Table:
    """Returns the table in a file."""
    return TABLES[file.format](file, storage, settings)
