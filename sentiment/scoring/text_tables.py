"""Tables in CSV, TSV and JSON lines, plain or compressed, read in ranges of bytes that begin and end with a record.

Unlike a training, a job rejects a damaged row and goes on: a row in another encoding, with too few values, or not JSON.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, NamedTuple

from sentiment.errors import UserError, first_line
from sentiment.reviews.delimited import SEPARATORS
from sentiment.scoring.settings import ScoreSettings
from sentiment.scoring.storage import Storage
from sentiment.scoring.tables import JSON_VALUES, Grain, InputFile, Reject, Rows, grain_rows, grains, holds_json

if TYPE_CHECKING:
    import pyarrow as pa

BUFFER_BYTES = 1 << 20
MAX_VALUE_BYTES = 64 << 20  # otherwise a quotation mark that is never closed takes all memory
UTF8_BOM = b"\xef\xbb\xbf"
ARROW_NAMES = {"gz": "gzip", "zst": "zstd"}
MAX_INTEGER = 2**63
MAX_EXACT_FLOAT = 2**53  # a float cannot hold every integer above


class Record(NamedTuple):
    """A record of a text.

    Attributes:
        size: Its bytes, with its line end.
        values: Its values; None if it cannot be read.
        problem: Why not.
    """

    size: int
    values: Any
    problem: str = ""


class _Text:
    """The lines of a (decompressed) text from any position on."""

    def __init__(self, file: InputFile, storage: Storage) -> None:
        self._file, self._storage = file, storage
        self._opened = ExitStack()
        self._stream: io.BufferedIOBase | None = None
        self.position = 0  # of the next line

    def seek(self, position: int) -> None:
        """Goes to a position; a compressed text is read up to there, from its start only if it must be."""
        import pyarrow as pa

        if self._stream is None or position < self.position:
            self.close()
            raw: Any = self._opened.enter_context(self._storage.open(self._file.path))
            if self._file.compression:
                raw = pa.CompressedInputStream(pa.PythonFile(raw, "r"), ARROW_NAMES[self._file.compression])
            self._stream = io.BufferedReader(raw, BUFFER_BYTES)
        with self._readable():
            if self._file.compression:
                while self.position < position and (
                    skipped := len(self._stream.read(min(BUFFER_BYTES, position - self.position)))
                ):
                    self.position += skipped
            else:
                self._stream.seek(position)
                self.position = position

    def lines(self) -> Iterator[bytes]:
        """Reads line by line, line ends included."""
        assert self._stream is not None
        while True:
            with self._readable():
                line = self._stream.readline()
            if not line:
                return
            self.position += len(line)
            yield line

    def close(self) -> None:
        """Closes the file."""
        self._opened.close()
        self._stream, self.position = None, 0

    def _readable(self) -> _Readable:
        return _Readable(self._file.path)


class _Readable:
    """Turns the errors of a library about a damaged file into one line."""

    def __init__(self, path: str) -> None:
        self._path = path

    def __enter__(self) -> None:
        """Enters the block."""

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        """Raises the error of a damaged file as one for users; S3's own pass."""
        if isinstance(error, OSError) and error.errno is None and type(error).__module__ == "builtins":
            raise UserError(f"cannot be read: {first_line(error)}", where=self._path) from error


class DelimitedTable:
    """The table in a CSV or TSV file. Every value is text, as it is written; an empty one is missing."""

    def __init__(self, file: InputFile, storage: Storage, settings: ScoreSettings) -> None:
        self._file, self._text, self._encoding = file, _Text(file, storage), settings.encoding
        self._grain_rows = grain_rows(settings.shard_rows)
        by_format = "\t" if file.format == "tsv" else ","
        self._separator = SEPARATORS.get(settings.separator or "", settings.separator or by_format)
        self._quoted = settings.quoting == "standard"
        csv.field_size_limit(MAX_VALUE_BYTES)

    def plan(self) -> tuple[pa.Schema, list[Grain]]:
        """See the protocol."""
        import pyarrow as pa

        self._text.seek(0)
        records = self._records()
        head = next(records, None)
        if head is None:
            return pa.schema([]), []
        names = head.values
        records = self._records(one_column=len(names) == 1)
        if head.problem:
            raise UserError(f"the names of the columns are {head.problem}", where=self._file.path)
        cut = grains((record.size for record in records), head.size, self._grain_rows)
        self._text.close()
        return pa.schema([(name, pa.string()) for name in names]), cut

    def read(self, start: int, row: int, rows: int, schema: pa.Schema, text_column: str) -> Rows:
        """See the protocol."""
        import pyarrow as pa

        self._text.seek(start)
        kept, numbers, rejects = [], list[int](), list[Reject]()
        width = len(schema)
        for number, record in zip(range(row, row + rows), self._records(one_column=width == 1), strict=False):
            wrong_width = "" if len(record.values) == width else "has another number of values than there are columns"
            if problem := record.problem or wrong_width:
                rejects.append(Reject(number, problem))
            else:
                kept.append(record.values)
                numbers.append(number)
        columns = zip(*kept, strict=True) if kept else ((),) * width
        arrays = [pa.array([value or None for value in column], pa.string()) for column in columns]
        table = pa.Table.from_arrays(arrays, schema=schema)
        return Rows(table, table.column(text_column).to_pylist(), numbers, rejects)

    def _records(self, *, one_column: bool = False) -> Iterator[Record]:
        """Reads the records from the text's position on.

        A blank line is an empty value if there is one column; otherwise it is part of the record after it.
        """
        lines = _DecodedLines(self._text, self._encoding)
        reader = csv.reader(
            lines,
            delimiter=self._separator,
            quoting=csv.QUOTE_MINIMAL if self._quoted else csv.QUOTE_NONE,
            strict=True,
        )
        start = self._text.position
        while True:
            try:
                values = next(reader, None)
            except csv.Error as error:
                raise UserError(
                    f"not CSV at byte {start}: {error}",
                    where=self._file.path,
                    remedy="Quote texts that hold quotation marks or line breaks, or set quoting to none.",
                ) from None
            if values is None:
                return
            if not values and not one_column:
                continue
            problem = f"not {self._encoding}" if lines.damaged else ""
            lines.damaged = False
            yield Record(self._text.position - start, values or [""], problem)
            start = self._text.position


