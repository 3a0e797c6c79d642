"""Files that are written as a whole or not at all, and files that must be there."""

from __future__ import annotations

import os
from pathlib import Path

from sentiment.errors import UserError


def write_whole(path: Path, text: str, *, mode: int = 0o666) -> None:
    """Writes a file so that whoever reads it, at whatever moment this is killed, meets the old text or the new one.

    Args:
        path: The file.
        text: All of it.
        mode: Who may do what with it, less the umask.
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
        os.fsync(folder)  # else the name may still lead to the old text after a power failure
    finally:
        os.close(folder)


def required_file(path: str | None, setting: str) -> Path | None:
    """A file that a setting names, as a path that means the same everywhere.

    Raises:
        UserError: If it is not there, or may not be read.
    """
    if not path:
        return None
    found = Path(path).expanduser().resolve()
    if not found.is_file():
        raise UserError("there is no such file", where=f"{setting} {path}", remedy="Mend the stack file.")
    if not os.access(found, os.R_OK):
        raise UserError("may not be read", where=f"{setting} {path}", remedy="Give whoever deploys the right to.")
    return found
