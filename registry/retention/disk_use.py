"""The disk use of the project on this machine."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from bento import store
from registry.retention.caches import cache_home

MAX_WALK_S = 1.0  # of each folder: status must answer, however full the disk is
FULL_SHARE = 0.85  # of the disk: a training and a deployment beside the live service still fit below it


@dataclass(frozen=True)
class DiskUse:
    """The disk use.

    Attributes:
        sizes: Bytes by kind; those of artifacts on another machine are missing.
        partial: Kinds with more files than could be counted in time.
        free: Free bytes of the disk that holds the artifacts, or ZenML's folder.
        full: Whether more than :data:`FULL_SHARE` of that disk is used.
    """

    sizes: dict[str, int]
    partial: tuple[str, ...]
    free: int
    full: bool


def measure_disk(logs: Iterable[Path]) -> DiskUse:
    """Measures the disk use of the active stack on this machine, within a few seconds.

    Args:
        logs: Folders of services' logs and predictions.
    """
    from zenml.client import Client
    from zenml.config.global_config import GlobalConfiguration

    path = Client().active_stack.artifact_store.path
    local = "://" not in path
    tracked = [Path(path, "mlflow.db"), Path(path, "mlflow_artifacts")] if local else []
    folders = {
        "artifacts": [p for p in Path(path).iterdir() if p not in tracked] if local and Path(path).is_dir() else None,
        "MLflow": tracked if local else None,
        "Bentos": [store.home() / "bentos", store.home() / "models"],
        "caches": [cache_home()],
        "service logs": list(logs),
    }
    sizes, partial = {}, []
    for kind, paths in folders.items():
        if paths is not None:
            deadline = time.monotonic() + MAX_WALK_S
            sizes[kind] = sum(bytes_below(p, deadline) for p in paths)
            if time.monotonic() > deadline:
                partial.append(kind)
    home = Path(path) if local else Path(GlobalConfiguration().local_stores_path)
    disk = shutil.disk_usage(next(p for p in (home, *home.parents) if p.exists()))
    return DiskUse(sizes, tuple(partial), disk.free, disk.used > FULL_SHARE * (disk.used + disk.free))


def bytes_below(path: Path, deadline: float = float("inf")) -> int:
    """Returns the size of a file or a folder in bytes, links not followed; what it has counted when time is up."""
    if not path.is_dir() or path.is_symlink():
        return path.lstat().st_size if path.exists() or path.is_symlink() else 0
    total = 0
    for folder, _, names in os.walk(path):
        for name in names:
            try:
                total += os.lstat(os.path.join(folder, name)).st_size  # noqa: PTH118 # a million files: no objects
            except FileNotFoundError:  # deleted in between
                continue
        if time.monotonic() > deadline:
            break
    return total
