"""The runs that are running while a deletion is under way, and what they read only later."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import UUID

from registry.retention import records


@dataclass
class ActiveRuns:
    """What running runs were given at their start.

    Attributes:
        model: Name of the model.
        names: Names of the runs that were running at any :meth:`update`, by identifier.
        artifacts: The artifacts that they were given.
        versions: Names of these runs by the number of the model's version that they were given.
    """

    model: str
    names: dict[UUID, str] = field(default_factory=dict)
    artifacts: set[UUID] = field(default_factory=set)
    versions: dict[str, str] = field(default_factory=dict)

    def update(self) -> bool:
        """Lists the active runs again; returns whether another one has started."""
        new = [run for run in records.list_active(datetime.now(UTC)) if run.id not in self.names]
        for run in new:
            artifacts, numbers = records.find_inputs(run.id, self.model)
            self.names[run.id] = run.name
            self.artifacts |= artifacts
            self.versions = dict.fromkeys(numbers, run.name) | self.versions
        return bool(new)
