"""Delimited text (CSV, TSV and the like): every record is read as it was written, or the file is refused.

Encoding, separator and quotation are found in the text. Where two readings are possible, the error names the setting
that decides.
"""

from __future__ import annotations

import codecs
import csv
import io
import logging
import re
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal

from sentiment.errors import UserError

if TYPE_CHECKING:
    import pandas as pd

logger = logging.getLogger(__name__)

AUTO: Literal["auto"] = "auto"
Quoting = Literal["auto", "standard", "none"]
SEPARATORS = {"comma": ",", "semicolon": ";", "tab": "\t", "pipe": "|"}
_NAMES = {separator: name for name, separator in SEPARATORS.items()}
_BOMS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF32_LE: "utf-32",  # before UTF-16, whose mark it begins with
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
_SAMPLE_BYTES = 1 << 18  # enough to guess an encoding by


@dataclass(frozen=True)
class TextFormat:
    """How a text file is to be read.

    Attributes:
        encoding: A codec of Python, or ``auto``: UTF-8, or what a byte order mark says.
        separator: One character, or ``auto``.
        quoting: ``standard``: quotation marks enclose values (RFC 4180); ``none``: they are characters; or ``auto``.
        header: Whether the first record names the columns. If not, they are called 1, 2, ...
    """

    encoding: str = AUTO
    separator: str = AUTO
    quoting: Quoting = AUTO
    header: bool = True


@dataclass(frozen=True)
class _Reading:
    """The records of a text under one separator and one way of quoting.

    Attributes:
        rows: The records; blank lines are left out.
        lines: The physical line on which each record begins, and the one on which it ends, from 1.
        problem: Why this reading is wrong, and on which line; empty if it may be right.
    """

    separator: str
    quoted: bool
    rows: list[list[str]] = field(default_factory=list)
    lines: list[tuple[int, int]] = field(default_factory=list)
    problem: str = ""

    @property
    def width(self) -> int:
        """Columns of the first record."""
        return len(self.rows[0]) if self.rows else 0


def decode(data: bytes, encoding: str, path: str) -> str:
    """Decodes a text file.

    Args:
        data: Its bytes.
        encoding: See :class:`TextFormat`.
        path: For messages.

    Raises:
        UserError: If it is in another encoding or holds NUL characters; the probable encoding is named.
    """
    marked = next((name for mark, name in _BOMS.items() if data.startswith(mark)), None)
    chosen = encoding if encoding != AUTO else marked or "utf-8"
    if marked and codecs.lookup(chosen).name == "utf-8":
        chosen = "utf-8-sig"
    try:
        text = data.decode(chosen)
    except UnicodeError as error:
        place = ""
        if isinstance(error, UnicodeDecodeError) and error.start < len(data):
            line = data.count(b"\n", 0, error.start) + 1
            place = f": byte 0x{data[error.start]:02x} at offset {error.start} (line {line})"
        raise UserError(f"not {_spelling(chosen)}{place}", where=path, remedy=_encoding_remedy(data)) from None
    if encoding != AUTO and not codecs.lookup(chosen).name.startswith("utf") and not data.isascii() and _is_utf8(data):
        raise UserError(f"its bytes are UTF-8, not {encoding}", where=path, remedy="Set source.encoding to utf-8.")
    nul = text.find("\x00")
    if nul >= 0:
        line = text.count("\n", 0, nul) + 1
        raise UserError(f"NUL byte at offset {nul} (line {line})", where=path, remedy=_encoding_remedy(data))
    if encoding == AUTO and chosen not in ("utf-8", "utf-8-sig"):
        logger.info("%s: read as %s, as its byte order mark says", path, chosen)
    return text


def read_delimited(text: str, form: TextFormat, conventional: str, path: str) -> pd.DataFrame:
    """Reads the records of a delimited text.

    Args:
        text: The decoded file.
        form: How to read it.
        conventional: The separator that the file's suffix stands for; tried first.
        path: For messages.

    Returns:
        The rows; every value is text, and an empty one is missing.

    Raises:
        UserError: If records differ in their number of values, or more than one reading is possible.
    """
    import pandas as pd

    hint = re.match("sep=(.)\r?\n", text)  # spreadsheets write it for each other
    if hint and form.separator == AUTO:
        form, text = replace(form, separator=hint[1]), "\n" + text[hint.end() :]  # lines keep their numbers
    if not text.strip():
        raise UserError("the file is empty", where=path)
    reading = _choose(text, form, conventional, path)
    if form.header:
        head, rows = reading.rows[0], reading.rows[1:]
    else:
        head, rows = [str(number) for number in range(1, reading.width + 1)], reading.rows
    frame = pd.DataFrame(rows, columns=head, dtype="object")
    return frame.where(frame != "", None)


def _choose(text: str, form: TextFormat, conventional: str, path: str) -> _Reading:
    """Finds the one reading that the text allows."""
    given = SEPARATORS.get(form.separator, form.separator)
    head = text.lstrip("\r\n").split("\n", 1)[0]
    others = [s for s in _NAMES if s != (conventional if given == AUTO else given) and s in head]
    first = conventional if given == AUTO else given
    readings = {separator: _readings(text, separator, form.quoting) for separator in (first, *others)}
    usable = {s: [r for r in found if not r.problem and r.width > 1] for s, found in readings.items()}
    right = [separator for separator, found in usable.items() if found]
    names = " or ".join(_NAMES.get(separator, repr(separator)) for separator in right)
    if not right or (given != AUTO and usable[first]):
        return _decide_quoting(usable[first] or readings[first], text, form, path)
    if given != AUTO:
        wrong = _NAMES.get(given, repr(given))
        raise UserError(f"not separated by {wrong}", where=path, remedy=f"Set source.separator to {names}.")
    if len(right) > 1:
        raise UserError(f"may be separated by {names}", where=path, remedy="Set source.separator to the right one.")
    if right[0] != conventional:
        logger.info("%s: separated by %s", path, names)
    return _decide_quoting(usable[right[0]], text, form, path)


