"""Bentos in an artifact store: what one machine built, another one need not build again."""

from __future__ import annotations

import hashlib
import json
import logging
import shutil
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from bento import store

CHUNK = 1 << 20
ARCHIVE = ".tar"  # BentoML's own .bento is a tar that xz packs for a minute, to save a third
log = logging.getLogger(__name__)


class Files(Protocol):
    """What is needed of an artifact store."""

    def open(self, path: str, mode: str, /) -> Any:  # noqa: ANN401  # a file, of whatever library
        """Opens a file."""

    def exists(self, path: str, /) -> bool:
        """Whether there is a file."""

    def size(self, path: str, /) -> int | None:
        """Bytes of a file."""

    def makedirs(self, path: str, /) -> None:
        """Makes a folder, where the store has folders."""

    def remove(self, path: str, /) -> None:
        """Removes a file."""


@dataclass(frozen=True)
class SharedBentos:
    """Bentos with their models as ``NAME/VERSION.tar``; ``NAME/VERSION.json``, written last, has size and SHA-256.

    Attributes:
        files: Where they are.
        folder: Its folder for them.
    """

    files: Files
    folder: str

    def has(self, tag: str) -> bool:
        """Whether a Bento was stored as a whole; its content is checked when it is taken."""
        archive, record = self._paths(tag)
        if not (self.files.exists(record) and self.files.exists(archive)):
            return False
        return self.files.size(archive) in (None, self._read(record).get("bytes"))  # None: the store does not tell

    def push(self, tag: str) -> None:
        """Stores a Bento of this machine; one that is there is replaced."""
        archive, record = self._paths(tag)
        with tempfile.TemporaryDirectory(prefix="sentiment-bento-") as folder:
            exported = Path(folder) / f"it{ARCHIVE}"
            store.export(tag, exported)
            described = {"bytes": exported.stat().st_size, "sha256": _sha256(exported)}
            self.files.makedirs(archive.rpartition("/")[0])
            if self.files.exists(record):
                self.files.remove(record)
            with exported.open("rb") as source, self.files.open(archive, "wb") as sink:
                shutil.copyfileobj(source, sink, CHUNK)
        with self.files.open(record, "w") as sink:
            sink.write(json.dumps(described))
        log.info("stored Bento %s as %s", tag, archive)

    def pull(self, tag: str) -> bool:
        """Takes a Bento to this machine; False, and the reason in the log, if it is not there or damaged."""
        archive, record = self._paths(tag)
        if not (self.files.exists(record) and self.files.exists(archive)):
            log.info("no Bento %s as %s", tag, archive)
            return False
        with tempfile.TemporaryDirectory(prefix="sentiment-bento-") as folder:
            local = Path(folder) / f"it{ARCHIVE}"
            with self.files.open(archive, "rb") as source, local.open("wb") as sink:
                shutil.copyfileobj(source, sink, CHUNK)
            if {"bytes": local.stat().st_size, "sha256": _sha256(local)} != self._read(record):
                self.files.remove(record)
                log.warning("the Bento %s is damaged: it is built anew", archive)
                return False
            store.fill([sys.executable, "-m", "bentoml", "import", str(local)], tag)
        log.info("took Bento %s from %s", tag, archive)
        return True

    def _paths(self, tag: str) -> tuple[str, str]:
        """The archive's, and that of the record."""
        path = f"{self.folder}/{tag.replace(':', '/')}"
        return f"{path}{ARCHIVE}", f"{path}.json"

    def _read(self, record: str) -> dict[str, Any]:
        with self.files.open(record, "r") as file:
            try:
                found = json.loads(file.read())
            except ValueError:
                return {}
        return found if isinstance(found, dict) else {}


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
