"""Inputs that cannot be read twice or in parallel: standard input, databases, and sources of reviews.

They are copied into the job's folder first. So a killed job goes on with the rows that it began with.
"""

from __future__ import annotations

import json
import shutil
import sys
from typing import TYPE_CHECKING

from sentiment import progress
from sentiment.errors import UserError
from sentiment.reviews import databases
from sentiment.reviews.sources import SOURCES, SourceSettings
from sentiment.scoring.job import SPOOL, Target, show_input
from sentiment.scoring.settings import ScoreSettings
from sentiment.scoring.storage import Storage

if TYPE_CHECKING:
    import pyarrow as pa

STANDARD = "-"  # standard input and output
BATCH_ROWS = 10_000
COMPLETE = "_complete"  # file that is written when everything is copied, and says of what


def bring_in(settings: ScoreSettings, target: Target, storage: Storage, *, restart: bool) -> tuple[str, str]:
    """Returns the address of an input's files, and the default column of its text; copies the input first if need be.

    Args:
        settings: The settings of the job.
        target: Where the result goes.
        storage: Reads and writes files.
        restart: Whether to copy an input again that an earlier run of the job has copied.

    Raises:
        UserError: If the input cannot be read.
    """
    assert settings.input is not None  # the command line requires it
    kind, _, address = settings.input.partition(":")
    folder = f"{target.folder}/{SPOOL}"
    if settings.input == STANDARD:
        path = f"{folder}/stdin.{settings.input_format or 'csv'}"
        with storage.write(path) as sink:  # again at every run: if it differs, the job is refused
            shutil.copyfileobj(sys.stdin.buffer, sink, 1 << 20)
        return path, "text"
    if kind == "file" or kind not in SOURCES:
        return settings.input.removeprefix("file:"), "text"
    source = {"input": show_input(settings), "query": settings.query}
    copied = _read_copied(folder, storage)
    if restart or copied.pop("text_column", None) is None or copied != source:
        storage.remove(folder)
        text_column = (
            _copy_query(address, settings, folder, storage)
            if kind == "sql"
            else _copy_source(settings.input, folder, storage)
        )
        storage.put(f"{folder}/{COMPLETE}", json.dumps({**source, "text_column": text_column}).encode())
    return folder, str(_read_copied(folder, storage)["text_column"])


def _read_copied(folder: str, storage: Storage) -> dict[str, object]:
    """Returns what the copy in a folder is of; empty if there is none, or only a part."""
    path = f"{folder}/{COMPLETE}"
    return dict(json.loads(storage.read(path))) if storage.is_file(path) else {}


def _copy_query(url: str, settings: ScoreSettings, folder: str, storage: Storage) -> str:
    """Copies the result of a query, a file for each batch of rows; returns the default column of the text."""
    import pyarrow as pa

    for number, (names, rows) in enumerate(databases.stream(url, settings.query, rows=BATCH_ROWS)):
        columns = zip(*rows, strict=True) if rows else ((),) * len(names)
        try:
            table = pa.table([pa.array(column) for column in columns], names=names)
        except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
            raise UserError(
                f"a column holds values of several types: {str(error).splitlines()[0][:200]}",
                where=databases.address(url),
                remedy="Convert it in the query, such as CAST(column AS TEXT).",
            ) from None
        _write(table, f"{folder}/input-{number:06d}.parquet", storage)
        progress.report("read input", 0, 1, rows=number * BATCH_ROWS + len(rows))
    return "text"


def _copy_source(source: str, folder: str, storage: Storage) -> str:
    """Copies a source of reviews as it is stored; returns the default column of its text."""
    import pyarrow as pa

    kind, _, address = source.partition(":")
    table = SOURCES[kind].read(address, SourceSettings(source=source))
    _write(pa.Table.from_pandas(table.frame, preserve_index=False), f"{folder}/input.parquet", storage)
    return table.text


def _write(table: pa.Table, path: str, storage: Storage) -> None:
    import pyarrow.parquet

    with storage.write(path) as sink:
        pyarrow.parquet.write_table(table, sink, compression="zstd")
