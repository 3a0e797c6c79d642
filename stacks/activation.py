"""Makes a stack the active one of this process alone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from stacks.apply import Applied, apply
from stacks.run_settings import check_run_settings
from stacks.server import connected, environment
from stacks.stack_file import Stack

_active: ContextVar[Stack | None] = ContextVar("active", default=None)


def active_stack() -> Stack | None:
    """The stack of the innermost ``activated`` block, if there is one."""
    return _active.get()


@contextmanager
def activated(stack: Stack) -> Iterator[Applied]:
    """Connects to the stack's ZenML server if it has one, applies it, and makes it the active one inside the block.

    This is the only place where the environment of a process is set for a stack; it is restored when the block ends.

    Raises:
        UserError: If the server or the stack file is not in order.
    """
    with connected(stack.server):
        check_run_settings(stack)
        applied = apply(stack)
        if applied.changes:
            _forget_active_stack()
        token = _active.set(stack)
        try:
            with environment({"ZENML_ACTIVE_STACK_ID": str(applied.id)}):
                yield applied
        finally:
            _active.reset(token)


def _forget_active_stack() -> None:
    from zenml.client import Client

    Client._reset_instance()  # it keeps the active stack as it was
