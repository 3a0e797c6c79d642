"""The settings of the monitor pipeline: ``configs/monitor.yaml``."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Literal, get_args

from pydantic import Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from sentiment.reviews.suites import SuiteSettings
from sentiment.settings import ModelName, Settings, default_file, included

Finding = Literal[
    "log",
    "input_drift",
    "score_drift",
    "label_shift",
    "abstention",
    "accuracy",
    "calibration",
    "estimated_accuracy",
    "feedback",
    "data_quality",
    "service_health",
]
FINDINGS: tuple[Finding, ...] = get_args(Finding)
Action = Literal["nothing", "alert", "retrain"]
RETRAIN_ON = {"input_drift", "label_shift", "accuracy", "calibration"}
Suite = Annotated[SuiteSettings, included(SuiteSettings)]
ACTIONS: tuple[Action, ...] = get_args(Action)  # weakest first


class WindowSettings(Settings):
    """The predictions of a window."""

    log: str | None = Field(
        None, min_length=1, description="prediction log: a folder or s3://...; null: the live service's own"
    )
    hours: float = Field(24, gt=0, le=24 * 366, description="length of the window")
    min_predictions: int = Field(1000, ge=20, description="with fewer, drift checks report not enough data")
    max_predictions: int = Field(5000, ge=100, le=50_000, description="above that, a seeded sample is used")
    max_other_share: float = Field(
        0.02,
        ge=0,
        le=1,
        description="share of a window's lines that may be damaged or repeated, and of predictions with a wrong clock",
    )

    @model_validator(mode="after")
    def _room(self) -> WindowSettings:
        if self.min_predictions > self.max_predictions:
            raise ValueError("min_predictions must not exceed max_predictions")
        return self


class DriftSettings(Settings):
    """The comparison of a window with the version's reference, its answers to held-out reviews."""

    reference_rows: int = Field(3000, ge=100, le=20_000, description="held-out reviews kept as the reference")
    significance: float = Field(0.001, gt=0, lt=0.5, description="significance of each test; a window has about seven")
    resamples: int = Field(2000, ge=100, le=20_000, description="permutations and bootstrap resamples of a test")
    max_auc: float = Field(
        0.55, gt=0.5, lt=1, description="largest AUC of a classifier that distinguishes window and reference"
    )
    max_label_shift: float = Field(
        0.05, ge=0, lt=1, description="largest significant change of the share of positive texts"
    )
    max_abstention_rise: float = Field(
        0.05, ge=0, le=1, description="largest significant rise of the share of abstentions"
    )


class FeedbackSettings(Settings):
    """The use of feedback labels, and their guard."""

    min_labels: int = Field(100, ge=10, description="with fewer, accuracy is estimated from the scores")
    confidence: float = Field(0.99, ge=0.5, lt=1, description="of the intervals")
    accuracy_margin: float = Field(0.02, ge=0, lt=1, description="largest drop of live accuracy below the held-out one")
    ece_margin: float = Field(
        0.02,
        ge=0,
        lt=1,
        description="largest excess of the live calibration error over that of held-out reviews by chance",
    )
    ece_bins: int = Field(15, ge=2, le=100, description="equal-width bins of the calibration error")
    strata: int = Field(5, ge=1, le=20, description="quantile strata of the scores, besides fixed ones, for weights")
    max_unknown: float = Field(
        0.2, ge=0, le=1, description="share of feedback that may name predictions the log does not hold"
    )
    max_per_client: float = Field(
        0.5, gt=0, le=1, description="share of the labels that one client may give; needs services with tokens"
    )
    max_per_request: float = Field(
        0.2, gt=0, le=1, description="share of the labels that may be about the texts of one request"
    )
    max_per_minute: int = Field(60, ge=1, description="labels in one minute; more count as a flood and are not used")
    max_contradiction: float = Field(
        0.5, gt=0, le=1, description="share of a client's labels that may contradict answers of high score"
    )
    sure: float = Field(0.95, ge=0.5, lt=1, description="an answer with this score is of high score")
    max_share: float = Field(0.2, gt=0, le=1, description="largest share of feedback in the reviews of a retraining")
    expectations: Suite = Field(
        default_factory=default_file(SuiteSettings, "expectations/feedback.yaml"),
        description="suite for feedback that is trained on: a file, or the suite itself",
    )


class HealthSettings(Settings):
    """The limits of the service itself."""

    prometheus: str | None = Field(None, description="address of a Prometheus that scrapes the service, or null")
    max_error_rate: float = Field(0.01, ge=0, le=1, description="share of requests that fail by the service's fault")
    max_p95_ms: float = Field(500, gt=0, description="largest 95th percentile of the latency in milliseconds")


class AlertSettings(Settings):
    """The destinations of alerts."""

    webhook: str | None = Field(
        None, description="$NAME of the environment variable that holds a URL, which may hold a secret"
    )
    log: Path = Field(Path(".cache/alerts.jsonl"), description="file that every alert is appended to")

    @field_validator("webhook")
    @classmethod
    def _is_a_variable(cls, webhook: str | None) -> str | None:
        if webhook is not None and not re.fullmatch(r"\$\w+", webhook):  # the message must not repeat it
            raise PydanticCustomError("secret_in_file", "must be $NAME of a variable: secrets stay out of files")
        return webhook


class RetrainSettings(Settings):
    """How the next challenger is trained."""

    config: Path = Field(Path("configs/train.yaml"), description="settings of the train pipeline")
    deploy: Path = Field(
        Path("configs/deploy.canary.yaml"), description="settings of the deploy pipeline: how the new version goes live"
    )


class ConfirmSettings(Settings):
    """How many windows confirm a finding before it asks for a retraining."""

    windows: int = Field(
        1, ge=1, le=50, description="windows in which a check must fail before the action is retrain; until then alert"
    )
    of: int = Field(1, ge=1, le=50, description="latest windows that count; they do not overlap: see window.hours")

    @model_validator(mode="after")
    def _can_be_reached(self) -> ConfirmSettings:
        if self.windows > self.of:
            raise ValueError("windows must not exceed of")
        return self


class MonitorSettings(Settings):
    """The monitor pipeline."""

    model: ModelName = Field("sentiment", description="name in the Model Control Plane")
    seed: int = Field(13, ge=0, lt=2**32, description="seed of every sample, permutation and resample")
    window: WindowSettings = WindowSettings()
    drift: DriftSettings = DriftSettings()
    feedback: FeedbackSettings = Field(default_factory=FeedbackSettings)
    quality: Suite = Field(
        default_factory=default_file(SuiteSettings, "expectations/incoming.yaml"),
        description="suite for the window's columns: a file, or the suite itself",
    )
    service: HealthSettings = HealthSettings()
    actions: dict[Finding, Action] = Field(
        default_factory=lambda: {finding: "retrain" if finding in RETRAIN_ON else "alert" for finding in FINDINGS},
        description="the action after a failed check; a finding without an action: alert",
    )
    confirm: ConfirmSettings = ConfirmSettings()
    alert: AlertSettings = AlertSettings()
    evidently: Path | None = Field(
        Path(".cache/evidently"), description="workspace of `evidently ui` that every report is added to; null: none"
    )
    retrain: RetrainSettings = RetrainSettings()
