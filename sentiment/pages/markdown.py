"""Markdown that escapes its values: names of sources come from users' files."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def literal(value: object) -> str:
    """A value without any meaning to Markdown or HTML, on one line."""
    words = " ".join(str(value).split()).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    for mark in "\\`*[]|":
        words = words.replace(mark, "\\" + mark)
    return words


def table(headers: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A table."""
    lines = [headers, ["---"] * len(headers), *rows]
    return "\n".join("| " + " | ".join(literal(cell) for cell in line) + " |" for line in lines)
