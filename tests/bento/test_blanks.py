"""Blank texts are refused by both protocols."""

import sys
import unicodedata

import pytest
from pydantic import TypeAdapter, ValidationError

from bento.errors import RequestError
from bento.http import Text
from bento.predictor import check_texts

CHARACTERS = [chr(point) for point in range(sys.maxunicode + 1) if not 0xD800 <= point <= 0xDFFF]
BLANK = [c for c in CHARACTERS if c.isspace()] + [*"\u00ad\u180e\u200b\u200c\u200d\u200e\u2060\ufeff"]
over_http = TypeAdapter(Text).validate_python


def refused(check, value):
    try:
        check(value)
    except (RequestError, ValidationError):
        return True
    return False


@pytest.mark.parametrize("text", ["", *BLANK, " \u00a0\t\u200b", "".join(BLANK)])
def test_a_blank_text_is_refused(text):
    with pytest.raises(RequestError, match="text 1 is empty"):
        check_texts(["a", text])
    assert refused(over_http, text)
    assert not refused(over_http, text + "a")
    check_texts(["a", f"{text}a{text}"])


def test_both_protocols_agree_on_every_character():
    blank = [c for c in CHARACTERS if refused(check_texts, [c])]
    assert blank == [c for c in CHARACTERS if refused(over_http, c)]
    assert all(c.isspace() or unicodedata.category(c) in ("Cf", "Cn") for c in blank)
