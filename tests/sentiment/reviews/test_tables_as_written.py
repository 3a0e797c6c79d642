"""Random tables, as programs write them: every cell is read as it was written, or the file is refused."""

import bz2
import csv
import gzip
import io
import json
import lzma
import os
import zipfile

import pandas as pd
import pyarrow as pa
import pyarrow.csv
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sentiment.errors import UserError
from sentiment.reviews.delimited import TextFormat
from sentiment.reviews.files import read

CASES = int(os.environ.get("TABLES", "300"))  # TABLES=10000 takes minutes
PIECES = [
    '"',
    "'",
    ",",
    ";",
    "\t",
    "|",
    "\n",
    "\r\n",
    "\r",
    " ",
    "pos",
    "é",
    "ß",
    "“",
    "😀",
    "\u2028",
    "\x85",
    "\ufeff",
    "\\",
]
TEXT = st.lists(st.one_of(st.sampled_from(PIECES), st.text("abc ", max_size=5)), max_size=8).map("".join)
ROWS = st.lists(st.tuples(st.one_of(st.none(), TEXT), st.sampled_from(["pos", "neg"])), min_size=1, max_size=12)
SEPARATORS = {".csv": ",", ".tsv": "\t"}


def zipped(data, name):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("__MACOSX/._" + name, b"\x00\x05")
        archive.writestr("a folder/" + name, data)
    return file.getvalue()


COMPRESSIONS = {
    "": lambda data, name: data,
    ".gz": lambda data, name: gzip.compress(data),
    ".bz2": lambda data, name: bz2.compress(data),
    ".xz": lambda data, name: lzma.compress(data),
    ".zip": zipped,
}


def by_csv(frame, separator, quoting, line_end):
    file = io.StringIO(newline="")
    writer = csv.writer(file, delimiter=separator, quoting=quoting, lineterminator=line_end)
    writer.writerow(frame.columns)
    writer.writerows(frame.itertuples(index=False))
    return file.getvalue()


def by_pandas(frame, separator, quoting, line_end):
    return frame.to_csv(index=False, sep=separator, quoting=quoting, lineterminator=line_end)


def by_pyarrow(frame, separator, quoting, line_end):
    file = io.BytesIO()
    table = pa.Table.from_pandas(frame.astype("string"), preserve_index=False)
    pyarrow.csv.write_csv(table, file, pyarrow.csv.WriteOptions(delimiter=separator))
    return file.getvalue().decode()


def by_spreadsheet(frame, separator, quoting, line_end):
    return f"sep={separator}\r\n{by_csv(frame, separator, csv.QUOTE_MINIMAL, chr(13) + chr(10))}"


def missing_or(value):
    return None if value is None or value is pd.NA or value != value or value == "" else value  # noqa: PLR0124 - NaN


def cells(frame):
    return [tuple(map(missing_or, row)) for row in frame.itertuples(index=False)]


def compare(path, frame, form=TextFormat()):  # noqa: B008 - it is frozen
    """Whether the file was read; if so, as it was written."""
    try:
        found = read(str(path), form)
    except UserError as error:
        assert "\n" not in str(error)
        return False
    assert list(found.columns) == list(frame.columns)
    assert cells(found) == cells(frame)
    return True


@settings(max_examples=CASES, deadline=None, derandomize=True)
@given(
    rows=ROWS,
    write=st.sampled_from([by_csv, by_pandas, by_pyarrow, by_spreadsheet]),
    separator=st.sampled_from([None, ",", ";", "\t", "|"]),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC]),
    line_end=st.sampled_from(["\n", "\r\n"]),
    suffix=st.sampled_from([*SEPARATORS]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
    compression=st.sampled_from([*COMPRESSIONS]),
)
def test_delimited(tmp_path_factory, rows, write, separator, quoting, line_end, suffix, encoding, compression):
    frame = pd.DataFrame(rows, columns=["text", "label"], dtype="object")
    text = write(frame, separator or SEPARATORS[suffix], quoting, line_end)
    path = tmp_path_factory.getbasetemp() / f"table{suffix}{compression}"
    path.write_bytes(COMPRESSIONS[compression](text.encode(encoding), f"table{suffix}"))
    compare(path, frame)


@settings(max_examples=CASES // 3, deadline=None, derandomize=True)
@given(
    rows=ROWS,
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    encoding=st.sampled_from(["cp1252", "utf-16-le"]),
)
def test_delimited_in_a_named_encoding(tmp_path_factory, rows, quoting, encoding):
    frame = pd.DataFrame(rows, columns=["text", "label"], dtype="object")
    path = tmp_path_factory.getbasetemp() / "named.csv"
    path.write_bytes(by_csv(frame, ",", quoting, "\n").encode(encoding, "replace"))
    expected = frame.assign(text=[t and t.encode(encoding, "replace").decode(encoding) for t in frame["text"]])
    compare(path, expected, TextFormat(encoding=encoding))


@settings(max_examples=CASES // 3, deadline=None, derandomize=True)
@given(rows=ROWS, kind=st.sampled_from(["json", "pandas", "parquet"]))
def test_typed(tmp_path_factory, rows, kind):
    frame = pd.DataFrame(rows, columns=["text", "label"], dtype="object").assign(stars=range(len(rows)))
    path = tmp_path_factory.getbasetemp() / ("typed.parquet" if kind == "parquet" else "typed.jsonl")
    if kind == "parquet":
        frame.to_parquet(path, index=False)
    elif kind == "pandas":
        frame.to_json(path, orient="records", lines=True)
    else:
        path.write_text("".join(json.dumps(row) + "\n" for row in frame.to_dict("records")), encoding="utf-8")
    assert compare(path, frame)


@pytest.mark.parametrize("suffix", SEPARATORS)
def test_ordinary_reviews_are_not_refused(tmp_path, suffix):
    texts = ['She said: "no", and left.\nTwice, even.', "A line,\nanother one; and more", '"Wow"', "plain", "it's\tok"]
    frame = pd.DataFrame({"text": texts * 20, "label": ["pos", "neg"] * 50})
    for write in (by_csv, by_pandas, by_pyarrow, by_spreadsheet):
        path = tmp_path / f"{write.__name__}{suffix}"
        path.write_bytes(write(frame, SEPARATORS[suffix], csv.QUOTE_MINIMAL, "\n").encode())
        assert compare(path, frame), write
