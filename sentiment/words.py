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
_WORD = re.compile(rf"\w(?:[\w{_MARKS}']*[\w{_MARKS}])?|[!?]|{_EMOTICON}|{_EMOJI}")
# finds some texts without an emoticon, too; that all its matches begin with one of a few characters makes it fast
_MAYBE_SIGN = re.compile(
    r"[:;=<(\xa6\xa9\xae\xb0\u2122]"
    r"(?:(?<=[:;=])[-~^o'()\[\]|/\\*dp]|(?<=\()[-']?[:;=]|(?<=<)[/3]|(?<=[^\x00-\x7f]))"
)
_WESTERN = "cp1252"  # one byte a character, also for curly quotes and dashes; it holds no mark, and the signs above
_APART = bytes(
    code if (letter := bytes([code]).decode(_WESTERN, "replace")).isalnum() or letter in "_'!?" else ord(" ")
    for code in range(256)
)
_LETTERS = re.compile(rf"[^\W_][{_MARKS}]*(?:[^\W_][{_MARKS}]*)*")
_NO_ASCII_LETTER = {code: " " for code in range(128) if not chr(code).isalnum()}


def find_words(text: str) -> list[str]:
    """Returns the words of a text in lower case, with its exclamation and question marks, emoticons and emoji."""
    return separate_words(text).split()


def separate_words(text: str) -> str:
    """Returns the words of a text as ``find_words`` does, with spaces around them instead of as a list.

    A regular expression finds the words of any text. Most texts are western and hold no emoticon: replacing bytes gives
    the same in a third of the time.
    """
    text = text.lower()
    encoding = "ascii" if text.isascii() else _WESTERN  # Python has a faster codec for ASCII
    try:
        western = text.encode(encoding)
    except UnicodeEncodeError:
        return " ".join(_WORD.findall(text))
    if _MAYBE_SIGN.search(text):
        return " ".join(_WORD.findall(text))
    words = western.translate(_APART).decode(encoding)
    for mark in "!?":
        words = words.replace(mark, f" {mark} ")
    if "'" in words:  # at the edge of a word it is a quotation mark
        words = f" {words} "
        while " '" in words:
            words = words.replace(" '", " ")
        while "' " in words:
            words = words.replace("' ", " ")
    return words


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
