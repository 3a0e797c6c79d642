"""Files on this machine and on S3: read in place, written under another name first.

A file that has its name is whole: on this machine it is written beside it, synced and renamed; S3 shows an object only
when its upload is complete.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, cast

from sentiment.hashing import sha256

if TYPE_CHECKING:
    from s3fs import S3FileSystem

S3 = "s3://"
MAX_REQUESTS = 16  # at the same time
UNFINISHED = ".unfinished"  # suffix of a file that is being written


def absolute(address: str) -> str:
    """Returns a path or pattern from the root of this machine; a URL without a slash at its end."""
    return address.rstrip("/") if address.startswith(S3) else os.path.abspath(address)  # noqa: PTH100 # pathlib keeps ..


@dataclass(frozen=True)
class Storage:
    """Reads and writes files by path or ``s3://`` URL. Can be sent to other processes.

    Attributes:
        s3: Options of ``s3fs.S3FileSystem``: credentials and endpoint; by default those of the ``AWS_*`` variables.
    """

    s3: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @contextmanager
    def open(self, path: str) -> Iterator[IO[bytes]]:
        """Opens a file for reading, at any position."""
        with cast("IO[bytes]", self._s3.open(path, "rb")) if path.startswith(S3) else Path(path).open("rb") as stream:
            yield stream

    def read(self, path: str) -> bytes:
        """Returns the content of a file."""
        with self.open(path) as stream:
            return stream.read()

    @contextmanager
    def write(self, path: str) -> Iterator[IO[bytes]]:
        """Opens a file for writing; it gets its name at the end of the block, and none if the block fails."""
        if path.startswith(S3):
            stream = cast("Any", self._s3.open(path, "wb"))
            try:
                yield stream
            except BaseException:
                stream.discard()
                stream.closed = True  # otherwise its destructor uploads what was written
                raise
            stream.close()
            return
        target = Path(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        unfinished = target.with_name(f"{target.name}{UNFINISHED}")
        try:
            with unfinished.open("wb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            unfinished.replace(target)
        except BaseException:
            with suppress(OSError):
                unfinished.unlink(missing_ok=True)
            raise
        _sync_folder(target.parent)

    def read_all(self, paths: Sequence[str]) -> Iterator[bytes]:
        """Yields the contents of many small files, in order."""
        with ThreadPoolExecutor(MAX_REQUESTS) as pool:
            yield from pool.map(self.read, paths)

    def put(self, path: str, content: bytes) -> None:
        """Writes a whole file."""
        with self.write(path) as stream:
            stream.write(content)

    def find(self, folder: str) -> list[str]:
        """Lists the paths of all files below a folder, sorted; empty if there is no such folder."""
        if folder.startswith(S3):  # a name that ends in a slash stands for a folder
            return sorted(f"{S3}{name}" for name in self._s3.find(folder) if not name.endswith("/"))
        return sorted(str(path) for path in Path(folder).rglob("*") if path.is_file())

    def glob(self, pattern: str) -> list[str]:
        """Lists the files that a pattern with ``*``, ``?``, ``[...]`` or ``**`` matches, sorted."""
        import glob

        if pattern.startswith(S3):
            found = self._s3.glob(pattern, detail=True)
            return sorted(
                f"{S3}{name}" for name, known in found.items() if known["type"] == "file" and not name.endswith("/")
            )
        return sorted(path for path in glob.glob(pattern, recursive=True) if Path(path).is_file())  # noqa: PTH207 # pathlib takes no absolute patterns

    def is_file(self, path: str) -> bool:
        """Whether there is such a file."""
        return bool(self._s3.isfile(path)) if path.startswith(S3) else Path(path).is_file()

    def is_folder(self, path: str) -> bool:
        """Whether there is such a folder."""
        return bool(self._s3.isdir(path)) if path.startswith(S3) else Path(path).is_dir()

    def remove(self, path: str) -> None:
        """Removes a file, or a folder with everything in it; does nothing if there is none."""
        import shutil

        if path.startswith(S3):
            with ThreadPoolExecutor(MAX_REQUESTS) as pool:  # s3fs.rm would take [ and * in a name for a pattern
                list(pool.map(self._s3.rm_file, self._s3.find(path)))
        elif Path(path).is_dir():
            shutil.rmtree(path)
        else:
            Path(path).unlink(missing_ok=True)

    def stamp(self, path: str) -> tuple[int, str]:
        """Returns the size in bytes, and what changes with the content: the time of the last change, or the ETag."""
        if path.startswith(S3):
            found = self._s3.info(path, refresh=True)
            return int(found["size"]), str(found["ETag"]).strip('"')
        known = Path(path).stat()
        return known.st_size, str(known.st_mtime_ns)

    def digest(self, path: str) -> str:
        """Names the content: SHA-256 of a file on this machine, ETag of an object on S3."""
        return f"etag:{self.stamp(path)[1]}" if path.startswith(S3) else f"sha256:{sha256(Path(path))}"

    @property
    def _s3(self) -> S3FileSystem:
        """The client of this process; s3fs keeps one for equal options."""
        from s3fs import S3FileSystem

        options = dict(self.s3) or {"endpoint_url": os.environ.get("AWS_ENDPOINT_URL")}
        # files are read in ranges; some servers send the checksum of the whole file with each, which cannot match
        config = {"response_checksum_validation": "when_required", **options.pop("config_kwargs", {})}
        return S3FileSystem(**options, config_kwargs=config, use_listings_cache=False)


def _sync_folder(folder: Path) -> None:
    """Makes a rename survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
