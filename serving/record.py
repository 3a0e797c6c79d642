"""The record of the live deployment, and the lock under which one deployer at a time changes it."""

from __future__ import annotations

import fcntl
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from pydantic import BaseModel, ConfigDict, ValidationError

from sentiment.deployment import Deployment
from sentiment.errors import UserError
from stacks.files import write_whole


class LiveRecord(BaseModel):
    """The record of the deployment that should receive traffic.

    Attributes:
        deployment: The live deployment.
        former: The previous one, while the traffic moves: a process killed midway leaves both on record.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    deployment: Deployment
    former: Deployment | None = None


def read_live(root: Path) -> LiveRecord | None:
    """Reads the record; None if there is no live deployment.

    Raises:
        UserError: If it is damaged.
    """
    path = root / "live.json"
    try:
        return LiveRecord.model_validate_json(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (ValidationError, UnicodeDecodeError) as error:
        raise UserError("is damaged", where=str(path), remedy="Remove it, and deploy again.") from error


def write_live(root: Path, deployment: Deployment | None, former: Deployment | None = None) -> None:
    """Writes the record, or removes it if there is no live deployment."""
    path = root / "live.json"
    if deployment is None:
        path.unlink(missing_ok=True)
    else:
        write_whole(path, LiveRecord(deployment=deployment, former=former).model_dump_json(indent=2))


def lock_deployment(root: Path, doing: str) -> IO[str]:
    """Takes the lock; closing the file, or the end of this process, releases it.

    Args:
        root: Folder of the deployer.
        doing: The action of the holder, shown to processes that are refused.

    Raises:
        UserError: Immediately, if another process has it; names the holder.
    """
    root.mkdir(parents=True, exist_ok=True)
    lock = (root / "lock").open("a+", encoding="utf-8")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        lock.seek(0)
        holder = lock.read().strip() or "another process"
        lock.close()
        raise UserError(
            f"is busy: {holder}", where="model deployer", remedy="Wait until that is done, then try again."
        ) from error
    lock.seek(0)
    lock.truncate()
    lock.write(f"process {os.getpid()} is {doing}, since {datetime.now(UTC):%H:%M:%S} UTC")
    lock.flush()
    return lock
