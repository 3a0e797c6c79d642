"""One loop at a time, among all machines that share ZenML's metadata; whoever comes second is told at once."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

if TYPE_CHECKING:
    from zenml.models import TagResponse

BEAT = 30.0  # seconds between two signs of life
DEAD = timedelta(minutes=5)  # without a sign of life: a holder that was killed holds nobody up for longer


@contextmanager
def only_one(name: str) -> Iterator[datetime | None]:
    """Holds a name while the block runs; gives None, or since when somebody else holds it.

    Unlike :func:`steps.promotion.lock.alone` nobody waits, and what is done inside may take hours: the holder gives
    signs of life. They are told by the clock of ZenML's database alone, so that machines may disagree about the time.
    """
    from zenml.client import Client

    held = _take(name)
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
        with suppress(KeyError):  # taken for dead
            Client().delete_tag(held.id)


def _take(name: str) -> TagResponse | datetime:
    from zenml.client import Client
    from zenml.exceptions import EntityExistsError

    for _ in range(3):
        try:
            return Client().create_tag(name)
        except EntityExistsError:
            with suppress(KeyError, IndexError):  # released meanwhile; ZenML counts before it fetches
                tag = Client().get_tag(name, allow_name_prefix_match=False)
                if _now() - tag.updated < DEAD:
                    return tag.created
                Client().delete_tag(tag.id)
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
    Client().delete_tag(probe.id)
    return probe.created
