"""The settings of each pipeline: the files of ``configs/``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import Field

from pipelines.candidates import CandidateSettings
from sentiment.behaviour.checks import BehaviourSettings
from sentiment.errors import UserError
from sentiment.evaluation.cross_validation import CrossValidationSettings
from sentiment.evaluation.measure import EvaluationSettings
from sentiment.monitoring.settings import MonitorSettings
from sentiment.promotion.settings import PromotionSettings
from sentiment.reviews import databases
from sentiment.reviews.sources import SourceSettings
from sentiment.reviews.splitting import SplitSettings
from sentiment.reviews.suites import SuiteSettings
from sentiment.scoring.settings import ScoreSettings
from sentiment.settings import ModelName, Settings, default_file, included, read_settings
from serving.rollouts.settings import RolloutSettings, SmokeSettings

Suite = Annotated[SuiteSettings, included(SuiteSettings)]
Behaviour = Annotated[BehaviourSettings, included(BehaviourSettings)]
Promotion = Annotated[PromotionSettings, included(PromotionSettings)]


class SuitesSettings(Settings):
    """Great Expectations suites: each a file, or the suite itself."""

    reviews: Suite = Field(
        default_factory=default_file(SuiteSettings, "expectations/reviews.yaml"), description="suite for raw reviews"
    )
    splits: Suite = Field(
        default_factory=default_file(SuiteSettings, "expectations/splits.yaml"), description="suite for splits: leakage"
    )


class TrainSettings(CandidateSettings):
    """The train pipeline."""

    model: ModelName = Field("sentiment", description="name in the Model Control Plane and MLflow's registry")
    source: SourceSettings = SourceSettings()
    splits: SplitSettings = SplitSettings()
    expectations: SuitesSettings = Field(default_factory=SuitesSettings)
    evaluation: EvaluationSettings = EvaluationSettings()
    cross_validation: CrossValidationSettings = CrossValidationSettings()
    behaviour: Behaviour = Field(
        default_factory=default_file(BehaviourSettings, "behaviour.yaml"),
        description="capabilities and their limits: a file, or its values",
    )
    promotion: Promotion = Field(PromotionSettings(), description="floors, margins and gains: a file, or its values")


class EvaluateSettings(Settings):
    """The evaluate pipeline."""

    model: ModelName = Field("sentiment", description="name in the Model Control Plane")
    version: str | None = Field(
        None, coerce_numbers_to_str=True, description="version to score; null: the one in production"
    )
    seed: int = Field(13, ge=0, lt=2**32, description="seed of the bootstrap and the generated cases")
    source: SourceSettings = SourceSettings(source="imdb-50k-test")
    exclude_training: bool = Field(True, description="leave out reviews that the version was trained on")
    evaluation: EvaluationSettings = EvaluationSettings()
    behaviour: Behaviour = Field(
        default_factory=default_file(BehaviourSettings, "behaviour.yaml"),
        description="capabilities and their limits: a file, or its values",
    )


class DeploySettings(Settings):
    """The deploy pipeline."""

    model: ModelName = Field("sentiment", description="name in the Model Control Plane")
    version: str | None = Field(
        None, coerce_numbers_to_str=True, description="version to deploy; null: the one in production"
    )
    require_approval: bool = Field(
        False, description="refuse a version that carries no approval, run.py promote --by --reason; not of a rollback"
    )
    smoke: SmokeSettings = SmokeSettings()
    rollout: RolloutSettings = RolloutSettings()


@dataclass(frozen=True)
class ContinuousSettings:
    """The loop: of all three pipelines, for one model.

    Attributes:
        monitor: When to retrain.
        train: How to train the next challenger.
        deploy: How to deploy it.
    """

    monitor: MonitorSettings
    train: TrainSettings
    deploy: DeploySettings


def read_continuous_settings(path: Path, overrides: Sequence[str]) -> ContinuousSettings:
    """Reads the monitor pipeline's settings, and those of the pipelines that may follow, to show mistakes early."""
    monitor = read_settings(MonitorSettings, path, overrides)
    chosen = [f"model={monitor.model}"]
    deploy = read_settings(DeploySettings, monitor.retrain.deploy, chosen)
    if deploy.rollout.mode == "shadow":
        raise UserError(
            "a shadow never goes live: the loop would repeat it forever",
            where=f"{monitor.retrain.deploy}, key rollout.mode",
            remedy="Write canary, or switch.",
        )
    return ContinuousSettings(monitor, read_train_settings(monitor.retrain.config, chosen), deploy)


def read_train_settings(path: Path, overrides: Sequence[str]) -> TrainSettings:
    """Reads the train pipeline's settings and the files they name, so that mistakes show before anything starts."""
    settings = read_settings(TrainSettings, path, overrides)
    _refuse_password(settings.source, path)
    return settings


def read_evaluate_settings(path: Path, overrides: Sequence[str]) -> EvaluateSettings:
    """Reads the evaluate pipeline's settings, and the file they name."""
    settings = read_settings(EvaluateSettings, path, overrides)
    _refuse_password(settings.source, path)
    return settings


def read_score_settings(
    path: Path, overrides: Sequence[str], source: str | None = None, target: str | None = None
) -> ScoreSettings:
    """Reads the score pipeline's settings; ``source`` and ``target`` replace its input and output."""
    settings = read_settings(ScoreSettings, path, overrides)
    given = {"input": source or settings.input, "output": target or settings.output}
    for name, address in given.items():
        if address is None:
            raise UserError(f"no {name} is named", where="run.py score", remedy="Write run.py score INPUT OUTPUT.")
    _refuse_password_in(given["input"] or "", f"{path}, key input")
    return settings.model_copy(update=given)


def _refuse_password(source: SourceSettings, path: Path) -> None:
    """Refuses a password in the URL of a training's or an evaluation's source."""
    _refuse_password_in(source.source, f"{path}, key source.source")


def _refuse_password_in(address: str, where: str) -> None:
    """Refuses a password in a URL: settings are stored with every run, in ZenML and in MLflow."""
    kind, _, url = address.partition(":")
    if kind == "sql" and databases.holds_secret(url):
        raise UserError(
            "the database URL holds a password, and settings are stored with every run",
            where=where,
            remedy="Put the URL into an environment variable such as REVIEWS_DB, and write sql:$REVIEWS_DB.",
        )
