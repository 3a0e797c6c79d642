"""What annotation adds to a prediction log: which texts were exported, and the labels that came back."""

from __future__ import annotations

import json
import os
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from sentiment.annotation.items import Item
from sentiment.annotation.selection import fingerprint
from sentiment.errors import UserError, first_line
from sentiment.monitoring.bounded_files import BoundedFiles, files_of

if TYPE_CHECKING:
    from s3fs import S3FileSystem

EXPORTED = "exported"
MAX_EXPORTED_BYTES = 10_000_000


@contextmanager
def extend_log(where: str, bucket: S3FileSystem | None = None) -> Iterator[Path]:
    """Yields a folder whose new files are in the log after the block: the log's own, or one that is uploaded.

    Args:
        where: A folder, or ``s3://bucket/prefix``.
        bucket: The file system of the bucket; by default with keys and endpoint of the ``AWS_*`` variables.

    Raises:
        UserError: If the bucket cannot be written.
    """
    if not where.startswith("s3://"):
        yield Path(where)
        return
    with tempfile.TemporaryDirectory(prefix="prediction-log-") as name:
        folder = Path(name)
        yield folder
        if bucket is None:
            import s3fs

            bucket = s3fs.S3FileSystem(endpoint_url=os.environ.get("AWS_ENDPOINT_URL"), skip_instance_cache=True)
        try:
            for file in sorted(folder.iterdir()):
                bucket.put(str(file), f"{where.rstrip('/')}/{file.name}")
        except Exception as error:  # botocore's errors have no common base with those of the network
            raise UserError(
                f"cannot be written: {first_line(error)}",
                where=where,
                remedy="Check the address and the AWS_* variables.",
            ) from error


def read_exported(folder: Path) -> frozenset[str]:
    """Returns the fingerprints of the texts in earlier batches; damaged lines are skipped."""
    found = set()
    for file in files_of(folder, EXPORTED):
        for line in file.read_bytes().splitlines():
            try:
                found.add(str(json.loads(line)["text"]))
            except (ValueError, TypeError, KeyError):
                continue
    return frozenset(found)


def note_exported(folder: Path, items: Sequence[Item], batch: str) -> None:
    """Notes that a batch holds these texts, by their fingerprints: the texts themselves are not repeated.

    Raises:
        UserError: If the folder cannot be written.
    """
    note = {"time": round(time.time(), 3), "batch": batch}
    lines = [
        json.dumps({"id": item.prediction_id, "text": fingerprint(item.text), **note}).encode() + b"\n"
        for item in items
    ]
    files = BoundedFiles(folder, EXPORTED, MAX_EXPORTED_BYTES)
    lost = files.append(lines)
    files.close()
    require_written(folder, lost)


def require_written(folder: Path, lost: int) -> None:
    """Raises a UserError if lines were lost: the disk is full, or the folder belongs to another user."""
    if lost:
        raise UserError(
            f"{lost:,} lines could not be written",
            where=str(folder),
            remedy="Free the disk, or run it as the user of the service; then repeat the command.",
        )