def _readings(text: str, separator: str, quoting: Quoting) -> list[_Reading]:
    """The readings with and without quotation, or the one that is asked for."""
    ways = {"standard": [True], "none": [False]}.get(quoting) or ([True, False] if '"' in text else [True])
    return [_read(text, separator, quoted) for quoted in ways]


def _read(text: str, separator: str, quoted: bool) -> _Reading:
    csv.field_size_limit(sys.maxsize)  # a review may have a megabyte
    reading, begin = _Reading(separator, quoted), 1
    reader = csv.reader(
        _lines(text),
        delimiter=separator,
        quoting=csv.QUOTE_MINIMAL if quoted else csv.QUOTE_NONE,
        strict=True,
    )
    try:
        for row in reader:
            if row:
                reading.rows.append(row)
                reading.lines.append((begin, reader.line_num))
            begin = reader.line_num + 1
    except csv.Error as error:
        if "new-line character" in str(error):
            problem = f"line {reader.line_num} holds a carriage return that ends no line"
        else:
            end = f" (up to line {reader.line_num})" if reader.line_num > begin else ""
            problem = f"a quotation mark on line {begin} opens a value that is not closed properly{end}"
        return replace(reading, problem=problem)
    for row, (line, _) in zip(reading.rows, reading.lines, strict=True):
        if len(row) != reading.width:
            problem = f"line {line} has {len(row)} value{'s' * (len(row) != 1)}, the first record has {reading.width}"
            return replace(reading, problem=problem)
    return reading


def _decide_quoting(found: list[_Reading], text: str, form: TextFormat, path: str) -> _Reading:
    """Chooses between readings with one separator; refuses if values may have been lost in others."""
    right = [reading for reading in found if not reading.problem]
    if not right:
        raise UserError(
            found[0].problem,
            where=path,
            remedy="Quote texts that hold separators or line breaks, or set source.separator and source.quoting.",
        )
    if len(right) == 2 and len(right[0].rows) != len(right[1].rows):
        begin, end = next(lines for lines in right[0].lines if lines[0] != lines[1])
        raise _either(path, begin, end)
    chosen = right[0]
    if form.quoting == AUTO:
        if chosen.quoted:
            _refuse_swallowed(chosen, text, path)
        else:
            logger.info("%s: quotation marks are read as characters of the texts", path)
    return chosen


def _refuse_swallowed(reading: _Reading, text: str, path: str) -> None:
    """Refuses a value over several lines if its first line is a record like the others: a mark may be misplaced."""
    long = [lines for lines in reading.lines if lines[0] != lines[1]]
    if not long:
        return
    physical = list(_lines(text))
    known = list(_categories(reading))
    for begin, end in long:
        values = physical[begin - 1].rstrip("\r\n").split(reading.separator)
        others = [(v, kinds) for v, kinds in zip(values, known, strict=False) if kinds and not v.startswith('"')]
        if len(values) == reading.width and others and all(value in kinds for value, kinds in others):
            raise _either(path, begin, end)


def _lines(text: str) -> io.StringIO:
    """The physical lines: they end in a line feed, or in a carriage return if there is no line feed at all."""
    return io.StringIO(text, newline="\n" if "\n" in text else "\r")


def _categories(reading: _Reading) -> Iterator[set[str]]:
    """For each column, its values if they repeat, as labels do; otherwise nothing."""
    whole = [row for row, (begin, end) in zip(reading.rows, reading.lines, strict=True) if begin == end]
    for column in range(reading.width):
        counts = Counter(row[column] for row in whole[1:])
        yield set(counts) if 2 * len(counts) <= len(whole) - 1 else set()


def _either(path: str, begin: int, end: int) -> UserError:
    return UserError(
        f"a quotation mark on line {begin} may enclose everything up to line {end}, or be a character of its text",
        where=path,
        remedy="Set source.quoting to standard (it encloses) or none (it is a character).",
    )


def _encoding_remedy(data: bytes) -> str:
    import charset_normalizer

    sample = data[:_SAMPLE_BYTES]
    evens, odds = sample[::2].count(0), sample[1::2].count(0)
    if 4 * max(evens, odds) > len(sample):
        return f"Perhaps it is UTF-16: set source.encoding to utf-16-{'le' if odds > evens else 'be'}."
    if 0 in sample:
        return "It is damaged, or no text: save it as UTF-8 text."
    best = None if _is_utf8(data) else charset_normalizer.from_bytes(sample).best()
    if best is None and not _is_utf8(data):
        return "Set source.encoding, or save it as UTF-8."
    name = _spelling(best.encoding) if best else "UTF-8"
    return f"Perhaps it is {name}: set source.encoding" + (", or save it as UTF-8." if best else ".")


def _spelling(encoding: str) -> str:
    name = codecs.lookup(encoding).name
    return {"utf-8": "UTF-8", "utf-8-sig": "UTF-8", "cp1252": "Windows-1252 (cp1252)"}.get(name, name)


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
