"""Tables as files: one part by itself, and all parts joined to one file."""

from __future__ import annotations

import io
import json
import math
from collections.abc import Iterator
from typing import IO, TYPE_CHECKING, Any

from sentiment.scoring.tables import holds_json

if TYPE_CHECKING:
    import pyarrow as pa


def encode(table: pa.Table, form: str) -> bytes:
    """Returns a table as the bytes of a ``parquet``, ``csv`` or ``jsonl`` file; equal tables become equal bytes."""
    if form == "jsonl":
        return b"".join(_json_lines(table))
    sink = io.BytesIO()
    if form == "csv":
        import pyarrow.csv

        pyarrow.csv.write_csv(_flat(table), sink)
    else:
        import pyarrow.parquet

        pyarrow.parquet.write_table(table, sink, compression="zstd")
    return sink.getvalue()


def join(parts: Iterator[bytes], form: str, schema: pa.Schema, sink: IO[bytes]) -> None:
    """Writes parts of one schema as one file; of CSV the names of the columns once."""
    if form == "parquet":
        _join_parquet(parts, schema, sink)
        return
    head = encode(schema.empty_table(), form)
    sink.write(head)
    for part in parts:
        sink.write(part[len(head) :])


def _join_parquet(parts: Iterator[bytes], schema: pa.Schema, sink: IO[bytes]) -> None:
    import pyarrow.parquet

    with pyarrow.parquet.ParquetWriter(sink, schema, compression="zstd") as writer:
        for part in parts:
            writer.write_table(pyarrow.parquet.read_table(io.BytesIO(part)))


def _json_lines(table: pa.Table) -> Iterator[bytes]:
    held = [holds_json(field) for field in table.schema]
    columns = [_values(column) for column in table.columns]
    for row in zip(*columns, strict=True):
        values = {
            name: json.loads(value) if is_json and value is not None else value
            for name, value, is_json in zip(table.column_names, row, held, strict=True)
        }
        try:
            line = json.dumps(values, ensure_ascii=False, allow_nan=False, default=_text)
        except ValueError:  # NaN or an infinity, which JSON does not have
            line = json.dumps(_finite(values), ensure_ascii=False, default=_text)
        yield line.encode() + b"\n"


def _values(column: pa.ChunkedArray) -> list[Any]:
    """Returns the values of a column; text in another encoding gets replacement signs."""
    import pyarrow as pa

    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        column = column.cast(pa.large_binary())
        return [None if value is None else value.decode("utf-8", "replace") for value in column.to_pylist()]
    return list(column.to_pylist())


def _finite(value: Any) -> Any:  # noqa: ANN401 # any value of a column
    if isinstance(value, dict):
        return {key: _finite(held) for key, held in value.items()}
    if isinstance(value, list):
        return [_finite(held) for held in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _flat(table: pa.Table) -> pa.Table:
    """Turns columns of types that CSV does not have into text: lists and records into JSON."""
    import pyarrow as pa

    types = pa.types
    known = (
        types.is_string, types.is_large_string, types.is_integer, types.is_floating, types.is_boolean, types.is_null,
        types.is_temporal,
    )  # fmt: skip
    for position, field in enumerate(table.schema):
        if types.is_duration(field.type) or not any(is_type(field.type) for is_type in known):
            texts = [None if value is None else _text(value) for value in table.column(position).to_pylist()]
            table = table.set_column(position, field.name, pa.array(texts, pa.string()))
    return table


def _text(value: Any) -> str:  # noqa: ANN401 # any value of a column
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, list | dict):
        return json.dumps(value, ensure_ascii=False, default=_text)
    return str(value)
