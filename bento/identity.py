"""The identity of a service: its model and the model's lineage."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Identity:
    """The identity of a service.

    Attributes:
        model: Name of the model.
        version: Number of its version.
        kind: Which classifier answers, such as ``linear`` or ``cascade``.
        engine: The library that computes it: ``Classifier.engine``.
        bento: Tag of the Bento.
        labels: Names of the classes.
        stages: Names of a cascade's stages, the cheapest first; none for other kinds.
        lineage: Where the model comes from: run, commit, fingerprints.
    """

    model: str
    version: str
    kind: str
    engine: str
    bento: str
    labels: tuple[str, ...]
    stages: tuple[str, ...] = ()
    lineage: dict[str, str] = field(default_factory=dict)

    def info(self, limits: dict[str, float]) -> dict[str, Any]:
        """Returns the answer of ``/v1/info`` and of the gRPC method ``Info``."""
        return {
            "model": self.model,
            "model_version": self.version,
            "kind": self.kind,
            "engine": self.engine,
            "stages": list(self.stages),
            "bento": self.bento,
            "labels": list(self.labels),
            "lineage": self.lineage,
            "limits": limits,
        }
