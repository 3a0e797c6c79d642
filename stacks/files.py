"""Files that are written atomically, and files that must exist."""

from __future__ import annotations

import os
from pathlib import Path

from sentiment.errors import UserError


def write_whole(path: Path, text: str, *, mode: int = 0o666) -> None:
    """Writes a file atomically: a reader sees the old or the new text, even if this process is killed.

    Args:
        path: The file.
        text: All of it.
        mode: Its permissions, less the umask.
    """
    new = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        new.replace(path)
    finally:
        new.unlink(missing_ok=True)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)  # otherwise a power failure may bring the old text back
    finally:
        os.close(folder)


def required_file(path: str | None, setting: str) -> Path | None:
    """Returns the absolute path of a file that a setting names.

    Raises:
        UserError: If it does not exist or is not readable.
    """
    if not path:
        return None
    found = Path(path).expanduser().resolve()
    if not found.is_file():
        raise UserError("there is no such file", where=f"{setting} {path}", remedy="Fix the stack file.")
    if not os.access(found, os.R_OK):
        raise UserError("is not readable", where=f"{setting} {path}", remedy="Make it readable for the deploying user.")
    return found
