"""The base of every materializer: an artifact is a directory of files in open formats, with a page for readers."""

from __future__ import annotations

import shutil
from abc import abstractmethod
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

from zenml.enums import VisualizationType
from zenml.materializers.base_materializer import BaseMaterializer
from zenml.utils import io_utils

from sentiment.errors import UserError

if TYPE_CHECKING:
    from s3fs import S3FileSystem

T = TypeVar("T")
DATA, PAGE = "data", "page.html"
PART = 8 * 2**20  # bytes; of a large file, ten parts are on their way at the same time


class DirectoryMaterializer(BaseMaterializer, Generic[T]):
    """Stores a value as files under ``data/`` and its preview as ``page.html``, in any artifact store."""

    SKIP_REGISTRATION: ClassVar[bool] = True

    @abstractmethod
    def write(self, value: T, directory: Path) -> None:
        """Writes the value as files into an empty local directory."""

    @abstractmethod
    def read(self, directory: Path) -> T:
        """Reads the value from a local copy of the directory; the copy stays while the process runs."""

    @abstractmethod
    def page(self, value: T) -> str:
        """Returns a self-contained static HTML page that shows the value."""

    @abstractmethod
    def fingerprint(self, value: T) -> str | None:
        """A hash of the content, or None: equal values let later steps be served from cache."""

    def save(self, data: T) -> None:
        """Uploads the value."""
        with self.get_temporary_directory(delete_at_exit=True) as temporary:
            directory = Path(temporary) / DATA
            directory.mkdir()
            self.write(data, directory)
            if s3 := self._s3():
                s3.put(f"{directory}/", f"{self.uri}/{DATA}/", recursive=True, chunksize=PART)
                return
            for file in sorted(p for p in directory.rglob("*") if p.is_file()):
                target = f"{self.uri}/{file.relative_to(directory.parent).as_posix()}"
                self.artifact_store.makedirs(target.rpartition("/")[0])
                with file.open("rb") as source, self.artifact_store.open(target, "wb") as sink:
                    shutil.copyfileobj(source, sink)

    def load(self, data_type: type[Any]) -> T:
        """Downloads the value."""
        with self.get_temporary_directory(delete_at_exit=False) as temporary:
            root = f"{self.uri}/{DATA}"
            if s3 := self._s3():
                with suppress(FileNotFoundError):
                    s3.get(f"{root}/", f"{temporary}/", recursive=True, chunksize=PART)
            else:
                self._download(root, Path(temporary))
            if not any(Path(temporary).iterdir()):
                raise UserError(
                    "the files of this artifact are gone",
                    where=self.uri,
                    remedy="Start again: missing artifacts are computed again.",
                )
            return self.read(Path(temporary))

    def _download(self, root: str, directory: Path) -> None:
        for folder, _, files in self.artifact_store.walk(root):
            inside = _text(folder).removeprefix(root).strip("/")
            local = directory / inside
            local.mkdir(parents=True, exist_ok=True)
            for name in map(_text, files):
                with (
                    self.artifact_store.open(f"{_text(folder)}/{name}", "rb") as source,
                    (local / name).open("wb") as sink,
                ):
                    shutil.copyfileobj(source, sink)

    def _s3(self) -> S3FileSystem | None:
        """Returns the file system for parallel transfers; None if the store is not on S3."""
        files = getattr(self.artifact_store, "filesystem", None)
        return files if files and "s3" in files.protocol else None

    def save_visualizations(self, data: T) -> dict[str, VisualizationType]:
        """Uploads the page that the dashboard shows."""
        uri = f"{self.uri}/{PAGE}"
        io_utils.write_file_contents_as_string(uri, self.page(data))
        return {uri: VisualizationType.HTML}

    def compute_content_hash(self, data: T) -> str | None:
        """See :meth:`fingerprint`."""
        return self.fingerprint(data)


def _text(path: bytes | str) -> str:
    return path.decode() if isinstance(path, bytes) else path
