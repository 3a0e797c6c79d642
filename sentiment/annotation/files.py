"""The files that an annotation tool reads, and those that it writes."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from types import ModuleType
from typing import Any

from pydantic import ValidationError

from sentiment.annotation import argilla, label_studio
from sentiment.annotation.items import Answer, Item
from sentiment.errors import UserError, first_line
from sentiment.reviews.table import LABELS

FORMATS: dict[str, ModuleType] = {"label-studio": label_studio, "argilla": argilla}
SUFFIXES = (".jsonl", ".json")
_EXPORT = "Export the answers as docs/loop.md shows: JSON, neither JSON-MIN nor CSV."


def write_items(path: Path, items: Sequence[Item], *, format: str, suggest: bool) -> Path:
    """Writes a batch, and the settings of its project beside it; only the owner may read the texts.

    Args:
        path: ``.jsonl`` for one item a line, ``.json`` for one array.
        items: The batch.
        format: A name in ``FORMATS``.
        suggest: Whether annotators see the model's answer.

    Returns:
        The file of settings.

    Raises:
        UserError: If one of the files exists already, or cannot be written.
    """
    require_new(path, format=format)
    tool = FORMATS[format]
    entries = [json.dumps(tool.write_entry(item, suggest=suggest), ensure_ascii=False) for item in items]
    lines = path.suffix == ".jsonl"
    content = "\n".join(entries) + "\n" if lines else "[\n" + ",\n".join(entries) + "\n]\n"
    settings = path.with_suffix(tool.SETTINGS_SUFFIX)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        settings.write_text(tool.write_settings(), encoding="utf-8")
        with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(content.encode("utf-8", "replace"))
        temporary.replace(path)
    except OSError as error:
        with suppress(OSError):
            settings.unlink()
        raise UserError(f"cannot be written: {error.strerror}", where=str(path), remedy="Name another file.") from error
    finally:
        with suppress(OSError):  # usually it is gone: it became the batch
            temporary.unlink()  # it holds texts of users
    return settings


def require_new(path: Path, *, format: str) -> None:
    """Raises a UserError if a batch cannot be written there: it has another suffix, or people may be labelling it."""
    if path.suffix not in SUFFIXES:
        raise UserError("is neither .jsonl nor .json", where=str(path), remedy="Label Studio uploads .json.")
    for file in (path, path.with_suffix(FORMATS[format].SETTINGS_SUFFIX)):
        if file.exists():
            raise UserError("exists already", where=str(file), remedy="Name another file.")


def read_answers(path: Path) -> list[Answer]:
    """Reads the answers from a file of any format in ``FORMATS``: an array, a page with ``items``, or lines.

    Raises:
        UserError: If it is no such file, or an answer is none of the labels.
    """
    answers: list[Answer] = []
    tool: ModuleType | None = None
    for place, entry in _read_entries(path):
        where = f"{path}, {place}"
        own = next((t for t in FORMATS.values() if isinstance(entry, dict) and t.is_own(entry)), None)
        if own is None or tool not in (None, own):
            raise UserError("is no answer of Label Studio or Argilla", where=where, remedy=_EXPORT)
        tool = own
        try:
            found = own.read_answers(entry)
        except ValidationError as error:
            problem = error.errors(include_url=False)[0]
            key = ".".join(map(str, problem["loc"]))
            raise UserError(f"has the wrong shape at {key}: {problem['msg']}", where=where, remedy=_EXPORT) from error
        except ValueError as error:
            raise UserError(str(error), where=where, remedy="Use the settings that labels export wrote.") from error
        wrong = next((answer.label for answer in found if answer.label not in (None, *LABELS)), None)
        if wrong is not None:
            raise UserError(
                f"the label {wrong[:60]!r} is not one of {', '.join(LABELS)}",
                where=where,
                remedy="Use the settings that labels export wrote.",
            )
        answers += found
    if tool is None:
        raise UserError("holds no answers", where=str(path), remedy=_EXPORT)
    return answers


def _read_entries(path: Path) -> Iterator[tuple[str, Any]]:
    """Yields every entry of a file, and its place in it."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"cannot be read: {first_line(error)}", where=str(path), remedy="Name the file.") from error
    try:
        whole = json.loads(text)
    except RecursionError as error:
        raise UserError("is nested too deeply", where=str(path), remedy=_EXPORT) from error
    except json.JSONDecodeError as error:
        if text.lstrip().startswith("["):
            raise _broken(path, error.lineno, error) from error
        yield from _read_lines(path, text)
        return
    entries = whole.get("items", whole) if isinstance(whole, dict) else whole
    for number, entry in enumerate(entries if isinstance(entries, list) else [entries], 1):
        yield f"item {number}", entry


def _read_lines(path: Path, text: str) -> Iterator[tuple[str, Any]]:
    for number, line in enumerate(text.split("\n"), 1):  # splitlines would also end lines at U+2028 in a text
        if line.strip():
            try:
                entry = json.loads(line)
            except (json.JSONDecodeError, RecursionError) as error:
                raise _broken(path, number, error) from error
            yield f"line {number}", entry


def _broken(path: Path, number: int, error: Exception) -> UserError:
    return UserError(f"is no JSON: {first_line(error)}", where=f"{path}, line {number}", remedy=_EXPORT)
