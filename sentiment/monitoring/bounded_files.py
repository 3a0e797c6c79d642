"""Lines on disk that stay within a bound, in a folder that several processes share.

Every process appends to its own file; the oldest files of the folder are deleted at the bound. Nothing is
locked: a process whose file another one removed sees that and opens the next.
"""

from __future__ import annotations

import errno
import logging
import os
import time
from collections.abc import Iterator, Sequence
from io import FileIO
from pathlib import Path

FILES_IN_BOUND = 10  # so that a deletion frees about a tenth of the bound

logger = logging.getLogger(__name__)


class BoundedFiles:
    """Appends lines to files ``<kind>-<nanoseconds>-<pid>.jsonl``, whose names sort by when they were opened."""

    def __init__(self, folder: Path, kind: str, max_bytes: int) -> None:
        """Touches nothing yet.

        Args:
            folder: Made when it is needed.
            kind: Kind of the lines; each kind has its own files and its own bound.
            max_bytes: Bound of all files of this kind, of all processes. Two processes that write at the same moment
                may exceed it by that write.
        """
        self._folder, self._kind, self._max_bytes = folder, kind, max_bytes
        self._file: FileIO | None = None
        self._path = folder
        self._size = 0
        self._failing = False

    def append(self, lines: Sequence[bytes]) -> int:
        """Writes lines, each with its line feed, in order; written lines survive the end of this process.

        Returns:
            How many could not be written; the next call tries again with its own lines.
        """
        lost = 0
        for part in self._parts(lines):
            try:
                self._write(b"".join(part))
            except OSError as error:
                lost += len(part)
                if not self._failing:
                    logger.warning("cannot write to the %s log, its records are lost: %s", self._kind, error.strerror)
                self._failing = True
            else:
                self._failing = False
        return lost

    def close(self) -> None:
        """Closes the file at hand."""
        file, self._file = self._file, None
        if file is not None:
            file.close()

    def _parts(self, lines: Sequence[bytes]) -> Iterator[list[bytes]]:
        """Splits lines into parts that fit into one file; a longer line is a part of its own."""
        part: list[bytes] = []
        size = 0
        for line in lines:
            if part and size + len(line) > self._max_bytes // FILES_IN_BOUND:
                yield part
                part, size = [], 0
            part.append(line)
            size += len(line)
        if part:
            yield part

    def _write(self, data: bytes) -> None:
        file = self._file_for(len(data))
        self._make_room(len(data))
        try:
            rest = memoryview(data)
            while rest:
                rest = rest[file.write(rest) :]
        except OSError:
            self._take_back()
            raise
        self._size += len(data)

    def _file_for(self, size: int) -> FileIO:
        """The file at hand, or a new one if it is full or gone."""
        if self._file is not None:
            full = self._size and self._size + size > self._max_bytes // FILES_IN_BOUND
            if full or not os.fstat(self._file.fileno()).st_nlink:
                self.close()
        if self._file is None:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._path = self._folder / f"{self._kind}-{time.time_ns():020d}-{os.getpid()}.jsonl"
            self._file, self._size = FileIO(self._path, "x", opener=_open_for_owner), 0
        return self._file

    def _make_room(self, size: int) -> None:
        if size > self._max_bytes:
            raise OSError(errno.EFBIG, os.strerror(errno.EFBIG))
        files = files_of(self._folder, self._kind)
        sizes = [_size_of(file) for file in files]
        excess = sum(sizes) + size - self._max_bytes
        for file, freed in zip(files, sizes, strict=True):
            if excess <= 0:
                break
            if file != self._path:
                file.unlink(missing_ok=True)
                excess -= freed

    def _take_back(self) -> None:
        """Removes half a line; where even that fails, the next line goes to another file."""
        try:
            if self._file is not None:
                self._file.seek(self._size)
                self._file.truncate()
        except OSError:
            self.close()


def files_of(folder: Path, kind: str) -> list[Path]:
    """The files of one kind, oldest first."""
    return sorted(folder.glob(f"{kind}-*.jsonl"))


def _open_for_owner(path: str, flags: int) -> int:
    """Restricts the folder to its owner: it may hold users' texts."""
    return os.open(path, flags, 0o600)


def _size_of(file: Path) -> int:
    try:
        return file.stat().st_size
    except FileNotFoundError:  # another process has just made room
        return 0
