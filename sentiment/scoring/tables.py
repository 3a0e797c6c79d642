"""Input files: which they are, what they hold, and where they are cut.

A file is planned once, from its start to its end, and later read in ranges of rows. Planning finds the columns and the
places where reading can begin.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    import pyarrow as pa

JSON_VALUES = {b"json": b"1"}  # metadata of a column of text whose values are JSON
MAX_GRAIN_ROWS = 1000  # rows between two places where reading can begin
MAX_GRAIN_BYTES = 4 << 20  # there are fewer if they are long


class Grain(NamedTuple):
    """The smallest range of a file that is read by itself.

    Attributes:
        start: Position where reading begins: bytes of (decompressed) text, or rows of Parquet.
        row: Number of its first row in the file, from 1.
        rows: Number of its rows.
        size: Bytes, decompressed; of Parquet about as many.
    """

    start: int
    row: int
    rows: int
    size: int


@dataclass(frozen=True)
class InputFile:
    """A file to score.

    Attributes:
        path: Path or ``s3://`` URL.
        format: ``csv``, ``tsv``, ``jsonl`` or ``parquet``.
        compression: ``gz``, ``zst`` or empty.
    """

    path: str
    format: str
    compression: str = ""


@dataclass(frozen=True)
class FilePlan:
    """A file as it was found.

    Attributes:
        file: The file.
        size: Its bytes.
        digest: Name of its content.
        stamp: A cheap sign of a change while the job runs.
        schema: Its columns.
        grains: Ranges that together hold every row once, in order.
    """

    file: InputFile
    size: int
    digest: str
    stamp: tuple[int, str]
    schema: pa.Schema
    grains: tuple[Grain, ...]


class Reject(NamedTuple):
    """A row that cannot be scored.

    Attributes:
        row: Its number in the file, from 1.
        reason: The reason, the same words for the same problem: rejects are counted by it.
    """

    row: int
    reason: str


@dataclass(frozen=True)
class Rows:
    """Rows of a file.

    Attributes:
        table: The rows that can be read; the file's columns.
        texts: Their values in the column of the text, as they are stored.
        numbers: Their numbers in the file, from 1.
        rejects: Rows between them that cannot be read.
    """

    table: pa.Table
    texts: Sequence[object]
    numbers: Sequence[int]
    rejects: Sequence[Reject]


class Table(Protocol):
    """A format of tables. An object belongs to one file and may keep it open between two calls."""

    def plan(self) -> tuple[pa.Schema, list[Grain]]:
        """Reads the whole file: its columns and its grains."""

    def read(self, start: int, row: int, rows: int, schema: pa.Schema, text_column: str) -> Rows:
        """Reads ``rows`` rows; the first one has the number ``row``, and begins at ``start``."""


def holds_json(field: pa.Field) -> bool:
    """Whether the values of a column of text are JSON."""
    return (field.metadata or {}).items() >= JSON_VALUES.items()


def grain_rows(shard_rows: int | None) -> int:
    """Returns the maximum number of rows of a grain: a shard has one at least."""
    return min(MAX_GRAIN_ROWS, shard_rows or MAX_GRAIN_ROWS)


def grains(sizes: Iterator[int], start: int, max_rows: int) -> list[Grain]:
    """Cuts a text into grains.

    Args:
        sizes: Bytes of every record.
        start: Position of the first one.
        max_rows: Maximum number of rows of a grain.
    """
    found = list[Grain]()
    row, rows, size = 1, 0, 0
    for more in sizes:
        rows, size = rows + 1, size + more
        if rows >= max_rows or size >= MAX_GRAIN_BYTES:
            found.append(Grain(start, row, rows, size))
            start, row, rows, size = start + size, row + rows, 0, 0
    if rows:
        found.append(Grain(start, row, rows, size))
    return found
