"""One definition of letters, words, signs and blanks."""

import random
import sys
import unicodedata

import pytest

from sentiment import words as definitions
from sentiment.monitoring.sketch import sketch
from sentiment.reviews.cleaning import clean
from sentiment.reviews.near_copies import near_copies
from sentiment.words import VISIBLE, find_words, normalise

HINDI, HINDI_TOO = "यह फिल्म अच्छी है", "यह फिल्म अच्छा है"  # they differ in a vowel sign
SCRIPTS = {
    "Devanagari": ["यह", "फिल्म", "अच्छी", "है"],
    "Bengali": ["ছবিটি", "খুব", "ভালো"],
    "Tamil": ["படம்", "நன்றாக", "இருந்தது"],
    "Thai": ["หนังเรื่องนี้", "ดีมาก"],
    "Persian with a joiner": ["می\u200cخواهم", "فیلم"],  # noqa: RUF001 - letters of that script
    "accents written apart": [unicodedata.normalize("NFD", "café"), unicodedata.normalize("NFD", "naïve")],
}


@pytest.mark.parametrize("words", SCRIPTS.values(), ids=SCRIPTS)
def test_marks_belong_to_their_letter(words):
    text = " ".join(words)
    assert find_words(text) == words
    assert len(normalise(text).split()) == len(words)


def test_texts_that_differ_in_a_vowel_sign_are_different_texts():
    assert normalise(HINDI) != normalise(HINDI_TOO)
    assert sketch(HINDI) != sketch(HINDI_TOO)
    assert find_words(HINDI) != find_words(HINDI_TOO)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("I didn't, 'really'! the dogs' rock'n'roll", ["i", "didn't", "really", "!", "the", "dogs", "rock'n'roll"]),
        ("snake_case 3D", ["snake_case", "3d"]),
        ("Good :) bad :-( love <3 👍🏽", ["good", ":)", "bad", ":-(", "love", "<3", "👍"]),
        ("(1999): see http://a/b, 8) and (sic)", ["1999", "see", "http", "a", "b", "8", "and", "sic"]),
    ],
)
def test_words_of_english(text, words):
    assert find_words(text) == words


def test_the_fast_way_for_western_texts_finds_the_same_words():
    draw = random.Random(0)
    characters = "ab9'_!?:;=()-^o/|<3d*. ,\t\n\x1c\x85\xa0é²ß“’–…©°™\x81İ😀"  # noqa: RUF001 - signs of that encoding
    for _ in range(30_000):
        text = "".join(draw.choices(characters, k=draw.randint(0, 12)))
        assert find_words(text) == definitions._WORD.findall(text.lower()), repr(text)


@pytest.mark.parametrize(("one", "other"), [("👍", "👎"), (":)", ":("), (" 😍", " 😡"), ("<3", "</3"), ("★★★★★", "★")])
def test_texts_that_differ_in_a_sign_are_different_texts(one, other):
    text = "my order arrived today and this is all that there is to say about it, as I have told you {}"
    keys = [normalise(text.format(sign)) for sign in (one, other)]
    assert keys[0] != keys[1]
    assert near_copies(keys, similarity=0.8, seed=1) == [-1, -1]
    assert near_copies([keys[0], keys[0]], similarity=0.8, seed=1) == [-1, 0]


def test_case_and_punctuation_do_not_count():
    assert normalise("Not GOOD, at all!") == normalise("not good at all")
    assert normalise("!!!") == "!!!"


def test_every_mark_is_part_of_a_word_and_no_sign_is_blank():
    for point in range(0x80, 0x20000):
        character = chr(point)
        category = unicodedata.category(character)
        if category in ("Mn", "Mc", "Me"):
            assert find_words(f"a{character}b") == [f"a{character}b".lower()], hex(point)
        if category == "So":
            assert VISIBLE.search(character), hex(point)


def test_a_text_of_blanks_alone_is_empty_when_it_is_clean():
    blanks = [chr(point) for point in range(sys.maxunicode + 1) if not 0xD800 <= point <= 0xDFFF]
    blanks = [c for c in blanks if not VISIBLE.search(c) and c != "\x85"]  # that is an ellipsis of Windows
    assert len(blanks) > 30
    assert clean("".join(blanks)) == ""
    assert [hex(ord(c)) for c in blanks if clean(c)] == []
