"""Requests as batch transform makes them of a file with ``SplitType: Line``: a line each, or several lines each."""

import pytest

from bento.errors import RequestError
from bento.invocations import CSV, JSON_LINES, read_lines

LINES = {JSON_LINES: ['{"text": "a, \\"b\\""}', '"c\\nd"', '{"text": "text"}'], CSV: ['"a, ""b"""', "c d", '"text"']}
TEXTS = {JSON_LINES: ['a, "b"', "c\nd", "text"], CSV: ['a, "b"', "c d", "text"]}


@pytest.mark.parametrize("given", [JSON_LINES, CSV])
@pytest.mark.parametrize("end", ["", "\n", "\r\n"])
def test_the_texts_are_the_same_by_one_line_and_by_several_lines_a_request(given, end):
    single = [text for line in LINES[given] for text in read_lines(f"{line}{end}".encode(), given)]
    several = read_lines((end or "\n").join(LINES[given]).encode() + end.encode(), given)
    assert single == several == TEXTS[given]


@pytest.mark.parametrize("line", ["", "\n"])
@pytest.mark.parametrize("given", [JSON_LINES, CSV])
def test_an_empty_line_is_refused(line, given):
    with pytest.raises(RequestError, match="line 1"):
        read_lines(line.encode(), given)


def test_a_record_of_csv_with_a_line_break_is_refused_as_its_first_half_is_no_record():
    with pytest.raises(RequestError, match="line 1 is not CSV"):
        read_lines(b'"two\n', CSV)
