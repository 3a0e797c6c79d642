"""The plan of a job: the input files, the columns of the result, and the shards, each of which becomes one part."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict

from sentiment.errors import UserError
from sentiment.scoring.formats import as_input_file, open_table
from sentiment.scoring.settings import ScoreSettings
from sentiment.scoring.storage import Storage
from sentiment.scoring.tables import FilePlan, InputFile

if TYPE_CHECKING:
    import pyarrow as pa

TARGET_SHARDS = 200  # of an input of medium size
MIN_SHARD_ROWS, MAX_SHARD_ROWS = 1000, 20_000
MAX_SHARD_BYTES = 32 << 20


class Shard(BaseModel):
    """Rows that are scored together and become one part.

    Attributes:
        index: Number of the part, from 0.
        file: Position of its file in the plan.
        start: Position in the file, see :class:`~sentiment.scoring.tables.Grain`.
        row: Number of its first row in the file, from 1.
        rows: Number of its rows.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    index: int
    file: int
    start: int
    row: int
    rows: int

    @property
    def part(self) -> str:
        """Name of its files, without a suffix."""
        return f"part-{self.index:06d}"


@dataclass(frozen=True)
class Plan:
    """What a job reads, and how it is cut.

    Attributes:
        files: The files, in the order of the result.
        schema: All columns of the input.
        text_column: The column that is scored.
        shards: Shards that together hold every row once, in order.
    """

    files: tuple[FilePlan, ...]
    schema: pa.Schema
    text_column: str
    shards: tuple[Shard, ...]

    @property
    def rows(self) -> int:
        """Rows of the input."""
        return sum(shard.rows for shard in self.shards)


def find_files(address: str, storage: Storage, settings: ScoreSettings) -> list[InputFile]:
    """Lists the files that an address names: a file, a glob or a folder, on disk or on S3.

    Files of a folder whose names begin with ``_`` or ``.`` are left out, as other tools do.

    Raises:
        UserError: If there is none, or one is of no known format.
    """
    found: list[str]
    if storage.is_file(address):
        found = [address]
    elif storage.is_folder(address):
        base = len(PurePosixPath(address).parts)
        parts = {path: PurePosixPath(path).parts[base:] for path in storage.find(address)}
        found = [path for path, below in parts.items() if not any(name.startswith(("_", ".")) for name in below)]
    else:
        found = storage.glob(address) if any(sign in address for sign in "*?[") else []
    if not found:
        raise UserError("no such file", where=f"input {address}", remedy="Name a file, a glob or a folder.")
    return [as_input_file(path, settings) for path in found]


def plan_file(file: InputFile, storage: Storage, settings: ScoreSettings) -> FilePlan:
    """Reads a whole file once: its columns, its content's name, and where it can be cut.

    Raises:
        UserError: If it cannot be read.
    """
    stamp = storage.stamp(file.path)
    schema, grains = open_table(file, storage, settings).plan()
    planned = FilePlan(file, stamp[0], storage.digest(file.path), stamp, schema, tuple(grains))
    require_unchanged(file.path, stamp, storage)
    return planned


def require_unchanged(path: str, stamp: tuple[int, str], storage: Storage) -> None:
    """Raises a UserError if a file no longer has the stamp with which it was planned."""
    try:
        same = storage.stamp(path) == stamp
    except FileNotFoundError:
        raise UserError("the file is gone", where=path, remedy="Finished parts stay.") from None
    if not same:
        raise UserError(
            "the file changed while it was read",
            where=path,
            remedy="Finished parts are of the old one: start again with --restart when it no longer changes.",
        )


