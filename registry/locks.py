"""One at a time, among all processes and machines that share ZenML's metadata.

A tag's name is unique in ZenML's database, whichever that is: who could create it holds the lock.
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

PATIENCE = 30.0  # seconds until who changes versions counts as dead: what is done under that lock takes about one
BEAT = 30.0  # seconds between two signs of life of who holds a lock for longer
DEAD = timedelta(minutes=5)  # without a sign of life: a holder that was killed holds nobody up for longer


@contextmanager
def alone(model: str) -> Iterator[None]:
    """Waits until nobody else changes the model's versions, and keeps everybody out while the block runs."""
    name = f"versions of {model} are changing"
    holder: UUID | None = None
    since = time.monotonic()
    while (own := _create(name)) is None:
        tag = _find(name)
        if tag and tag.id != holder:
            holder, since = tag.id, time.monotonic()
        elif tag and time.monotonic() - since > PATIENCE:
            _delete(tag)
        time.sleep(0.1)
    try:
        yield
    finally:
        _delete(own)


@contextmanager
def only_one(name: str) -> Iterator[datetime | None]:
    """Holds a name while the block runs; gives None, or since when somebody else holds it.

    Unlike with :func:`alone` nobody waits, and what is done inside may take hours: the holder gives signs of life. They
    are told by the clock of ZenML's database alone, so that machines may disagree about the time.
    """
    held = _held_or_since(name)
    if isinstance(held, datetime):
        yield held
        return
    over = threading.Event()
    beating = threading.Thread(target=_beat, args=(held.id, over), name="only-one", daemon=True)
    beating.start()
    try:
        yield None
    finally:
        over.set()
        beating.join()
        _delete(held)


def _held_or_since(name: str) -> TagResponse | datetime:
    for _ in range(3):
        if own := _create(name):
            return own
        tag = _find(name)
        if tag and _now() - tag.updated < DEAD:
            return tag.created
        if tag:
            _delete(tag)
    return _now()  # others are faster, again and again


def _beat(tag: UUID, over: threading.Event) -> None:
    from zenml.client import Client

    while not over.wait(BEAT):
        with suppress(Exception):  # the next beat may get through
            Client().update_tag(tag)  # its time of change


def _now() -> datetime:
    """By the clock that stamps the tags."""
    from zenml.client import Client

    probe = Client().create_tag(f"what time is it {uuid4()}")
    _delete(probe)
    return probe.created


def _create(name: str) -> TagResponse | None:
    """The tag; None if somebody else has it."""
    from zenml.client import Client
    from zenml.exceptions import EntityExistsError

    try:
        return Client().create_tag(name)
    except EntityExistsError:
        return None


def _find(name: str) -> TagResponse | None:
    """Somebody else's tag; None if it went meanwhile."""
    from zenml.client import Client

    try:
        return Client().get_tag(name, allow_name_prefix_match=False)
    except (KeyError, IndexError):  # ZenML counts before it fetches
        return None


def _delete(tag: TagResponse) -> None:
    from zenml.client import Client

    with suppress(KeyError):  # somebody took its holder for dead
        Client().delete_tag(tag.id)
