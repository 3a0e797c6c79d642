"""Evaluations, stored as JSON and Parquet."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

from zenml.enums import ArtifactType

from materializers.directory import DirectoryMaterializer
from sentiment.evaluation.measure import Evaluation


class EvaluationMaterializer(DirectoryMaterializer[Evaluation]):
    """An evaluation: its figures as JSON, its predictions as Parquet."""

    ASSOCIATED_TYPES: ClassVar[tuple[type[Any], ...]] = (Evaluation,)
    ASSOCIATED_ARTIFACT_TYPE: ClassVar[ArtifactType] = ArtifactType.DATA_ANALYSIS

    def write(self, value: Evaluation, directory: Path) -> None:
        """See the base class."""
        value.save(directory)

    def read(self, directory: Path) -> Evaluation:
        """See the base class."""
        return Evaluation.load(directory)

    def page(self, value: Evaluation) -> str:
        """Metrics, slices, curves and errors."""
        from sentiment.pages.evaluation import evaluation_page

        return evaluation_page(value)

    def fingerprint(self, value: Evaluation) -> None:
        """Latency differs from run to run: no two evaluations are equal."""
        return

    def extract_metadata(self, data: Evaluation) -> dict[str, Any]:
        """The headline figures, for the dashboard."""
        return {
            "candidate": data.candidate,
            **{k: round(getattr(data.overall, k).value, 5) for k in ("accuracy", "macro_f1", "ece", "brier")},
        }
