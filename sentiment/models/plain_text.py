"""Text as the models read it: without markup."""

from __future__ import annotations

import html
import re

# The elements that ``sentiment.reviews.cleaning`` knows; that module needs packages which a service does not have, so a
# test compares the two. Other text in brackets ("<3", "<sigh>") is the writer's own. ?a: a long s does not match an s.
_BLOCK = (
    "address|article|aside|blockquote|body|br|center|dd|div|dl|dt|fieldset|figcaption|figure|footer|form|h[1-6]|head"
    "|header|hr|html|li|main|nav|ol|option|p|pre|section|select|table|tbody|td|tfoot|th|thead|title|tr|ul"
)
_INLINE = (
    "a|abbr|acronym|audio|b|bdi|bdo|big|button|cite|code|data|del|dfn|em|embed|font|i|img|input|ins|kbd|label|link|mark"
    "|meta|param|path|q|rp|rt|ruby|s|samp|small|source|span|strike|strong|sub|sup|time|tt|u|var|video|wbr"
)
_UNSEEN = "iframe|noscript|object|script|style|svg|template|textarea"
_ATTRIBUTES = r"(?:[\s/][^<>]*)?>"
_BLOCK_TAG = re.compile(f"</?(?a:{_BLOCK}){_ATTRIBUTES}", re.IGNORECASE)
_OTHER_TAG = re.compile(rf"</?(?a:{_INLINE}){_ATTRIBUTES}|</(?a:{_UNSEEN})\s*>|<!doctype[^<>]*>", re.IGNORECASE)
_HIDDEN = tuple(
    (re.compile(f"{start}.*?{end}", re.IGNORECASE | re.DOTALL), re.compile(end, re.IGNORECASE))
    for start, end in [*((f"<(?a:{n}){_ATTRIBUTES}", rf"</(?a:{n})\s*>") for n in _UNSEEN.split("|")), ("<!--", "-->")]
)
_ENTITY = re.compile(r"&(?:#\d{1,7}|#x[0-9a-f]{1,6}|[a-z][a-z0-9]{1,30});", re.IGNORECASE)


def to_plain_text(text: str) -> str:
    """Resolves tags and entities and collapses white space.

    Training data went through the thorough cleaning of ``sentiment.reviews.cleaning``; neither changes clean text.
    """
    if "<" in text:
        text = _OTHER_TAG.sub("", _BLOCK_TAG.sub(" ", _remove_hidden(text)))
    if "&" in text:
        text = _ENTITY.sub(lambda reference: html.unescape(reference[0]), text)
    return " ".join(text.split())


def _remove_hidden(text: str) -> str:
    """Removes scripts, comments and other hidden elements; an element without an end hides nothing."""
    for element, end in _HIDDEN:
        last = max((found.end() for found in end.finditer(text)), default=0)
        if last:  # search up to there only: from every start, a search without an end would read the whole text
            text = element.sub("", text[:last]) + text[last:]
    return text
