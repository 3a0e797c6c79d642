"""Tables in Parquet files, read in ranges of rows: a row group may be larger than the memory."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from contextlib import AbstractContextManager
from itertools import accumulate
from typing import IO, TYPE_CHECKING

from sentiment.errors import UserError, first_line
from sentiment.scoring.settings import ScoreSettings
from sentiment.scoring.storage import Storage
from sentiment.scoring.tables import MAX_GRAIN_BYTES, MAX_GRAIN_ROWS, Grain, InputFile, Rows, grain_rows

if TYPE_CHECKING:
    import pyarrow as pa
    from pyarrow.parquet import ParquetFile

PROBED_ROWS = 100  # of each row group
BUFFER_BYTES = 1 << 20  # pages are read one by one through it, not whole columns of a row group


class ParquetTable:
    """The table in a Parquet file."""

    def __init__(self, file: InputFile, storage: Storage, settings: ScoreSettings) -> None:
        self._path, self._storage, self._grain_rows = file.path, storage, grain_rows(settings.shard_rows)
        self._opened: AbstractContextManager[IO[bytes]] | None = None
        self._batches: Iterator[pa.RecordBatch] = iter(())
        self._next_row = 0  # that the batches give next, from 0
        self._group_end = 0  # of the row group that holds it: another one is reached faster by opening the file again
        self._left: pa.Table | None = None

        if file.compression:
            raise UserError("Parquet is compressed inside", where=file.path, remedy="Unpack it first.")

    def plan(self) -> tuple[pa.Schema, list[Grain]]:
        """See the protocol: reads the footer."""
        with self._storage.open(self._path) as stream:
            file = self._open(stream)
            found = list[Grain]()
            start = 0
            for number in range(file.num_row_groups):
                row_count = file.metadata.row_group(number).num_rows
                row_size = _row_size(file, number)
                rows = min(self._grain_rows, _rows_at_once(row_size))
                for offset in range(0, row_count, rows):
                    count = min(rows, row_count - offset)
                    found.append(Grain(start + offset, start + offset + 1, count, int(count * row_size)))
                start += row_count
            return file.schema_arrow, found

    def read(self, start: int, row: int, rows: int, schema: pa.Schema, text_column: str) -> Rows:
        """See the protocol."""
        import pyarrow as pa

        try:
            if not self._next_row <= start < self._group_end:
                self._begin(start)
            self._skip(start - self._next_row)
            taken = self._take(rows)
            texts = _as_bytes(taken.column(text_column)).to_pylist() if len(taken) else []
        except (pa.ArrowException, OSError) as error:
            self.close()
            raise UserError(f"cannot be read at row {row}: {first_line(error)}", where=self._path) from error
        if len(taken) < rows:
            raise UserError(f"ends after {start + len(taken)} rows", where=self._path, remedy="It has changed.")
        return Rows(taken, texts, range(row, row + rows), ())

    def close(self) -> None:
        """Closes the file."""
        if self._opened is not None:
            self._opened.__exit__(None, None, None)
        self._opened, self._batches, self._left = None, iter(()), None
        self._next_row = self._group_end = 0

    def _begin(self, start: int) -> None:
        """Opens the file at the row group that holds the row ``start``."""
        self.close()
        opened = self._storage.open(self._path)
        file = self._open(opened.__enter__())
        self._opened = opened
        groups = [file.metadata.row_group(number) for number in range(file.num_row_groups)]
        ends = list(accumulate(group.num_rows for group in groups))
        number = bisect_right(ends, start)
        if number < len(groups):
            self._next_row, self._group_end = ends[number] - groups[number].num_rows, ends[number]
        self._batches = (
            batch
            for group in range(number, len(groups))  # a damaged one does not spoil those before
            for batch in file.iter_batches(_rows_at_once(_row_size(file, group)), row_groups=[group], use_threads=False)
        )

    def _skip(self, rows: int) -> None:
        while rows > 0:
            skipped = len(self._take(min(rows, MAX_GRAIN_ROWS)))
            if not skipped:
                return
            rows -= skipped

    def _take(self, rows: int) -> pa.Table:
        import pyarrow as pa

        parts = [self._left] if self._left is not None else []
        held = sum(map(len, parts))
        while held < rows and (batch := next(self._batches, None)) is not None:
            parts.append(pa.Table.from_batches([batch]))
            held += len(batch)
        if not parts:
            return pa.table({})
        together = pa.concat_tables(parts)
        self._left = together.slice(rows) if held > rows else None
        self._next_row += min(rows, held)
        return together.slice(0, rows)

    def _open(self, stream: IO[bytes]) -> ParquetFile:
        import pyarrow as pa
        from pyarrow.parquet import ParquetFile

        try:
            return ParquetFile(stream, buffer_size=BUFFER_BYTES, pre_buffer=False)
        except (pa.ArrowException, OSError) as error:
            raise UserError(f"not a Parquet file: {first_line(error)}", where=self._path) from error


def _as_bytes(texts: pa.ChunkedArray) -> pa.ChunkedArray:
    """Returns texts undecoded, so that one in another encoding is one reject; other values stay."""
    import pyarrow as pa

    if pa.types.is_dictionary(texts.type):
        texts = texts.cast(texts.type.value_type)
    if pa.types.is_string_view(texts.type):
        texts = texts.cast(pa.string())
    return (
        texts.cast(pa.large_binary())
        if pa.types.is_string(texts.type) or pa.types.is_large_string(texts.type)
        else texts
    )


def _row_size(file: ParquetFile, number: int) -> float:
    """Returns about how many bytes a row of a row group takes in memory.

    The footer knows the size of encoded columns only: a long value that repeats is stored once, and read many times.
    """
    import pyarrow as pa

    group = file.metadata.row_group(number)
    try:
        first = next(file.iter_batches(PROBED_ROWS, row_groups=[number], use_threads=False), None)
    except (pa.ArrowException, OSError):  # damaged: reading it for its rows says where
        first = None
    read = first.nbytes / len(first) if first is not None and len(first) else 0.0
    return float(max(group.total_byte_size / max(group.num_rows, 1), read, 1.0))


def _rows_at_once(row_size: float) -> int:
    """Returns how many rows are read at once, so that long ones do not fill the memory."""
    return max(1, min(MAX_GRAIN_ROWS, int(MAX_GRAIN_BYTES / row_size)))
