"""A live view of a run's stages, with a bar for what the running stage is doing."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
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
PLAIN_EVERY = 15.0  # seconds between two lines about one task where there is no terminal to redraw
POLL, PLAIN_POLL = 1.0, 5.0  # seconds between two looks at the steps, and where there is no terminal


class StageView:
    """Shows the steps of one run as ZenML records them: it works the same on every orchestrator."""

    def __init__(self, console: Console, run_name: str) -> None:
        self._console, self._run_name = console, run_name
        self._run: UUID | None = None
        self._steps: dict[str, StepRunResponse] = {}
        self._done = threading.Event()
        self._bar = Progress(
            TextColumn("  {task.description}"), BarColumn(30), TextColumn("{task.percentage:3.0f} %"),
            TimeRemainingColumn(), TextColumn("{task.fields[figures]}"), console=console,
        )  # fmt: skip
        self._task: tuple[str, TaskID] | None = None
        self._said = 0.0

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Draws until the block ends."""
        poll = threading.Thread(target=self._poll, daemon=True)
        with progress.listening(self._hear):
            if not self._console.is_terminal:
                poll.start()
                try:
                    yield
                finally:
                    self._stop(poll)
                return
            with Live(console=self._console, get_renderable=self._draw, refresh_per_second=4, transient=False):
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

    def _hear(self, task: str, done: float, total: float, **figures: float) -> None:
        words = "  ".join(f"{name} {value:.3f}" for name, value in figures.items())
        if not self._console.is_terminal:
            if time.monotonic() - self._said > PLAIN_EVERY:
                self._said = time.monotonic()
                self._console.print(f"  {task}: {100 * done / total:.0f} %  {words}", highlight=False)
            return
        if not self._task or self._task[0] != task:
            if self._task:
                self._bar.remove_task(self._task[1])
            self._task = (task, self._bar.add_task(task, total=total, figures=""))
        self._bar.update(self._task[1], completed=done, total=total, figures=words or "")

    def _poll(self) -> None:
        while not self._done.wait(POLL if self._console.is_terminal else PLAIN_POLL):
            with suppress(Exception):  # where ZenML's server does not answer, the run itself says so
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
            if (
                not self._console.is_terminal
                and step.status.is_finished
                and (not before or not before.status.is_finished)
            ):
                self._console.print(f"{SIGNS.get(step.status.value, '?')}[/] {step.name}  {_seconds(step)}")

    def _draw(self) -> Group:
        table = Table.grid(padding=(0, 2))
        for name, step in list(self._steps.items()):
            table.add_row(SIGNS.get(step.status.value, "?"), name, f"[dim]{_seconds(step)}")
        return Group(table, self._bar)


def _seconds(step: StepRunResponse) -> str:
    from zenml.utils.time_utils import utc_now

    if step.status.value == "cached":
        return "from cache"
    if not step.start_time:
        return ""
    end = step.end_time or utc_now(tz_aware=step.start_time)
    return f"{(end - step.start_time).total_seconds():.1f} s"
