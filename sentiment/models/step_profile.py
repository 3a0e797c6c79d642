"""The report of a profiled training: where one of its steps goes."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict

PROFILE, TRACE = "profile.json", "trace.json.gz"


class Part(BaseModel):
    """A part of a training step.

    Attributes:
        name: ``data``, ``forward``, ``backward`` (with the clipping of the gradients), ``optimiser`` or ``the rest``.
        share: Of the step's time, in [0, 1].
        ms: Milliseconds a step.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    share: float
    ms: float


class Operation(BaseModel):
    """An operation of PyTorch, without the operations that it calls itself.

    Attributes:
        name: As the profiler names it; ``the rest`` are all that are not listed.
        cpu_share: Of the operations' CPU time, in [0, 1].
        cpu_ms: Milliseconds of CPU time a step.
        cuda_share: Of the operations' time on the GPU, in [0, 1]; None without a GPU.
        cuda_ms: Milliseconds on the GPU a step; None without a GPU.
        calls: Calls a step.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    cpu_share: float
    cpu_ms: float
    cuda_share: float | None = None
    cuda_ms: float | None = None
    calls: float


class StepProfile(BaseModel):
    """Where a training step goes, as a mean over some steps in the middle of a run.

    The profiler itself takes time: shares are more reliable than milliseconds.

    Attributes:
        first_step: The first step that was recorded, counted from 1.
        steps: How many were recorded.
        step_ms: Milliseconds a step, by the clock.
        parts: The parts of a step; their sum is ``step_ms``.
        operations: The operations that take most time, the slowest first, and the rest.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    first_step: int
    steps: int
    step_ms: float
    parts: tuple[Part, ...]
    operations: tuple[Operation, ...]

    @classmethod
    def read(cls, folder: Path) -> StepProfile | None:
        """Reads ``profile.json`` of a checkpoint's folder; None if the training was not profiled."""
        path = folder / PROFILE
        return cls.model_validate_json(path.read_text(encoding="utf-8")) if path.is_file() else None
