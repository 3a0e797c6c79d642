"""Who a service is: which model it serves, and where that comes from."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Identity:
    """What a service says about itself.

    Attributes:
        model: Name of the model.
        version: Number of its version.
        kind: Which classifier answers: ``linear``, ``transformer`` or ``cascade``.
        bento: Tag of the Bento.
        labels: Names of the classes.
        lineage: Where the model comes from: run, commit, fingerprints.
    """

    model: str
    version: str
    kind: str
    bento: str
    labels: tuple[str, ...]
    lineage: dict[str, str] = field(default_factory=dict)

    def info(self, limits: dict[str, float]) -> dict[str, Any]:
        """What ``/v1/info`` and the gRPC method ``Info`` answer."""
        return {
            "model": self.model,
            "model_version": self.version,
            "kind": self.kind,
            "bento": self.bento,
            "labels": list(self.labels),
            "lineage": self.lineage,
            "limits": limits,
        }
