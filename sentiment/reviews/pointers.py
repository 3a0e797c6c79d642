"""DVC pointers: the version of a local file, as ``dvc add`` recorded it. DVC itself is not needed.

``reviews.csv.dvc`` beside ``reviews.csv`` holds the size and the MD5 of the file; ``reviews.dvc`` beside a folder, the
MD5 of the list of its files.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path

from sentiment.errors import UserError, first_line

SUFFIX = ".dvc"
FOLDER = ".dir"  # end of the MD5 of a folder
BLOCK_BYTES = 1 << 20  # before version 3, DVC replaced line ends in blocks of this size
TEXT_SAMPLE_BYTES = 512  # by which it told texts from other files
TEXT_BYTES = bytes(range(32, 127)) + b"\n\r\t\f\b"
MAX_OTHER_SHARE = 0.3


@dataclass(frozen=True)
class Pointer:
    r"""An output of a ``.dvc`` file.

    Attributes:
        target: The file or folder that it points to.
        md5: Its MD5 (hex); of a folder with ``.dir`` at the end.
        size: Its bytes; None if not recorded.
        legacy: Whether DVC before version 3 wrote it: texts count with ``\n`` for ``\r\n`` then.
    """

    target: Path
    md5: str
    size: int | None
    legacy: bool


def locate(path: str) -> tuple[str, str | None]:
    """Returns the path of the data and its version: the MD5 of its pointer, which the data must match.

    Args:
        path: A file with or without a pointer, or a pointer itself. A URL has no pointer.

    Returns:
        The path of the data, and its version (of a file in a folder with a pointer: the MD5 of the folder, and the
        file's path in it); None if no pointer covers it.

    Raises:
        UserError: If a pointer cannot be read, or the data is missing or differs from it.
    """
    if "://" in path:
        return path, None
    file = Path(path).expanduser()
    pointer = _read(file, None) if path.endswith(SUFFIX) else _find(file)
    if pointer is None:
        return path, None
    if path.endswith(SUFFIX):
        file = pointer.target
    if not file.exists():
        raise UserError("no such file, only its .dvc pointer", where=str(file), remedy="Run dvc pull.")
    if file.is_dir():
        raise UserError("this is a folder, not a file", where=str(file), remedy="Name a file in it.")
    if problem := _compare(pointer):
        raise UserError(
            f"differs from its .dvc pointer: {problem}",
            where=str(file),
            remedy="Run dvc checkout to restore the recorded version, or dvc add to record this one.",
        )
    if pointer.md5.endswith(FOLDER):
        return str(file), f"{pointer.md5}/{Path(os.path.relpath(file, pointer.target)).as_posix()}"
    return str(file), pointer.md5


def _find(path: Path) -> Pointer | None:
    """Finds the pointer of a file, or of the nearest folder around it."""
    for target in (path, *path.absolute().parents):
        pointer = target.with_name(target.name + SUFFIX) if target.name else target
        if target.name and pointer.is_file():
            return _read(pointer, target)
    return None


def _read(path: Path, target: Path | None) -> Pointer:
    """Reads the output for a target, or the only one."""
    import yaml

    where = str(path)
    try:
        content = yaml.load(path.read_text(encoding="utf-8"), yaml.BaseLoader)  # every value is text, also an MD5
        folder = path.parent / content.get("wdir", ".")
        outputs = {Path(os.path.normpath(folder / out["path"])): out for out in content["outs"]}
    except FileNotFoundError:
        raise UserError("no such file", where=where, remedy="Check the path after `file:`.") from None
    except (OSError, ValueError, TypeError, KeyError, AttributeError, yaml.YAMLError) as error:
        raise UserError(
            f"not a DVC pointer: {first_line(error)}", where=where, remedy="Write it again: dvc add."
        ) from None
    if target is None and len(outputs) == 1:
        (target,) = outputs
    found = outputs.get(Path(os.path.normpath(target)), {}) if target else {}
    if target is None or "md5" not in found:
        named = target.name if target else "one file"
        raise UserError(f"names no MD5 of {named}", where=where, remedy="Write it again: dvc add.")
    size = found.get("size", "")
    return Pointer(target, found["md5"], int(size) if size.isdigit() else None, found.get("hash") != "md5")


def _compare(pointer: Pointer) -> str:
    """Returns how the data differs from its pointer; empty if it does not."""
    target = pointer.target
    if pointer.md5.endswith(FOLDER) != target.is_dir():
        return f"the MD5 is that of a {'file' if target.is_dir() else 'folder'}"
    if pointer.md5.endswith(FOLDER):
        found = _folder_md5(target, legacy=pointer.legacy)
    else:
        size = target.stat().st_size
        if pointer.size not in (None, size) and not pointer.legacy:
            return f"{size:,} bytes, not {pointer.size:,}"
        found = _file_md5(target, legacy=pointer.legacy)
    return "" if found == pointer.md5 else f"MD5 {found}, not {pointer.md5}"


def _folder_md5(folder: Path, *, legacy: bool) -> str:
    """Returns the MD5 of the list of a folder's files, as DVC writes it, with its ``.dir``."""
    files = sorted((file.relative_to(folder).as_posix(), file) for file in folder.rglob("*") if file.is_file())
    listed = [{"md5": _file_md5(file, legacy=legacy), "relpath": name} for name, file in files]
    return hashlib.md5(json.dumps(listed).encode(), usedforsecurity=False).hexdigest() + FOLDER


def _file_md5(path: Path, *, legacy: bool) -> str:
    digest = hashlib.md5(usedforsecurity=False)
    with path.open("rb") as file:
        replace = legacy and _is_text(file.read(TEXT_SAMPLE_BYTES))
        file.seek(0)
        while block := file.read(BLOCK_BYTES):
            digest.update(block.replace(b"\r\n", b"\n") if replace else block)
    return digest.hexdigest()


def _is_text(sample: bytes) -> bool:
    return b"\0" not in sample and len(sample.translate(None, TEXT_BYTES)) <= MAX_OTHER_SHARE * len(sample)
