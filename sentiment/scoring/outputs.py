"""Tables as files: one part by itself, and all parts joined to one file."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from typing import IO, TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow as pa

JSON_TYPE = b"json"  # in the metadata of a column of text whose values are JSON


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
    import math

    held = [(field.metadata or {}).get(JSON_TYPE) == b"1" for field in table.schema]
    columns = [column.to_pylist() for column in table.columns]

    def plain(value: Any, is_json: bool) -> Any:  # noqa: ANN401 # any value
        if is_json and value is not None:
            return json.loads(value)
        return None if isinstance(value, float) and not math.isfinite(value) else value

    for row in zip(*columns, strict=True):
        values = {
            name: plain(value, is_json) for name, value, is_json in zip(table.column_names, row, held, strict=True)
        }
        yield json.dumps(values, ensure_ascii=False, default=str).encode() + b"\n"


def _flat(table: pa.Table) -> pa.Table:
    """Turns columns that CSV cannot hold into text: lists and records into JSON."""
    import pyarrow as pa

    for position, field in enumerate(table.schema):
        if pa.types.is_nested(field.type) or pa.types.is_decimal(field.type) or pa.types.is_binary(field.type):
            values = table.column(position).to_pylist()
            texts = [None if v is None else _text(v) for v in values]
            table = table.set_column(position, field.name, pa.array(texts, pa.string()))
    return table


def _text(value: Any) -> str:  # noqa: ANN401 # any value of a column
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return json.dumps(value, ensure_ascii=False, default=str) if isinstance(value, list | dict) else str(value)
