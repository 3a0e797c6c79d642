"""The formats of SageMaker's path ``/invocations`` beside JSON: a text a line, as its batch transform sends them."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from bento.arguments import require_text
from bento.errors import RequestError
from bento.predictor import MAX_TEXTS, find_problem

if TYPE_CHECKING:
    from bento.identity import Identity
    from bento.predictor import Answer

JSON, JSON_LINES, CSV = "application/json", "application/jsonlines", "text/csv"
FORMATS = (JSON, JSON_LINES, CSV)
ANY = {"*/*", "application/*", "text/*", ""}
HEADER = "text"  # of the one column
ATTRIBUTES = "x-amzn-sagemaker-custom-attributes"  # response header that SageMaker passes on


def choose_formats(content_type: str, accept: str) -> tuple[str, str]:
    """Chooses the formats of request and answer.

    Args:
        content_type: Of the request; another one than ``FORMATS`` is taken for JSON, as at the other paths.
        accept: The formats that the caller accepts; empty or ``*/*``: that of the request.

    Raises:
        RequestError: If the caller accepts none of them.
    """
    given = _media_type(content_type)
    given = given if given in FORMATS else JSON
    for wanted in map(_media_type, accept.split(",")):
        if wanted in ANY:
            return given, given
        if wanted in FORMATS:
            return given, wanted
    raise RequestError("INVALID_ARGUMENT", f"Accept must name one of {', '.join(FORMATS)}", status=406)


def read_lines(body: bytes, given: str) -> list[str]:
    """Reads JSON lines or CSV.

    Args:
        body: One object ``{"text": ...}`` or one string a line; or one text a record, perhaps with the header ``text``.
        given: ``JSON_LINES`` or ``CSV``.

    Raises:
        RequestError: If it cannot be read, or a text cannot be scored; names the line.
    """
    try:
        content = body.decode("utf-8-sig")  # spreadsheets write a byte order mark
    except UnicodeDecodeError as error:
        line = body.count(b"\n", 0, error.start) + 1
        raise RequestError("INVALID_ARGUMENT", f"line {line} is not UTF-8", status=400) from None
    texts = list[str]()
    for line, value in _READERS[given](content):
        if len(texts) == MAX_TEXTS:
            raise RequestError("INVALID_ARGUMENT", f"give 1 to {MAX_TEXTS} texts; line {line} is one more")
        try:
            text = require_text(value, f"line {line}")
        except (TypeError, ValueError) as error:
            raise RequestError("INVALID_ARGUMENT", str(error)) from None
        if problem := find_problem(text):
            raise RequestError("INVALID_ARGUMENT", f"line {line} {problem}")
        texts.append(text)
    return texts


def write_lines(answers: Sequence[Answer], version: str, wanted: str) -> bytes:
    """Writes one line an answer, without an end of the last one: SageMaker adds it.

    Args:
        answers: In the order of the texts.
        version: Number of the model's version.
        wanted: ``JSON_LINES``, or ``CSV`` with the columns label, score, abstained, id and version.
    """
    if wanted == JSON_LINES:
        rows = [
            {"id": a.id, "label": a.label, "score": a.score, "abstained": a.abstained, "model_version": version}
            for a in answers
        ]
        return "\n".join(map(json.dumps, rows)).encode()
    return "\n".join(f"{a.label},{a.score},{str(a.abstained).lower()},{a.id},{version}" for a in answers).encode()


def attributes(identity: Identity) -> dict[str, str]:
    """Returns the header by which a caller of an endpoint sees which Bento and engine answered."""
    named = {"bento": identity.bento, "version": identity.version, "engine": identity.engine}
    return {ATTRIBUTES: urlencode(named)}


def _media_type(value: str) -> str:
    return value.partition(";")[0].strip().lower()


def _read_json_lines(content: str) -> Iterator[tuple[int, object]]:
    for number, line in enumerate(content.removesuffix("\n").split("\n"), 1):
        try:
            value: Any = json.loads(line)
        except (ValueError, RecursionError):
            raise RequestError("INVALID_ARGUMENT", f"line {number} is not JSON", status=400) from None
        if isinstance(value, dict):
            if value.keys() != {"text"}:
                raise RequestError("INVALID_ARGUMENT", f'line {number} must have the key "text", and no other')
            value = value["text"]
        yield number, value


def _read_csv(content: str) -> Iterator[tuple[int, object]]:
    reader = csv.reader(io.StringIO(content, newline=""), strict=True)
    line, records = 1, list[tuple[int, list[str]]]()
    while True:
        try:
            record = next(reader)
        except StopIteration:
            break
        except csv.Error as error:  # its words quote no text
            raise RequestError("INVALID_ARGUMENT", f"line {line} is not CSV: {error}", status=400) from None
        records.append((line, record))
        line = reader.line_num + 1
    if len(records) > 1 and records[0][1] == [HEADER]:  # alone it is a text: batch transform may send single lines
        del records[0]
    for number, record in records or [(1, [])]:
        if len(record) > 1:
            message = f"line {number} has {len(record)} columns; give one, in quotes if it holds a comma"
            raise RequestError("INVALID_ARGUMENT", message)
        yield number, record[0] if record else ""


_READERS: Mapping[str, Callable[[str], Iterator[tuple[int, object]]]] = {JSON_LINES: _read_json_lines, CSV: _read_csv}
