"""What is live, as the deployer remembers it; and that only one deployer changes it at a time."""

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
    """Who should have the traffic.

    Attributes:
        deployment: Who has it.
        former: Who had it before, while it moves: whoever is killed then leaves both names.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    deployment: Deployment
    former: Deployment | None = None


def read_live(root: Path) -> LiveRecord | None:
    """The record; None if nothing is live.

    Raises:
        UserError: If somebody damaged it.
    """
    path = root / "live.json"
    try:
        return LiveRecord.model_validate_json(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (ValidationError, UnicodeDecodeError) as error:
        raise UserError("is damaged", where=str(path), remedy="Remove it, and deploy again.") from error


def write_live(root: Path, deployment: Deployment | None, former: Deployment | None = None) -> None:
    """Writes the record, or removes it if nothing is live."""
    path = root / "live.json"
    if deployment is None:
        path.unlink(missing_ok=True)
    else:
        write_whole(path, LiveRecord(deployment=deployment, former=former).model_dump_json(indent=2))


def hold(root: Path, doing: str) -> IO[str]:
    """Takes the lock; closing the file, or the end of this process, gives it back.

    Args:
        root: Folder of the deployer.
        doing: What the holder does, for whom it keeps out.

    Raises:
        UserError: At once, if somebody else has it; names the holder.
    """
    root.mkdir(parents=True, exist_ok=True)
    lock = (root / "lock").open("a+", encoding="utf-8")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        lock.seek(0)
        holder = lock.read().strip() or "somebody else"
        lock.close()
        raise UserError(
            f"is busy: {holder}", where="model deployer", remedy="Wait until that is done, then try again."
        ) from error
    lock.seek(0)
    lock.truncate()
    lock.write(f"process {os.getpid()} is {doing}, since {datetime.now(UTC):%H:%M:%S} UTC")
    lock.flush()
    return lock
