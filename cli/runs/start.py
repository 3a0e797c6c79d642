"""Starts a pipeline on the active stack."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from rich.console import Console

from cli.live import StageView
from cli.runs.caching import reuse_only_stored
from sentiment.errors import UserError
from sentiment.imports import ROOT
from sentiment.settings import nearest_of
from stacks.activation import active_stack
from stacks.run_settings import run_settings
from stacks.stack_file import Stack

if TYPE_CHECKING:
    from zenml.models import PipelineRunResponse
    from zenml.pipelines.pipeline_definition import Pipeline


# Integrations whose materializers no artifact of ours uses. ZenML imports them before each run: 200 MB of memory.
UNUSED = ("bentoml", "evidently", "pytorch", "scipy", "sklearn")


def run_name(pipeline: str) -> str:
    """Returns a name for a new run that no other run has."""
    return f"{pipeline}-{datetime.now(UTC):%Y-%m-%d-%H-%M-%S-%f}"


def start_pipeline(
    pipeline: Pipeline,
    *arguments: object,
    console: Console,
    cache: bool = True,
    name: str | None = None,
    keep: bool = True,
) -> PipelineRunResponse:
    """Runs a pipeline to its end, with the options of the active stack's file, and shows its steps live.

    Args:
        pipeline: The pipeline.
        *arguments: Its arguments.
        console: Where the steps are drawn.
        cache: Whether unchanged steps may be served from cache.
        name: Name of the run; a new one by default.
        keep: Whether its steps stay on the console.

    Raises:
        UserError: If the stack's file names an unknown step, or a step failed with one.
    """
    from zenml.client import Client
    from zenml.integrations.registry import integration_registry

    for unused in UNUSED:
        integration_registry.integrations.pop(unused, None)
    name = name or run_name(pipeline.name)
    configured = pipeline.with_options(run_name=name, enable_cache=None if cache else False, **stack_options())
    with reuse_only_stored(console), StageView(console, name, keep=keep).shown_live():
        configured(*arguments)
    return Client().get_pipeline_run(name)


# Files of the steps that run once for each candidate, and how their runs' names begin.
STEPS_OF_CANDIDATES = {
    "check_model": "check",
    "train_transformer": "train",
    "export": "export",
    "reuse": "reuse",
    "set_threshold": "threshold",
    "cross_validate": "cross_validate",
}


def stack_options() -> dict[str, Any]:
    """Returns the options of the active stack's file for ``Pipeline.with_options``; empty if the file has none.

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
    from pipelines.candidates import CANDIDATES

    known = {file.stem for file in (ROOT / "steps").glob("*/[!_]*.py")} - STEPS_OF_CANDIDATES.keys()  # one step a file
    known |= {f"{verb}_{candidate.name}" for verb in STEPS_OF_CANDIDATES.values() for candidate in CANDIDATES}
    for name in stack.steps:
        if name not in known and not any(name.startswith(f"{step}_") for step in known):  # evaluate_linear is evaluate
            where = f"{stack.file}, key steps.{name}"
            raise UserError("no pipeline has such a step", where=where, remedy=nearest_of(name, known))
