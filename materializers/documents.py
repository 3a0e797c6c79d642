"""CheckReports, Decisions, Bentos and Deployments, stored as JSON."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any, ClassVar, TypeVar

from pydantic import BaseModel
from zenml.enums import ArtifactType
from zenml.metadata.metadata_types import Uri

from materializers.directory import DirectoryMaterializer
from sentiment.checks import CheckReport
from sentiment.deployment import Bento, Deployment
from sentiment.promotion.decision import Decision
from sentiment.scoring.results import ScoringReport

DocumentT = TypeVar("DocumentT", bound=BaseModel)


class _DocumentMaterializer(DirectoryMaterializer[DocumentT]):
    SKIP_REGISTRATION: ClassVar[bool] = True
    ASSOCIATED_ARTIFACT_TYPE: ClassVar[ArtifactType] = ArtifactType.DATA_ANALYSIS
    FILE: ClassVar[str] = "document.json"

    def write(self, value: DocumentT, directory: Path) -> None:
        (directory / self.FILE).write_text(value.model_dump_json(indent=2) + "\n", encoding="utf-8")

    def read(self, directory: Path) -> DocumentT:
        (model,) = self.ASSOCIATED_TYPES
        return model.model_validate_json((directory / self.FILE).read_text(encoding="utf-8"))  # type: ignore[no-any-return] # ASSOCIATED_TYPES holds exactly the class's own DocumentT

    def fingerprint(self, value: DocumentT) -> str:
        return hashlib.sha256(value.model_dump_json().encode()).hexdigest()


class CheckReportMaterializer(_DocumentMaterializer[CheckReport]):
    """A check report as JSON."""

    ASSOCIATED_TYPES: ClassVar[tuple[type[Any], ...]] = (CheckReport,)

    def page(self, value: CheckReport) -> str:
        """Every check with its limit and failing examples."""
        from sentiment.pages.checks import check_report_page

        return check_report_page(value)

    def extract_metadata(self, data: CheckReport) -> dict[str, Any]:
        """Returns whether it passed, for the dashboard and for queries over many reports."""
        return {
            "suite": data.suite,
            "passed": data.passed,
            "failed_checks": [c.name for c in data.failures()],
            "scores": {c.name: float(f"{c.score:.6g}") for c in data.checks if c.score is not None},
        }


class DecisionMaterializer(_DocumentMaterializer[Decision]):
    """A decision as JSON."""

    ASSOCIATED_TYPES: ClassVar[tuple[type[Any], ...]] = (Decision,)

    def page(self, value: Decision) -> str:
        """Every rule with its numbers."""
        from sentiment.pages.decision import decision_page

        return decision_page(value)

    def extract_metadata(self, data: Decision) -> dict[str, Any]:
        """The verdict, for the dashboard."""
        return {"promote": data.promote, "reason": data.reason, "challenger": data.challenger}


class ScoringReportMaterializer(_DocumentMaterializer[ScoringReport]):
    """The report of a scoring job as JSON."""

    ASSOCIATED_TYPES: ClassVar[tuple[type[Any], ...]] = (ScoringReport,)

    def page(self, value: ScoringReport) -> str:
        """Scores, rejects, and whether the input is like what the model knows."""
        from sentiment.pages.scoring import scoring_page

        return scoring_page(value)

    def extract_metadata(self, data: ScoringReport) -> dict[str, Any]:
        """How many rows became what, for the dashboard."""
        totals = data.totals
        return {"rows": totals.rows, "scored": totals.scored, "rejected": totals.rejections, "output": data.output}


class BentoMaterializer(_DocumentMaterializer[Bento]):
    """A Bento's description and lineage; the Bento itself is in BentoML's store."""

    ASSOCIATED_TYPES: ClassVar[tuple[type[Any], ...]] = (Bento,)
    ASSOCIATED_ARTIFACT_TYPE: ClassVar[ArtifactType] = ArtifactType.MODEL

    def page(self, value: Bento) -> str:
        """Its tag and its labels."""
        from sentiment.pages.deployment import bento_page

        return bento_page(value)

    def extract_metadata(self, data: Bento) -> dict[str, Any]:
        """The tag and the labels, for the dashboard."""
        return {"tag": data.tag, **data.labels}


class DeploymentMaterializer(_DocumentMaterializer[Deployment]):
    """A deployment as JSON."""

    ASSOCIATED_TYPES: ClassVar[tuple[type[Any], ...]] = (Deployment,)
    ASSOCIATED_ARTIFACT_TYPE: ClassVar[ArtifactType] = ArtifactType.SERVICE

    def page(self, value: Deployment) -> str:
        """The live Bento, its addresses, and since when."""
        from sentiment.pages.deployment import deployment_page

        return deployment_page(value)

    def extract_metadata(self, data: Deployment) -> dict[str, Any]:
        """Version and addresses, for the dashboard."""
        return {"version": data.bento.version, "http": Uri(data.http), "grpc": data.grpc, "since": data.since}
