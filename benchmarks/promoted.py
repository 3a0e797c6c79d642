"""What the benchmarks measure: the promoted cascade, its encoder before compression, and the test split."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np


@dataclass
class Promoted:
    """The promoted cascade.

    Attributes:
        servable: Its directory.
        stages: Names of its stages, the cheapest first; the second one is an encoder.
        checkpoint: The encoder of the second stage, as it was trained.
        length: Tokens that this encoder reads.
        texts: Of the test split.
        labels: 0 or 1 for each text.
    """

    servable: Path
    stages: tuple[str, ...]
    checkpoint: Path
    length: int
    texts: list[str]
    labels: np.ndarray

    @property
    def encoder(self) -> Path:
        """The servable of the second stage."""
        return self.servable / self.stages[1]

    def kinds(self, count: int) -> dict[str, list[str]]:
        """Short, long and mixed texts of the test split."""
        return {
            "short": [t for t in self.texts if len(t.split()) <= 40][:count],
            "long": [t for t in self.texts if len(t.split()) > 200][:count],
            "mixed": self.texts[:count],
        }


def promoted(stack: str) -> Promoted:
    """Finds it on the stack."""
    from cli.session import session

    with session(stack, debug=False):
        from zenml.client import Client

        import materializers  # noqa: F401  # registers how typed artifacts are loaded
        from registry import versions
        from sentiment.models.servable import Manifest

        champion = versions.find_production("sentiment")
        if champion is None or len(champion.stages) < 2:
            raise SystemExit("no cascade with an encoder is in production: run make train first")
        servable = versions.get_artifact("sentiment", champion.number, "servable").load()
        splits = versions.get_artifact("sentiment", champion.number, "splits").load()
        encoder = champion.stages[1]
        checkpoint = Client().get_artifact_version(f"{encoder}_checkpoint").load()
        length = Manifest.read(servable.path / encoder).settings["max_length"]
        frame = splits.test.frame
        texts, labels = frame["text"].tolist(), frame["label"].to_numpy()
        return Promoted(servable.path, champion.stages, checkpoint.path, length, texts, labels)
