"""Tables in Parquet files, read in ranges of rows: a row group may be larger than the memory."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from contextlib import AbstractContextManager
from itertools import accumulate
from typing import IO, TYPE_CHECKING

from sentiment.errors import UserError
from sentiment.scoring.settings import ScoreSettings
from sentiment.scoring.storage import Storage
from sentiment.scoring.tables import GRAIN_BYTES, GRAIN_ROWS, Grain, InputFile, Rows, grain_rows

if TYPE_CHECKING:
    import pyarrow as pa
    from pyarrow.parquet import ParquetFile, RowGroupMetaData

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
                group = file.metadata.row_group(number)
                rows, row_size = min(self._grain_rows, _rows_at_once(group)), _row_size(group)
                for offset in range(0, group.num_rows, rows):
                    count = min(rows, group.num_rows - offset)
                    found.append(Grain(start + offset, start + offset + 1, count, int(count * row_size)))
                start += group.num_rows
            return file.schema_arrow, found

    def read(self, start: int, row: int, rows: int, schema: pa.Schema, text_column: str) -> Rows:
        """See the protocol."""
        import pyarrow as pa

        try:
            if not self._next_row <= start < self._group_end:
                self._begin(start)
            self._skip(start - self._next_row)
            taken = self._take(rows)
        except (pa.ArrowException, OSError) as error:
            self.close()
            raise UserError(f"cannot be read at row {row}: {_first_line(error)}", where=self._path) from error
        if len(taken) < rows:
            raise UserError(f"ends after {start + len(taken)} rows", where=self._path, remedy="It has changed.")
        texts = taken.column(text_column).to_pylist()
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
            for batch in file.iter_batches(_rows_at_once(groups[group]), row_groups=[group], use_threads=False)
        )

    def _skip(self, rows: int) -> None:
        while rows > 0:
            skipped = len(self._take(min(rows, GRAIN_ROWS)))
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
            raise UserError(f"not a Parquet file: {_first_line(error)}", where=self._path) from error


def _row_size(group: RowGroupMetaData) -> float:
    """Returns about how many bytes a row takes in memory."""
    return float(group.total_byte_size / max(group.num_rows, 1))


def _rows_at_once(group: RowGroupMetaData) -> int:
    """Returns how many rows of a row group are read at once, so that long ones do not fill the memory."""
    return max(1, min(GRAIN_ROWS, int(GRAIN_BYTES / max(_row_size(group), 1))))


def _first_line(error: BaseException) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0][:200]
