"""CheckReports, Decisions, leaderboards, Bentos and Deployments, stored as JSON."""

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
from sentiment.evaluation.cross_validation import CrossValidation
from sentiment.evaluation.leaderboard import Leaderboard
from sentiment.promotion.decision import Decision
from sentiment.scoring.results import ScoringReport
from sentiment.tuning.report import TuningReport

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


class LeaderboardMaterializer(_DocumentMaterializer[Leaderboard]):
    """A leaderboard as JSON."""

    ASSOCIATED_TYPES: ClassVar[tuple[type[Any], ...]] = (Leaderboard,)

    def page(self, value: Leaderboard) -> str:
        """Every candidate in one table, with drawings."""
        from sentiment.pages.leaderboard import leaderboard_page

        return leaderboard_page(value)

    def extract_metadata(self, data: Leaderboard) -> dict[str, Any]:
        """The accuracy of every candidate, for the dashboard."""
        return {"accuracy": {row.candidate: round(row.accuracy.value, 5) for row in data.rows}}


class CrossValidationMaterializer(_DocumentMaterializer[CrossValidation]):
    """A cross-validation as JSON."""

    ASSOCIATED_TYPES: ClassVar[tuple[type[Any], ...]] = (CrossValidation,)

    def page(self, value: CrossValidation) -> str:
        """Mean, deviation and every fold."""
        from sentiment.pages.cross_validation import cross_validation_page

        return cross_validation_page(value)

    def extract_metadata(self, data: CrossValidation) -> dict[str, Any]:
        """Mean and deviation of the scores, for the dashboard."""
        return {"candidate": data.candidate, **{k: getattr(data, k).model_dump() for k in ("accuracy", "macro_f1")}}


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


class TuningReportMaterializer(_DocumentMaterializer[TuningReport]):
    """The report of a search as JSON."""

    ASSOCIATED_TYPES: ClassVar[tuple[type[Any], ...]] = (TuningReport,)

    def page(self, value: TuningReport) -> str:
        """Trials against the budget, what mattered, and the winner beside the spread of its seeds."""
        from sentiment.pages.tuning import tuning_page

        return tuning_page(value)

    def extract_metadata(self, data: TuningReport) -> dict[str, Any]:
        """The verdict, for the dashboard."""
        return {"study": data.study, "trials": len(data.trials), "verdict": data.verdict, "profile": data.profile}


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
