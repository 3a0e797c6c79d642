"""What the active stack's file says about runs."""

from __future__ import annotations

from typing import Any

from sentiment.errors import UserError
from sentiment.settings import nearest_of
from stacks.activation import active_stack
from stacks.run_settings import run_settings
from stacks.stack_file import Stack


def stack_options() -> dict[str, Any]:
    """Options of the active stack for ``Pipeline.with_options``; empty where its file has none.

    Raises:
        UserError: If the file names a step that no pipeline has: ZenML would ignore it.
    """
    stack = active_stack()
    if stack is None:
        return {}
    if stack.steps:
        _require_known_steps(stack)
    return run_settings(stack)


def _require_known_steps(stack: Stack) -> None:
    from zenml.steps import BaseStep

    from pipelines import deploy, evaluate, monitor, train

    members = [member for pipeline in (train, evaluate, deploy, monitor) for member in vars(pipeline).values()]
    known = {member.name for member in members if isinstance(member, BaseStep)}
    for name in stack.steps:
        if name not in known and not any(name.startswith(f"{step}_") for step in known):  # evaluate_linear is evaluate
            where = f"{stack.file}, key steps.{name}"
            raise UserError("no pipeline has such a step", where=where, remedy=nearest_of(name, known))
