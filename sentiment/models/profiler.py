"""Records some training steps with PyTorch's profiler. Imports torch: import it in the function that needs it."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Iterable, Sequence
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch.profiler import ProfilerActivity, profile, record_function, schedule
from transformers import TrainerCallback

from sentiment.models.step_profile import PROFILE, TRACE, Operation, Part, StepProfile

if TYPE_CHECKING:
    from torch.autograd.profiler_util import FunctionEventAvg
    from transformers import TrainerControl, TrainerState, TrainingArguments

logger = logging.getLogger(__name__)

PARTIAL = f"{PROFILE}.partial"
WARMUP_STEPS = 2  # the profiler's own start is slow
ACTIVE_STEPS = 10
LISTED = 15
REST = "the rest"
TIMED = ("forward", "backward", "optimiser")
BATCHES = "enumerate(DataLoader)"  # how PyTorch names the making of batches
ONE_STEP = "ProfilerStep"  # how it names a whole step


class Profiler(TrainerCallback):
    """Profiles some steps in the middle of a run; writes the trace and the table into the run's folder.

    It only watches: the weights are those of a run without it, and a full disk costs the profile, not the run. A run
    that was killed and goes on later is profiled in what is left of it, unless the files are there.
    """

    def __init__(self, run_dir: Path) -> None:
        self._run_dir = run_dir
        self._profile: profile | None = None
        self._range: record_function | None = None
        self._first = self._step = 0  # counted from 0
        self._part = ""
        self._switched = self._started = self._ended = 0.0
        self._seconds = dict.fromkeys(TIMED, 0.0)

    def ends_forward(self, loss: Callable[..., torch.Tensor]) -> Callable[..., torch.Tensor]:
        """Wraps the loss: when it is computed, the forward pass has ended."""

        @wraps(loss)
        def wrapped(*args: Any, **kwargs: Any) -> torch.Tensor:  # noqa: ANN401  # those of the loss
            found = loss(*args, **kwargs)
            if self._part == "forward":
                self._switch("backward")
            return found

        return wrapped

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: object
    ) -> None:
        """Chooses the steps."""
        self._first = choose_start(state.global_step, state.max_steps, (state.save_steps, state.eval_steps))

    def on_step_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: object
    ) -> None:
        """Starts at the first of the steps."""
        if self._profile is None and state.global_step == self._first and not (self._run_dir / PROFILE).is_file():
            self._start()
        self._step = state.global_step
        if self._profile is not None:
            self._switch("forward")

    def on_substep_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: object
    ) -> None:
        """Another batch of the same step follows."""
        if self._profile is not None:
            self._switch("forward")

    def on_pre_optimizer_step(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: object
    ) -> None:
        """The gradients are complete."""
        if self._profile is not None:
            self._switch("optimiser")

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: object
    ) -> None:
        """Writes the files after the last of the steps."""
        if self._profile is None:
            return
        self._switch("")
        self._ended = self._switched
        done = self._step - self._first + 1
        if done == WARMUP_STEPS + ACTIVE_STEPS:
            self._stop()
            return
        self._profile.step()
        if done == WARMUP_STEPS:
            self._started = time.perf_counter()

    def on_train_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: object
    ) -> None:
        """Writes the files of a run that ended before the last of the steps."""
        self._stop()

    def _start(self) -> None:
        os.environ.setdefault("KINETO_LOG_LEVEL", "99")  # otherwise it writes between the lines of the command
        gpu = [ProfilerActivity.CUDA] if torch.cuda.is_available() else []
        self._profile = profile(
            activities=[ProfilerActivity.CPU, *gpu],
            schedule=schedule(wait=0, warmup=WARMUP_STEPS, active=ACTIVE_STEPS, repeat=1),
            on_trace_ready=self._write,
            acc_events=True,
        )
        self._profile.start()

    def _stop(self) -> None:
        if self._profile is not None:
            self._profile.stop()
            self._profile = None

    def _switch(self, part: str) -> None:
        """Ends the part of the step that runs, and starts another one."""
        if torch.cuda.is_available():
            torch.cuda.synchronize()  # so that each part's time is its own
        now = time.perf_counter()
        if self._part and self._step - self._first >= WARMUP_STEPS:
            self._seconds[self._part] += now - self._switched
        if self._range is not None:
            self._range.__exit__(None, None, None)
        self._range = record_function(part) if part else None  # names the part in the trace
        if self._range is not None:
            self._range.__enter__()  # type: ignore[no-untyped-call]  # torch does not annotate it
        self._part, self._switched = part, now

    def _write(self, recorded: profile) -> None:
        try:
            self._write_files(recorded)
        except (OSError, RuntimeError) as error:  # torch reports a failed write as RuntimeError
            for name in (TRACE, PARTIAL):
                (self._run_dir / name).unlink(missing_ok=True)
            reason = " ".join(str(error).split())  # one line
            logger.warning("cannot write the profile, the training goes on without it: %s", reason)

    def _write_files(self, recorded: profile) -> None:
        steps = self._step - self._first - WARMUP_STEPS + 1
        found = StepProfile(
            first_step=self._first + WARMUP_STEPS + 1,
            steps=steps,
            step_ms=(self._ended - self._started) / steps * 1000,
            parts=self._parts(recorded, self._ended - self._started, steps),
            operations=rank_operations(recorded.key_averages(), steps),
        )
        recorded.export_chrome_trace(str(self._run_dir / TRACE))
        partial = self._run_dir / PARTIAL
        partial.write_text(found.model_dump_json(indent=2), encoding="utf-8")
        partial.replace(self._run_dir / PROFILE)  # last: a run killed before is profiled again

    def _parts(self, recorded: profile, window_s: float, steps: int) -> tuple[Part, ...]:
        batches = [e.cpu_time_total for e in recorded.key_averages() if str(e.key).startswith(BATCHES)]
        seconds = {"data": sum(batches) / 1e6, **self._seconds}
        seconds[REST] = max(window_s - sum(seconds.values()), 0.0)
        return tuple(
            Part(name=name, share=value / window_s, ms=value / steps * 1000) for name, value in seconds.items()
        )


def choose_start(step: int, max_steps: int, intervals: Sequence[float]) -> int:
    """Returns the step, counted from 0, at which profiling starts: about the middle of the run.

    Args:
        step: Steps done: those of an earlier start of the run.
        max_steps: Steps of the whole run.
        intervals: Steps between two saved states, and between two evaluations: where there is room between such pauses,
            none falls between the steps that are recorded.
    """
    count = WARMUP_STEPS + ACTIVE_STEPS
    middle = max(step, min(max_steps // 2, max_steps - count), 0)
    pauses = {pause for every in intervals if every >= 1 for pause in range(0, max_steps, int(every))}
    starts = range(middle, max_steps - count + 1)
    return next((start for start in starts if pauses.isdisjoint(range(start + 1, start + count))), middle)


def rank_operations(events: Iterable[FunctionEventAvg], steps: int) -> tuple[Operation, ...]:
    """Lists the operations that take most time, and sums up the rest.

    Args:
        events: The profiler's events, one for each name. The time of an operation excludes what it calls.
        steps: Steps that they were counted in.
    """
    named = {str(event.key): event for event in events}
    timed = [e for name, e in named.items() if name not in TIMED and not name.startswith(ONE_STEP)]
    cpu, cuda = (sum(getattr(e, name) for e in timed) for name in ("self_cpu_time_total", "self_device_time_total"))
    ranked = sorted(timed, key=lambda e: (-e.self_device_time_total, -e.self_cpu_time_total))
    groups = [(str(e.key), [e]) for e in ranked[:LISTED]] + ([(REST, ranked[LISTED:])] if ranked[LISTED:] else [])

    def sum_up(name: str, group: list[FunctionEventAvg]) -> Operation:
        on_cpu, on_gpu = sum(e.self_cpu_time_total for e in group), sum(e.self_device_time_total for e in group)
        return Operation(
            name=name,
            cpu_share=on_cpu / max(cpu, 1e-9),
            cpu_ms=on_cpu / steps / 1000,
            cuda_share=on_gpu / cuda if cuda else None,
            cuda_ms=on_gpu / steps / 1000 if cuda else None,
            calls=sum(e.count for e in group) / steps,
        )

    return tuple(sum_up(name, group) for name, group in groups)
