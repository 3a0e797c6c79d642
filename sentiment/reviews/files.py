"""Tables from CSV, TSV, JSON lines and Parquet, on disk or on S3."""

from __future__ import annotations

import hashlib
import io
import json
import os
from pathlib import PurePosixPath
from typing import IO, TYPE_CHECKING, cast

from sentiment.errors import UserError, first_line
from sentiment.reviews import pointers
from sentiment.reviews.delimited import TextFormat, decode, read_delimited

if TYPE_CHECKING:
    import pandas as pd

_FORMATS = (".csv", ".tsv", ".jsonl", ".ndjson", ".parquet")
_COMPRESSIONS = (".gz", ".bz2", ".xz", ".zip")
_BESIDE = ("__MACOSX/", ".")  # what systems put into archives: folders and files that begin so


def read(path: str, form: TextFormat = TextFormat()) -> pd.DataFrame:  # noqa: B008 - it is frozen
    """Reads a table; its format is the suffix of its name (compressed as ``.csv.gz`` and the like).

    Args:
        path: A local path or an ``s3://`` URL (keys and endpoint from the ``AWS_*`` variables of the environment). Of
            a ZIP archive, the one table in it; of a DVC pointer (``.dvc``), the file that it points to.
        form: How to read CSV, TSV and JSON lines.

    Returns:
        The rows as stored. In CSV and TSV every value is text and an empty one is missing.

    Raises:
        UserError: If the file is missing, empty, of another format than its suffix, in another encoding, or can be read
            in more than one way; or if it differs from its DVC pointer.
    """
    path, _ = pointers.locate(path)
    name, data = _contents(path)
    where, suffix = (path if name == path else f"{path}, {name}"), _suffix(name)
    if not data.strip():
        raise UserError("the file is empty", where=where)
    if suffix == ".parquet":
        return _parse_parquet(data, where)
    text = decode(data, form.encoding, where)
    if suffix in (".jsonl", ".ndjson"):
        frame = _parse_json_lines(text, where)
    else:
        frame = read_delimited(text, form, "\t" if suffix == ".tsv" else ",", where)
    if frame.empty:
        raise UserError("there are no reviews in it, only the head", where=where)
    return frame


def fingerprint(path: str) -> str:
    """SHA-256 (hex) of the bytes of the file; of one with a DVC pointer, ``dvc:`` and the version in it."""
    path, version = pointers.locate(path)
    if version:
        return f"dvc:{version}"
    digest = hashlib.sha256()
    with _open(path, compression=None) as stream:
        while block := stream.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def stem(path: str) -> str:
    """Name of the file without folders and suffixes."""
    return PurePosixPath(path).name.split(".")[0]


def _suffix(path: str) -> str:
    suffixes = [s.lower() for s in PurePosixPath(path).suffixes]
    if suffixes and suffixes[-1] in _COMPRESSIONS:
        suffixes.pop()
    if not suffixes or suffixes[-1] not in _FORMATS:
        raise UserError(
            "unknown kind of file", where=path, remedy=f"Its name has to end in one of {', '.join(_FORMATS)}."
        )
    return suffixes[-1]


def _open(path: str, *, compression: str | None) -> IO[bytes]:
    import fsspec

    options = {"endpoint_url": os.environ.get("AWS_ENDPOINT_URL")} if path.startswith("s3://") else {}
    try:
        return cast("IO[bytes]", fsspec.open(path, "rb", compression=compression, **options).open())
    except FileNotFoundError:
        raise UserError("no such file", where=path, remedy="Check the path after `file:`.") from None
    except IsADirectoryError:
        raise UserError("this is a folder, not a file", where=path) from None
    except (ImportError, OSError, ValueError) as error:
        raise UserError(f"cannot be opened: {first_line(error)}", where=path) from error


def _contents(path: str) -> tuple[str, bytes]:
    """The name of the table, whose suffix says its format, and its bytes."""
    import lzma
    import zipfile
    import zlib

    is_archive = path.lower().endswith(".zip")
    if not is_archive:
        _suffix(path)
    # RuntimeError: a ZIP file with a password; NotImplementedError: one that is compressed in another way
    damaged = (EOFError, zlib.error, lzma.LZMAError, zipfile.BadZipFile, RuntimeError, NotImplementedError)
    try:
        with _open(path, compression=None if is_archive else "infer") as stream:
            if not is_archive:
                return path, stream.read()
            with zipfile.ZipFile(stream) as archive:
                name = _only_table(archive.namelist(), path)
                return name, archive.read(name)
    except (OSError, *damaged) as error:
        raise UserError(f"cannot be read: {first_line(error)}", where=path) from error


def _only_table(entries: list[str], path: str) -> str:
    files = [e for e in entries if not e.endswith("/") and not any(p.startswith(_BESIDE) for p in _parents(e))]
    tables = [name for name in files if PurePosixPath(name).suffix.lower() in _FORMATS]
    if len(tables) == 1:
        return tables[0]
    if len(tables) > 1:
        names = ", ".join(tables[:10]) + (f" and {len(tables) - 10} more" if len(tables) > 10 else "")
        raise UserError(f"holds {len(tables)} tables: {names}", where=path, remedy="Unpack it, and name one of them.")
    held = f"only {', '.join(files[:10])}" if files else "it is empty"
    raise UserError(
        f"holds no table; {held}", where=path, remedy=f"Names of tables end in one of {', '.join(_FORMATS)}."
    )


def _parents(entry: str) -> list[str]:
    """Every part of an entry's path, folders with a slash."""
    *folders, file = entry.split("/")
    return [*(f"{folder}/" for folder in folders), file]


def _parse_json_lines(text: str, path: str) -> pd.DataFrame:
    import pandas as pd

    rows = []
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except json.JSONDecodeError as error:
            raise UserError(f"line {number} is not JSON: {error.msg} at column {error.colno}", where=path) from None
        if not isinstance(row, dict):
            raise UserError(f'line {number} is not an object such as {{"text": ..., "label": ...}}', where=path)
        rows.append({key: _whole(value) for key, value in row.items()} if "\\ud" in line.lower() else row)
    return pd.DataFrame(rows)


def _whole(value: object) -> object:
    """Removes half characters, such as of an emoji that was cut in two: only JSON can hold them."""
    return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace") if isinstance(value, str) else value


def _parse_parquet(data: bytes, path: str) -> pd.DataFrame:
    import pandas as pd
    import pyarrow as pa

    try:
        return pd.read_parquet(io.BytesIO(data))
    except (pa.ArrowInvalid, OSError) as error:
        raise UserError(f"not a Parquet file: {first_line(error)}", where=path) from None
