"""The formats of ``/invocations``: what is read, what is answered, and which line is named when it is wrong."""

import json

import pytest

from bento import invocations
from bento.errors import RequestError
from bento.invocations import CSV, JSON, JSON_LINES, choose_formats, read_lines, write_lines
from bento.predictor import MAX_CHARACTERS, MAX_TEXTS, Answer

ANSWERS = [Answer("a1", "positive", 0.75, abstained=False), Answer("b2", "negative", 0.55, abstained=True)]


@pytest.mark.parametrize(
    ("content_type", "accept", "formats"),
    [
        ("", "", (JSON, JSON)),
        ("application/x-www-form-urlencoded", "*/*", (JSON, JSON)),  # as `curl -d` sends
        ("Application/JSONLines; charset=utf-8", "", (JSON_LINES, JSON_LINES)),
        ("text/csv; header=present", "*/*;q=0.8", (CSV, CSV)),
        ("text/csv", "application/jsonlines", (CSV, JSON_LINES)),
        ("application/jsonlines", "text/html, application/json;q=0.9", (JSON_LINES, JSON)),
    ],
)
def test_formats_are_chosen(content_type, accept, formats):
    assert choose_formats(content_type, accept) == formats


def test_a_format_that_is_not_written_is_refused():
    with pytest.raises(RequestError, match="application/json, application/jsonlines, text/csv") as caught:
        choose_formats("text/csv", "application/xml")
    assert caught.value.status == 406


@pytest.mark.parametrize(
    ("given", "body", "texts"),
    [
        (JSON_LINES, '{"text": "caf\u00e9"}\n"dull"', ["caf\u00e9", "dull"]),
        (JSON_LINES, '"a"\r\n"b\\nc"\r\n', ["a", "b\nc"]),
        (JSON_LINES, '\ufeff"a"', ["a"]),
        (CSV, 'text\n"a, b"\nc\n', ["a, b", "c"]),
        (CSV, '"two\nlines"\r\n"a ""word"""\r\n', ["two\nlines", 'a "word"']),
        (CSV, "\ufefftext\na", ["a"]),
        (CSV, "text", ["text"]),  # batch transform may send single lines
        (CSV, "a", ["a"]),
    ],
)
def test_texts_are_read(given, body, texts):
    assert read_lines(body.encode(), given) == texts


@pytest.mark.parametrize(
    ("given", "body", "words", "status"),
    [
        (JSON_LINES, b'"a"\n{"text": "b"', "line 2 is not JSON", 400),
        (JSON_LINES, b'"a"\n\n"b"', "line 2 is not JSON", 400),
        (JSON_LINES, b"", "line 1 is not JSON", 400),
        (JSON_LINES, b'"a"\n"caf\xe9"', "line 2 is not UTF-8", 400),
        (JSON_LINES, b"[" * 100_000, "line 1 is not JSON", 400),
        (JSON_LINES, b'"a"\n{"text": "b", "id": 1}', 'line 2 must have the key "text", and no other', 422),
        (JSON_LINES, b'"a"\n{"text": 7}', "line 2 must be a text, not int", 422),
        (JSON_LINES, b'"a"\n"\\ud83d"', "line 2 holds half a character at position 0", 422),
        (JSON_LINES, b'"a"\n" \\t"', "line 2 is empty", 422),
        (JSON_LINES, b'"%s"' % (b"a" * (MAX_CHARACTERS + 1)), "line 1 has 20001 characters", 422),
        (JSON_LINES, b'"a"\n' * (MAX_TEXTS + 1), "give 1 to 64 texts; line 65 is one more", 422),
        (CSV, b'text\n"a\nb"\nc,d', "line 4 has 2 columns", 422),
        (CSV, b'a\n"b', "line 2 is not CSV: unexpected end of data", 400),
        (CSV, b"a\n" + b"b" * 200_000, "line 2 is not CSV: field larger than field limit", 400),
        (CSV, b"a\n\nb", "line 2 is empty", 422),
        (CSV, b"", "line 1 is empty", 422),
        (CSV, b"text\n" + b"a\n" * (MAX_TEXTS + 1), "give 1 to 64 texts; line 66 is one more", 422),
    ],
)
def test_a_wrong_line_is_named(given, body, words, status):
    with pytest.raises(RequestError, match=words) as caught:
        read_lines(body, given)
    assert caught.value.status == status


def test_answers_are_one_a_line():
    lines = [json.loads(line) for line in write_lines(ANSWERS, "3", JSON_LINES).split(b"\n")]
    assert lines[0] == {"id": "a1", "label": "positive", "score": 0.75, "abstained": False, "model_version": "3"}
    assert write_lines(ANSWERS, "3", CSV) == b"positive,0.75,false,a1,3\nnegative,0.55,true,b2,3"


def test_every_format_has_a_reader():
    assert {JSON, *invocations._READERS} == set(invocations.FORMATS)
