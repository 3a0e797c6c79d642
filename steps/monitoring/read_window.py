"""Prediction log to the monitored window."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated

from zenml import step

from sentiment.monitoring import window
from sentiment.monitoring.settings import WindowSettings
from sentiment.monitoring.window import require_files

if TYPE_CHECKING:
    from s3fs import S3FileSystem


@step(enable_cache=False)  # the log has grown
def read_window(
    log: str, settings: WindowSettings, version: str, end: float, born: float, seed: int
) -> Annotated[window.Window, "window"]:
    """Reads the answers of a version in the hours before ``end``, with the feedback labels.

    Args:
        log: Folder of the prediction log, or ``s3://...``; in the bucket of the active stack with its credentials.
        settings: How many hours, and how many predictions.
        version: Number of the version.
        end: In seconds since 1970.
        born: When the version was made, likewise.
        seed: Of the sample, where there are too many.
    """
    with at_hand(log) as here:
        return window.read_window(here, settings, model_version=version, end=end, born=born, seed=seed)


@contextmanager
def at_hand(log: str) -> Iterator[str]:
    """Yields the log; a copy of it where it is in the bucket of the active stack, whose credentials only ZenML has."""
    files = stack_bucket(log)
    if files is None:
        yield log
        return
    with TemporaryDirectory() as folder:
        found = files.find(log)
        require_files(log, found)
        for name in found:
            files.get(name, str(Path(folder, name.rpartition("/")[2])))
        yield folder


def stack_bucket(log: str) -> S3FileSystem | None:
    """Returns the file system of the active stack if the log is in its bucket."""
    from zenml.client import Client

    store = Client().active_stack.artifact_store
    if not log.startswith("s3://") or _bucket(log) != _bucket(store.path):
        return None
    files: S3FileSystem | None = getattr(store, "filesystem", None)
    if files is not None:
        files.invalidate_cache()  # its listings are cached
    return files


def _bucket(url: str) -> str:
    return url.removeprefix("s3://").partition("/")[0] if url.startswith("s3://") else ""
