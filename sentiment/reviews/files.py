"""Tables from CSV, TSV, JSON lines and Parquet, on disk or on S3."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
import warnings
from pathlib import PurePosixPath
from typing import IO, TYPE_CHECKING, cast

from sentiment.errors import UserError

if TYPE_CHECKING:
    import pandas as pd

_FORMATS = (".csv", ".tsv", ".jsonl", ".ndjson", ".parquet")
_COMPRESSIONS = (".gz", ".bz2", ".xz", ".zip")


def read(path: str) -> pd.DataFrame:
    """Reads a table; its format is the suffix of its name (compressed as ``.csv.gz`` and the like).

    Args:
        path: A local path or an ``s3://`` URL (keys and endpoint from the ``AWS_*`` variables of the environment).

    Returns:
        The rows as stored. In CSV and TSV every value is text and an empty one is missing.

    Raises:
        UserError: If the file is missing, empty, of another format than its suffix, not UTF-8, or holds NUL bytes.
    """
    suffix = _suffix(path)
    data = _bytes(path)
    if not data.strip():
        raise UserError("the file is empty", where=path)
    if suffix == ".parquet":
        return _parse_parquet(data, path)
    _refuse_what_is_not_text(data, path)
    frame = _parse_json_lines(data, path) if suffix in (".jsonl", ".ndjson") else _parse_csv(data, suffix, path)
    if frame.empty:
        raise UserError("there are no reviews in it, only the head", where=path)
    return frame


def fingerprint(path: str) -> str:
    """SHA-256 (hex) of the bytes of the file."""
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
        raise UserError(f"cannot be opened: {_first_line(error)}", where=path) from error


def _bytes(path: str) -> bytes:
    import lzma
    import zipfile
    import zlib

    # RuntimeError: a ZIP file with a password; IndexError: one that holds nothing
    damaged = (EOFError, zlib.error, lzma.LZMAError, zipfile.BadZipFile, RuntimeError, IndexError)
    try:
        with _open(path, compression="infer") as stream:
            return stream.read()
    except (OSError, *damaged) as error:
        raise UserError(f"cannot be read: {_first_line(error)}", where=path) from error


def _refuse_what_is_not_text(data: bytes, path: str) -> None:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise UserError(
            f"not UTF-8: byte 0x{data[error.start]:02x} at offset {error.start} (line {line})",
            where=path,
            remedy="Save it as UTF-8, e.g. `iconv -f WINDOWS-1252 -t UTF-8 OLD > NEW`.",
        ) from None
    nul = data.find(b"\x00")
    if nul >= 0:
        line = data.count(b"\n", 0, nul) + 1
        raise UserError(
            f"NUL byte at offset {nul} (line {line})",
            where=path,
            remedy="It is damaged or UTF-16: save it as UTF-8 text.",
        )


def _parse_csv(data: bytes, suffix: str, path: str) -> pd.DataFrame:
    import pandas as pd

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", pd.errors.ParserWarning)  # it would drop values in extra columns
            return pd.read_csv(
                io.BytesIO(data),
                sep="\t" if suffix == ".tsv" else ",",
                encoding="utf-8-sig",
                dtype=str,
                keep_default_na=False,  # "null" and "NA" are words of reviews
                na_values=[""],
                index_col=False,
            )
    except pd.errors.ParserWarning:
        raise UserError(
            f"not a {suffix[1:].upper()} table: rows have more columns than the head",
            where=path,
            remedy="Quote texts that hold separators or line breaks.",
        ) from None
    except (pd.errors.ParserError, pd.errors.EmptyDataError, csv.Error) as error:
        reason = _first_line(error).removeprefix("Error tokenizing data. ").removeprefix("C error: ")
        raise UserError(
            f"not a {suffix[1:].upper()} table: {reason}",
            where=path,
            remedy="Quote texts that hold separators or line breaks.",
        ) from None


def _parse_json_lines(data: bytes, path: str) -> pd.DataFrame:
    import pandas as pd

    rows = []
    for number, line in enumerate(data.decode("utf-8-sig").split("\n"), 1):
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
        raise UserError(f"not a Parquet file: {_first_line(error)}", where=path) from None


def _first_line(error: BaseException) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0][:200]