class _DecodedLines:
    """Lines for csv.reader, which takes as many as a record has."""

    def __init__(self, text: _Text, encoding: str) -> None:
        self._lines, self._encoding, self._at_start = text.lines(), encoding, text.position == 0
        self.damaged = False

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = next(self._lines)
        if self._at_start:
            line, self._at_start = line.removeprefix(UTF8_BOM), False
        try:
            decoded = line.decode(self._encoding)
        except UnicodeDecodeError:
            self.damaged = True
            decoded = line.decode("latin-1")  # only to find the end of the record
        return decoded.replace("\0", "\ufffd")


class JsonTable:
    """The table in a file of JSON lines. Columns are the keys of all rows; a value of several types is text."""

    def __init__(self, file: InputFile, storage: Storage, settings: ScoreSettings) -> None:
        self._file, self._text, self._encoding = file, _Text(file, storage), settings.encoding
        self._grain_rows = grain_rows(settings.shard_rows)

    def plan(self) -> tuple[pa.Schema, list[Grain]]:
        """See the protocol."""
        kinds = dict[str, str]()

        def sizes() -> Iterator[int]:
            for record in self._records():
                for key, value in (record.values or {}).items():
                    kinds[key] = _common_kind(kinds.get(key, "null"), _kind(value))
                yield record.size

        self._text.seek(0)
        cut = grains(sizes(), 0, self._grain_rows)
        self._text.close()
        return _schema(kinds), cut

    def read(self, start: int, row: int, rows: int, schema: pa.Schema, text_column: str) -> Rows:
        """See the protocol."""
        import pyarrow as pa

        self._text.seek(start)
        kept, numbers, rejects = list[dict[str, Any]](), list[int](), list[Reject]()
        for number, record in zip(range(row, row + rows), self._records(), strict=False):
            if record.problem:
                rejects.append(Reject(number, record.problem))
            else:
                kept.append(record.values)
                numbers.append(number)
        arrays = [_array(field, [values.get(field.name) for values in kept]) for field in schema]
        texts = [values.get(text_column) for values in kept]
        return Rows(pa.Table.from_arrays(arrays, schema=schema), texts, numbers, rejects)

    def _records(self) -> Iterator[Record]:
        start = self._text.position
        for line in self._text.lines():
            if not line.strip():
                continue
            values, problem = _parse(line.removeprefix(UTF8_BOM) if start == 0 else line, self._encoding)
            yield Record(self._text.position - start, values, problem)
            start = self._text.position


def _parse(line: bytes, encoding: str) -> tuple[dict[str, Any] | None, str]:
    try:
        decoded = line.decode(encoding)
    except UnicodeDecodeError:
        return None, f"not {encoding}"
    try:
        values = json.loads(decoded)
    except (ValueError, RecursionError):  # also a number of more than 4,300 digits
        return None, "not JSON"
    if not isinstance(values, dict):
        return None, "not a JSON object"
    return (_without_halves(values) if "\\ud" in decoded.lower() else values), ""


def _without_halves(value: Any) -> Any:  # noqa: ANN401 # any JSON
    """Replaces half characters, such as of an emoji that was cut in two: only JSON can hold them."""
    if isinstance(value, dict):
        return {_without_halves(key): _without_halves(held) for key, held in value.items()}
    if isinstance(value, list):
        return [_without_halves(held) for held in value]
    return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace") if isinstance(value, str) else value


def _kind(value: object) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, int):
        if abs(value) <= MAX_EXACT_FLOAT:
            return "int"
        return "long" if -MAX_INTEGER <= value < MAX_INTEGER else "mixed"
    if isinstance(value, float):
        return "float"
    return "text" if isinstance(value, str) else "json"


def _common_kind(one: str, other: str) -> str:
    if "null" in (one, other) or one == other:
        return other if one == "null" else one
    return {frozenset(("int", "float")): "float", frozenset(("int", "long")): "long"}.get(
        frozenset((one, other)), "mixed"
    )


def _schema(kinds: dict[str, str]) -> pa.Schema:
    import pyarrow as pa

    types = {"null": pa.null(), "bool": pa.bool_(), "int": pa.int64(), "long": pa.int64(), "float": pa.float64()}
    return pa.schema(
        [
            pa.field(name, types.get(kind, pa.string()), metadata=JSON_VALUES if kind == "json" else None)
            for name, kind in kinds.items()
        ]
    )


def _array(field: pa.Field, values: list[Any]) -> pa.Array:
    import pyarrow as pa

    if pa.types.is_string(field.type):
        is_json = holds_json(field)
        values = [
            v if v is None or (isinstance(v, str) and not is_json) else json.dumps(v, ensure_ascii=False)
            for v in values
        ]
    return pa.array(values, field.type)
