"""A live view of a run's steps, with a progress bar for the running one."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from typing import TYPE_CHECKING
from uuid import UUID

from rich.console import Console, Group
from rich.live import Live
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from rich.table import Table

from sentiment import progress

if TYPE_CHECKING:
    from zenml.models import StepRunResponse

SIGNS = {"completed": "[green]✓", "cached": "[cyan]=", "failed": "[red]✗", "running": "[yellow]●"}
POLL_S = 1.0  # between two requests for the steps
# Without a terminal to redraw, every update is a new line: fewer of them.
PLAIN_POLL_S = 5.0
PLAIN_PROGRESS_S = 15.0


class StageView:
    """Shows the steps of one run as ZenML records them, the same on every orchestrator.

    Args:
        console: Where it draws.
        run_name: Name of the run.
        keep: Whether the steps stay on the console when the run has ended.
    """

    def __init__(self, console: Console, run_name: str, *, keep: bool = True) -> None:
        self._console, self._run_name, self._keep = console, run_name, keep
        self._run: UUID | None = None
        self._steps: dict[str, StepRunResponse] = {}
        self._done = threading.Event()
        self._bar = Progress(
            TextColumn("  {task.description}"), BarColumn(30), TextColumn("{task.percentage:3.0f}%"),
            TimeRemainingColumn(), TextColumn("{task.fields[figures]}"), console=console,
        )  # fmt: skip
        self._task: tuple[str, TaskID] | None = None
        self._last_line_at = 0.0

    @contextmanager
    def shown_live(self) -> Iterator[None]:
        """Draws the view until the block ends."""
        poll = threading.Thread(target=self._poll, daemon=True)
        view: AbstractContextManager[object] = nullcontext()
        if self._console.is_terminal:
            view = Live(
                console=self._console, get_renderable=self._draw, refresh_per_second=4, transient=not self._keep
            )
        with progress.listening(self._update), view:
            poll.start()
            try:
                yield
            finally:
                self._stop(poll)

    def _stop(self, poll: threading.Thread) -> None:
        if self._task:
            self._bar.remove_task(self._task[1])
            self._task = None
        self._done.set()
        poll.join()
        with suppress(Exception):
            self._refresh()

    def _update(self, task: str, done: float, total: float, **figures: float) -> None:
        words = "  ".join(f"{name} {_format(value)}" for name, value in figures.items())
        if not self._console.is_terminal:
            if time.monotonic() - self._last_line_at > PLAIN_PROGRESS_S:
                self._last_line_at = time.monotonic()
                self._console.print(f"  {task}: {100 * done / total:.0f}%  {words}", highlight=False)
            return
        if not self._task or self._task[0] != task:
            if self._task:
                self._bar.remove_task(self._task[1])
            self._task = (task, self._bar.add_task(task, total=total, figures=""))
        self._bar.update(self._task[1], completed=done, total=total, figures=words or "")

    def _poll(self) -> None:
        while not self._done.wait(POLL_S if self._console.is_terminal else PLAIN_POLL_S):
            with suppress(Exception):  # if ZenML's server does not answer, the run itself reports it
                self._refresh()

    def _refresh(self) -> None:
        from zenml.client import Client

        if self._run is None:
            runs = Client().list_pipeline_runs(name=self._run_name, size=1).items
            if not runs:
                return
            self._run = runs[0].id
        found = Client().list_run_steps(pipeline_run_id=self._run, size=100).items
        for step in sorted(found, key=lambda step: step.created):
            before = self._steps.get(step.name)
            self._steps[step.name] = step
            is_new = step.status.is_finished and not (before and before.status.is_finished)
            if is_new and self._keep and not self._console.is_terminal:
                self._console.print(f"{SIGNS.get(step.status.value, '?')}[/] {step.name}  {_describe_time(step)}")

    def _draw(self) -> Group:
        table = Table.grid(padding=(0, 2))
        for name, step in list(self._steps.items()):
            table.add_row(SIGNS.get(step.status.value, "?"), name, f"[dim]{_describe_time(step)}")
        return Group(table, self._bar)


def _format(value: float) -> str:
    """Formats a figure beside a bar: a loss, or a speed."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _describe_time(step: StepRunResponse) -> str:
    from zenml.utils.time_utils import utc_now

    if step.status.value == "cached":
        return "from cache"
    if not step.start_time:
        return ""
    end = step.end_time or utc_now(tz_aware=step.start_time)
    return f"{(end - step.start_time).total_seconds():.1f} s"
