"""Defines letters, words, signs and blanks for every script, once for data, models and service.

Combining marks (vowel signs of Devanagari, Thai and others, accents that are written apart) belong to their letter.
Emoji and emoticons are signs: they carry sentiment, so texts that differ in them are different texts.
"""

from __future__ import annotations

import re
import unicodedata

_SCRIPTS = range(0x80, 0x20000)  # all marks and signs but the variation selectors of U+E0100, which no text needs


def _classes(*categories: str) -> str:
    """The characters of some Unicode categories as the inside of a character class."""
    found = {point for point in _SCRIPTS if unicodedata.category(chr(point)) in categories}
    starts = sorted(point for point in found if point - 1 not in found)
    ends = sorted(point for point in found if point + 1 not in found)
    return "".join(f"{chr(start)}-{chr(end)}" for start, end in zip(starts, ends, strict=True))


# insides of character classes for the regular expressions of Python, Rust and ECMAScript
JOINERS = r"\u200c\u200d"  # emoji and several scripts are spelt with them
INVISIBLE = r"\u00ad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
VISIBLE = re.compile(rf"[^\s\x1c-\x1f{JOINERS}{INVISIBLE}]")

_MARKS = _classes("Mn", "Mc", "Me") + JOINERS
_EMOTICON = r"(?<!\w)(?:[:;=][-~^o']?(?:[()\[\]|/\\*]+|[dp](?!\w))|\([-']?[:;=](?![\w)])|</?3+(?!\w))"
# a run of stars is a rating; the last two ranges also hold emoji that this Python does not know, but no skin tones
_EMOJI = f"(?:[★☆⭐]+|[{_classes('So')}\U0001f300-\U0001f3fa\U0001f400-\U0001faff])"
_SIGN = re.compile(f"{_EMOTICON}|{_EMOJI}")
# an apostrophe stays inside its word, so that "didn't" is one word; "!" and "?" carry sentiment
_ASCII_WORD = re.compile(rf"\w(?:[\w']*\w)?|[!?]|{_EMOTICON}")
_WORD = re.compile(rf"\w(?:[\w{_MARKS}']*[\w{_MARKS}])?|[!?]|{_EMOTICON}|{_EMOJI}")
_LETTERS = re.compile(rf"[^\W_][{_MARKS}]*(?:[^\W_][{_MARKS}]*)*")
_NO_ASCII_LETTER = {code: " " for code in range(128) if not chr(code).isalnum()}


def find_words(text: str) -> list[str]:
    """Returns the words of a text in lower case, with its exclamation and question marks, emoticons and emoji."""
    return (_ASCII_WORD if text.isascii() else _WORD).findall(text.lower())


def normalise(text: str, *, with_signs: bool = True) -> str:
    """Returns the key under which two texts count as the same: case and punctuation aside, but not their signs.

    A text without a letter, a digit or a sign ("!!!") is its own key.

    Args:
        text: A clean text.
        with_signs: Without them, the key of the beginning of a text is the beginning of its key.

    Returns:
        Words and signs, separated by one space; the signs come last.
    """
    if text.isascii():
        folded, words = text.lower(), text.lower().translate(_NO_ASCII_LETTER).split()
    else:
        folded = unicodedata.normalize("NFKC", text).casefold()
        words = _LETTERS.findall(folded)
    return " ".join([*words, *(_SIGN.findall(text.lower()) if with_signs else ())]) or folded


def signs_in(words: frozenset[str]) -> frozenset[str]:
    """Returns those words of a key that are emoticons or emoji."""
    return frozenset(word for word in words if _SIGN.fullmatch(word))
