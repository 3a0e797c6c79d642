"""The record of a run that trackers receive."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol


@dataclass(frozen=True)
class Record:
    """A run, as it is copied to a tracker.

    Attributes:
        name: Its name, the same in ZenML, in MLflow and in every tracker.
        metrics: Last value of each metric.
        params: The settings of the run.
        tags: Other facts, such as the decision.
    """

    name: str
    metrics: dict[str, float]
    params: dict[str, str]
    tags: dict[str, str]


class Tracker(Protocol):
    """Writes a record as one run of a tracker, and returns when it is stored. Runs in a process of its own.

    Args:
        record: The run.
        settings: Of the component in the stack file.
        folder: The folder of the tracker's files; exists.

    Raises:
        Exception: If it is not stored.
    """

    def __call__(self, record: Record, settings: dict[str, Any], folder: Path) -> None: ...  # noqa: D102