def make_plan(files: Sequence[FilePlan], settings: ScoreSettings, default_text_column: str = "text") -> Plan:
    """Puts the plans of all files together.

    Raises:
        UserError: If a file lacks the text, columns differ in type, or a column has the name of one that is added.
    """
    text_column = settings.text_column or default_text_column
    filled = [planned for planned in files if planned.grains]
    if not filled:
        raise UserError("there are no rows", where=files[0].file.path)
    for planned in filled:
        _require_columns(planned, text_column, settings)
    schema = _common_schema(filled)
    clash = next((name for name in settings.columns.names if name in schema.names), None)
    if clash is not None:
        setting = next(key for key, name in settings.columns.model_dump().items() if name == clash)
        raise UserError(
            f"the input has a column {clash!r} already",
            where=files[0].file.path,
            remedy=f"Name the new one differently: --set columns.{setting}=predicted_{clash}.",
        )
    return Plan(tuple(files), schema, text_column, tuple(_cut(files, settings.shard_rows)))


def _require_columns(planned: FilePlan, text_column: str, settings: ScoreSettings) -> None:
    import pyarrow as pa

    names = planned.schema.names
    repeated = next((name for name, count in Counter(names).items() if count > 1), None)
    if repeated is not None:
        raise UserError(
            f"several columns are called {repeated!r}", where=planned.file.path, remedy="Give them different names."
        )
    for setting, name in (("text_column", text_column), ("source_column", settings.source_column)):
        if name is not None and name not in names:
            there = ", ".join(map(repr, names[:10])) + (f" and {len(names) - 10} more" if len(names) > 10 else "")
            raise UserError(f"no column {name!r}; there are {there}", where=planned.file.path, remedy=f"Set {setting}.")
    kind = _plain_type(planned.schema.field(text_column).type)
    is_text = pa.types.is_string(kind) or pa.types.is_large_string(kind)
    if not (is_text or pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_null(kind)):
        raise UserError(
            f"column {text_column!r} holds {kind}, not text", where=planned.file.path, remedy="Set text_column."
        )


def _common_schema(files: Sequence[FilePlan]) -> pa.Schema:
    import pyarrow as pa

    def plain(planned: FilePlan) -> pa.Schema:
        fields = (pa.field(field.name, _plain_type(field.type), metadata=field.metadata) for field in planned.schema)
        return pa.schema(fields, metadata=planned.schema.metadata)

    schema = plain(files[0])
    for planned in files[1:]:
        own = plain(planned)
        try:
            unified = pa.unify_schemas([schema, own], promote_options="permissive")
        except (pa.ArrowTypeError, pa.ArrowInvalid) as error:
            raise UserError(
                f"its columns do not go with those of the files before: {str(error).splitlines()[0]}",
                where=planned.file.path,
                remedy="Score it by itself.",
            ) from None
        for name in set(schema.names) & set(own.names):
            if schema.field(name).metadata != own.field(name).metadata:  # JSON in one file, text in another
                unified = unified.set(unified.get_field_index(name), unified.field(name).with_metadata(None))
        schema = unified
    return schema


def _plain_type(kind: pa.DataType) -> pa.DataType:
    """Returns the type in which a column is written: parts cannot share a dictionary, and few readers know views."""
    import pyarrow as pa

    if pa.types.is_dictionary(kind):
        return _plain_type(kind.value_type)
    if pa.types.is_string_view(kind):
        return pa.string()
    return pa.binary() if pa.types.is_binary_view(kind) else kind


def _cut(files: Sequence[FilePlan], shard_rows: int | None) -> Iterator[Shard]:
    """Joins neighbouring grains of a file to shards: as many rows as wanted, unless they are long."""
    total = sum(grain.rows for planned in files for grain in planned.grains)
    wanted = shard_rows or max(MIN_SHARD_ROWS, min(MAX_SHARD_ROWS, total // TARGET_SHARDS))
    index = 0
    for number, planned in enumerate(files):
        start = row = rows = size = 0
        for grain in planned.grains:
            if rows and (rows + grain.rows > wanted or size + grain.size > MAX_SHARD_BYTES):
                yield Shard(index=index, file=number, start=start, row=row, rows=rows)
                index, rows, size = index + 1, 0, 0
            if not rows:
                start, row = grain.start, grain.row
            rows, size = rows + grain.rows, size + grain.size
        if rows:
            yield Shard(index=index, file=number, start=start, row=row, rows=rows)
            index += 1
