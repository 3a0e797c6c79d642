"""Cleaning of one text: removes markup, mojibake, control characters and extra whitespace, and keeps the rest.

Negations, case, punctuation and emoji carry sentiment: none of them is touched.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

from sentiment.words import INVISIBLE, VISIBLE

if TYPE_CHECKING:
    from ftfy import TextFixerConfig

_LAYERS = 10  # of escaping and mojibake that are peeled off; real text has one or two
_BLOCK = (
    "address|article|aside|blockquote|body|br|center|dd|div|dl|dt|fieldset|figcaption|figure|footer|form|h[1-6]|head"
    "|header|hr|html|li|main|nav|ol|option|p|pre|section|select|table|tbody|td|tfoot|th|thead|title|tr|ul"
)
_INLINE = (
    "a|abbr|acronym|audio|b|bdi|bdo|big|button|cite|code|data|del|dfn|em|embed|font|i|img|input|ins|kbd|label|link|mark"
    "|meta|param|path|q|rp|rt|ruby|s|samp|small|source|span|strike|strong|sub|sup|time|tt|u|var|video|wbr"
)
_UNSEEN = "iframe|noscript|object|script|style|svg|template|textarea"

# Only tags named like an HTML element are markup: "<3", "<sigh>" and "a <b" are the writer's own words. An element
# whose content is not shown counts only when it is closed: "<style>" alone would swallow the rest of the review.
_AFTER_BRACKET = (
    rf"/?(?:{_BLOCK}|{_INLINE})(?:[\s/][^<>]*)?>"
    rf"|(?P<unseen>{_UNSEEN})(?:[\s/][^<>]*)?>(?=.*?</(?P=unseen)\s*>)|/(?:{_UNSEEN})\s*>"
    r"|!--.*?-->|!doctype[^<>]*>"
)
_MARKUP = re.compile(f"<(?:{_AFTER_BRACKET})", re.IGNORECASE | re.DOTALL)
_STRAY_BRACKET = re.compile(f"<(?!{_AFTER_BRACKET})", re.IGNORECASE | re.DOTALL)
_AFTER_AMPERSAND = r"(?:#\d{1,7}|#x[0-9a-f]{1,6}|[a-z][a-z0-9]{1,30});"
_ENTITY = re.compile(f"&{_AFTER_AMPERSAND}", re.IGNORECASE)
_STRAY_AMPERSAND = re.compile(f"&(?!{_AFTER_AMPERSAND})", re.IGNORECASE)
_ESCAPED_AMPERSAND = re.compile("&(?:amp;)+")
_LINE_BREAK = re.compile(r"<br\s*/?>", re.IGNORECASE)
_CONTROL = re.compile("[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f]")  # not ESC: ftfy removes it with its terminal sequence
_C1_CONTROL = re.compile("[\x80-\x9f]")  # ftfy reads these as Windows-1252 first
# Most of the cleaning time is ftfy's, so it is called only for faults that the text can have. UTF-8 read as a one-byte
# encoding comes in runs of non-ASCII characters, or with a space or question mark in the place of one of them.
_MAYBE_MOJIBAKE = re.compile("[^\x00-\x7f]{2}|[\x80-\x9f]|[ÂÃĂÅĹÎÐĐÙ][ ?]|[âãð] [^\x00-\x7f]")
_LIGATURE = re.compile("[\u0132\u0133\u0149\u01c4-\u01cc\u01f1-\u01f3\ufb00-\ufb06]")
_WIDE = re.compile("[\u3000\uff01-\uffef]")
_INVISIBLE = re.compile(f"[{INVISIBLE}\ufffc]")  # and the object replacement character


def clean(text: str) -> str:
    """Removes HTML, mojibake, control characters and runs of whitespace.

    Tags of inline elements vanish, ``<br>`` and block elements become a space, scripts and styles go with their
    content, character references become characters; encoding accidents are undone by ftfy (Speer 2019,
    DOI 10.5281/zenodo.2591652), which also straightens curly quotes. Cleaning twice changes nothing.

    Args:
        text: Any text; may hold NUL and other control characters.

    Returns:
        One line of text without leading, trailing or double spaces; empty if nothing readable was in it.
    """
    if "<" in text:
        text = _LINE_BREAK.sub(" ", text)  # nearly all markup there is in reviews
    for _ in range(_LAYERS):
        peeled = " ".join(_peel(text).split())
        if peeled == text:
            break
        text = peeled
    return text if VISIBLE.search(text) else ""


def _peel(text: str) -> str:
    """Removes one layer of escaping, markup and mojibake."""
    text = _CONTROL.sub(" ", text)
    if ("<" in text and _MARKUP.search(text)) or ("&" in text and _ENTITY.search(text)):
        text = _visible_text(text)
    if not text.isascii() or "\x1b" in text:
        import ftfy

        present = [pattern.search(text) is not None for pattern in (_MAYBE_MOJIBAKE, _LIGATURE, _WIDE)]
        text = ftfy.fix_text(text, _ftfy_config(*present))
        text = _INVISIBLE.sub("", _C1_CONTROL.sub(" ", text))
    return text


def _visible_text(text: str) -> str:
    from selectolax.lexbor import LexborHTMLParser

    text = _ESCAPED_AMPERSAND.sub("&", text)
    tree = LexborHTMLParser(_STRAY_BRACKET.sub("&lt;", _STRAY_AMPERSAND.sub("&amp;", text)))
    tree.strip_tags(_UNSEEN.split("|"))
    for node in tree.css(_BLOCK.replace("h[1-6]", "h1|h2|h3|h4|h5|h6").replace("|", ",")):
        node.insert_before(" ")
        node.insert_after(" ")
    return tree.root.text() if tree.root else ""


@cache
def _ftfy_config(mojibake: bool, ligatures: bool, wide: bool) -> TextFixerConfig:
    from ftfy import TextFixerConfig

    return TextFixerConfig(
        unescape_html=False,  # the parser has done it
        remove_control_chars=False,  # and these are done here, faster
        fix_encoding=mojibake,
        fix_latin_ligatures=ligatures,
        fix_character_width=wide,
        explain=False,
    )
