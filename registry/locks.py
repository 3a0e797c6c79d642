"""Locks among all processes and machines that share ZenML's metadata.

A tag's name is unique in ZenML's database, whichever database that is: the process that creates the tag holds the lock.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

if TYPE_CHECKING:
    from zenml.models import TagResponse

STALE_AFTER_S = 30.0  # work under a version lock takes about 1 s: an older lock belongs to a dead process
HEARTBEAT_S = 30.0
LEASE = timedelta(minutes=5)  # without a heartbeat for this long, the holder of a named lock counts as dead


@contextmanager
def version_lock(model: str) -> Iterator[None]:
    """Serialises changes to a model's versions across processes and machines; waits for its turn."""
    name = f"versions of {model} are changing"
    holder: UUID | None = None
    since = time.monotonic()
    while (own := _create(name)) is None:
        tag = _find(name)
        if tag and tag.id != holder:
            holder, since = tag.id, time.monotonic()
        elif tag and time.monotonic() - since > STALE_AFTER_S:
            _delete(tag)
        time.sleep(0.1)
    try:
        yield
    finally:
        _delete(own)


@contextmanager
def try_lock(name: str) -> Iterator[datetime | None]:
    """Holds a named lock during the block; gives None, or the time since when another process holds it.

    Unlike :func:`version_lock` it does not wait, and the block may take hours: a heartbeat renews the lease. Times come
    from the clock of ZenML's database alone, so machines may disagree about the time.
    """
    held = _acquire(name)
    if isinstance(held, datetime):
        yield held
        return
    released = threading.Event()
    heartbeat = threading.Thread(target=_renew, args=(held.id, released), name="lock-heartbeat", daemon=True)
    heartbeat.start()
    try:
        yield None
    finally:
        released.set()
        heartbeat.join()
        _delete(held)


def _acquire(name: str) -> TagResponse | datetime:
    """Creates the tag, or returns when its holder created it."""
    for _ in range(3):
        if own := _create(name):
            return own
        tag = _find(name)
        if tag and _now() - tag.updated < LEASE:
            return tag.created
        if tag:
            _delete(tag)
    return _now()  # other processes were faster each time


def _renew(tag: UUID, released: threading.Event) -> None:
    from zenml.client import Client

    while not released.wait(HEARTBEAT_S):
        with suppress(Exception):  # the next heartbeat may get through
            Client().update_tag(tag)  # sets the time of its last change


def _now() -> datetime:
    """Returns the time by the clock that stamps the tags."""
    from zenml.client import Client

    probe = Client().create_tag(f"what time is it {uuid4()}")
    _delete(probe)
    return probe.created


def _create(name: str) -> TagResponse | None:
    """Creates a tag; returns None if it exists."""
    from zenml.client import Client
    from zenml.exceptions import EntityExistsError

    try:
        return Client().create_tag(name)
    except EntityExistsError:
        return None


def _find(name: str) -> TagResponse | None:
    from zenml.client import Client

    try:
        return Client().get_tag(name, allow_name_prefix_match=False)
    except (KeyError, IndexError):  # deleted meanwhile: ZenML counts before it fetches
        return None


def _delete(tag: TagResponse) -> None:
    from zenml.client import Client

    with suppress(KeyError):  # another process took its holder for dead
        Client().delete_tag(tag.id)
