"""Files of services that are no longer needed: of killed deployments, and logs that have grown."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from serving.record import read_live
from serving.service import SERVICES, STATE
from serving.services import Services
from stacks import processes
from stacks.cloud.logs import KEPT_BYTES, MAX_BODY_BYTES, cut


@dataclass(frozen=True)
class Leftovers:
    """Files below a deployer's folder that may go.

    Attributes:
        services: Folders of services that are neither live nor on trial.
        files: Logs of services that did not start.
        grown: Logs of services that are longer than they need to be.
    """

    services: tuple[Path, ...]
    files: tuple[Path, ...]
    grown: tuple[Path, ...]

    @property
    def saved_of_grown(self) -> int:
        """Bytes that cutting the grown logs frees."""
        return sum(log.stat().st_size - KEPT_BYTES for log in self.grown)


def find_leftovers(root: Path, before: datetime) -> Leftovers:
    """Finds the leftovers.

    Only under the deployment lock is no service on trial among them: a caller that deletes them holds it.

    Args:
        root: Folder of the deployer.
        before: Logs that changed later stay.
    """
    record = read_live(root)
    live = {d.service for d in (record.deployment, record.former) if d} if record else set()
    folders = [path for path in root.glob(f"{SERVICES}/*") if path.is_dir()]
    failed = root / "failed.log"
    old = failed.exists() and datetime.fromtimestamp(failed.stat().st_mtime, UTC) < before
    return Leftovers(
        tuple(path for path in folders if path.name not in live) if record else (),
        (failed,) if old else (),
        tuple(log for log in root.glob(f"{SERVICES}/*/service.log") if log.stat().st_size > MAX_BODY_BYTES),
    )


def delete_leftovers(root: Path, leftovers: Leftovers) -> None:
    """Deletes the leftovers; the processes of such services end first."""
    services = Services(root)
    for identifier in services.find():
        if root / SERVICES / str(identifier) in leftovers.services:
            services.remove(identifier)
    for file in leftovers.files:
        file.unlink(missing_ok=True)
    for log in leftovers.grown:
        with suppress(FileNotFoundError):
            cut(log)


def find_running_bentos() -> Iterator[str]:
    """Yields the tags of the Bentos that services on this machine run, of any stack."""
    for _, path in processes.find_by_variable(STATE, below=Path("/")):
        with suppress(OSError, ValueError, KeyError):
            yield json.loads((path.parent / "service.json").read_text(encoding="utf-8"))["bento"]["tag"]
