"""Operating points of a cascade: accuracy against speed for every share of texts that the costly stages see."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, TypeAdapter

Length = Literal["brief", "short", "long"]


class OperatingPoint(BaseModel):
    """One way to run a cascade on the texts of one length, measured on the validation split.

    Attributes:
        length: The texts that it is for.
        shares: Share of these texts that each stage sees, in [0, 1]; the first is 1.
        accuracy: Share of right labels.
        log_loss: Mean, in nats.
        milliseconds: Mean time of a text, on all cores of the machine that fitted the cascade.
        chosen: Whether the cascade runs this way.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    length: Length
    shares: tuple[float, ...]
    accuracy: float
    log_loss: float
    milliseconds: float
    chosen: bool = False

    @property
    def reviews_per_second(self) -> float:
        """Texts a second."""
        return 1000 / max(self.milliseconds, 1e-6)


_POINTS = TypeAdapter(tuple[OperatingPoint, ...])


def write_points(points: Sequence[OperatingPoint], path: Path) -> None:
    """Writes the points into a JSON file."""
    path.write_text(json.dumps([point.model_dump() for point in points], indent=1) + "\n", encoding="utf-8")


def read_points(path: Path) -> tuple[OperatingPoint, ...]:
    """Reads the points of a file; none if there is no such file: the servable is no cascade."""
    return _POINTS.validate_json(path.read_text(encoding="utf-8")) if path.exists() else ()
