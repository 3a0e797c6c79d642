import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sentiment.reviews.cleaning import clean
from sentiment.words import normalise

PIECES = st.sampled_from(
    [
        *("<br />", "<p>", "</div>", "<3", "<sigh>", "&amp;", "&lt;", "b&gt;", "&", "<", ">", "<!--", "-->", "&#0;"),
        *(
            "<script>",
            "</script>",
            "Ã©",
            "â€™",
            "Ã ",
            "\x00",
            "\x85",
            "\x1b[31m",
            "\ud800",
            "\u200b",
            "👍🏽",
            "ﬁ",
            "not",
        ),
    ]
)


@given(st.lists(PIECES | PIECES | st.text(max_size=3), max_size=12).map("".join))
@settings(max_examples=1000, deadline=None, derandomize=True)
def test_cleaning_twice_changes_nothing(text):
    once = clean(text)
    assert clean(once) == once
    assert once == " ".join(once.split())
    assert "\x00" not in once


@pytest.mark.parametrize(
    ("raw", "cleaned"),
    [
        ("Slow.<br /><br/>Then <BR>great", "Slow. Then great"),
        ("<p>One</p><div>two</div>", "One two"),
        ("<b>wonder</b>ful <a href='x'>film</a>", "wonderful film"),
        ("good<script>if (a<b) alert('bad')</script> film<style>p{}</style>", "good film"),
        ("good<!-- bad --> film", "good film"),
        ("Tom &amp; Jerry &lt;3 caf&eacute;", "Tom & Jerry <3 café"),
        ("&amp;amp;lt;b&amp;gt;bold", "bold"),
        ("a\x00b\x07c \t\r\n d\u200be\ufeff", "a b c de"),
        ("It\x92s fine\x85", "It's fine…"),
        ("the cafÃ© isnâ€™t open", "the café isn't open"),
        ("", ""),
        (" <br> &nbsp; ", ""),
    ],
)
def test_markup_and_encoding_faults_are_removed(raw, cleaned):
    assert clean(raw) == cleaned


@pytest.mark.parametrize(
    "text",
    [
        "I do NOT like it, don't watch!!! :-( 👍🏽 👨‍👩‍👧 (3/10)",
        "I <3 it, <sigh> a <b of course, and 5 < 6",
        "AT&T and R&B &c; this<a lot of words that must stay",
        "the <style> of it is <!-- odd",
    ],
)
def test_the_writers_text_stays(text):
    assert clean(text) == text


def test_the_key_of_a_text_ignores_case_and_punctuation_but_no_word():
    assert normalise("Not GOOD, at all!") == normalise("not good at all")
    assert normalise("Not good") != normalise("good")
    assert normalise("👍") != normalise("👎")
    assert normalise("!!!") == "!!!"
