"""One at a time, among all processes and machines that share ZenML's metadata."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING
from uuid import UUID

if TYPE_CHECKING:
    from zenml.models import TagResponse

PATIENCE = 30.0  # seconds until a holder counts as dead: what is done under the lock takes about one


@contextmanager
def alone(model: str) -> Iterator[None]:
    """Waits until nobody else changes the model's versions, and keeps everybody out while the block runs.

    A tag's name is unique in ZenML's database, whichever that is: who could create it holds the lock.
    """
    from zenml.client import Client

    tag = _take(f"versions of {model} are changing")
    try:
        yield
    finally:
        with suppress(KeyError):  # taken for dead
            Client().delete_tag(tag.id)


def _take(name: str) -> TagResponse:
    from zenml.client import Client
    from zenml.exceptions import EntityExistsError

    holder: UUID | None = None
    since = time.monotonic()
    while True:
        try:
            return Client().create_tag(name)
        except EntityExistsError:
            with suppress(KeyError, IndexError):  # released meanwhile; ZenML counts before it fetches
                tag = Client().get_tag(name, allow_name_prefix_match=False)
                if tag.id != holder:
                    holder, since = tag.id, time.monotonic()
                elif time.monotonic() - since > PATIENCE:
                    Client().delete_tag(tag.id)
        time.sleep(0.1)
