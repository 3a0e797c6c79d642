"""The profile that a search ends with: it extends its base, and holds only what differs."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sentiment.errors import UserError

ORIGIN = "# Written by run.py --pipeline tune, study "


def require_own(path: Path, study: str) -> None:
    """Raises a UserError if the file exists and is not the profile of this study."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists() and not path.read_text(encoding="utf-8").startswith(f"{ORIGIN}{study}."):
        raise UserError(
            f"exists, and was not written by the study {study}",
            where=str(path),
            remedy="Set profile=FILE, or study=NAME.",
        )


def write_profile(path: Path, study: str, base: Path, values: Mapping[str, Any], comments: list[str]) -> str:
    """Writes the profile, and returns its content.

    Args:
        path: The file.
        study: Name of the study.
        base: The profile that it extends.
        values: What differs, by key.
        comments: Lines that say where it came from.
    """
    import yaml

    nested: dict[str, Any] = {}
    for key, value in values.items():
        *parents, last = key.split(".")
        inner = nested
        for parent in parents:
            inner = inner.setdefault(parent, {})
        inner[last] = value
    lines = [f"{ORIGIN}{study}.", *(f"# {line}" for line in comments)]
    body = {"extends": os.path.relpath(base, path.parent), **nested}
    text = "\n".join(lines) + "\n" + yaml.safe_dump(body, sort_keys=False, width=110)
    partial = path.with_name(f".{path.name}.partial")
    partial.write_text(text, encoding="utf-8")
    partial.replace(path)
    return text
