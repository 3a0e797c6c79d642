"""The flavors ``sentiment_wandb`` and ``sentiment_trackio`` of ZenML's experiment trackers.

ZenML's own flavors start their run when a step begins, in the process of the step: without a key or a connection, the
step fails. These do nothing there. ``registry.trackers.copy`` sends them a finished MLflow run from another process.
"""

from __future__ import annotations

from typing import Literal, cast

from pydantic import Field
from zenml.experiment_trackers.base_experiment_tracker import (
    BaseExperimentTracker,
    BaseExperimentTrackerConfig,
    BaseExperimentTrackerFlavor,
)
from zenml.utils.secret_utils import SecretField


class FurtherTrackerConfig(BaseExperimentTrackerConfig):
    """Configures a tracker beside MLflow."""

    project: str = Field("sentiment", description="project that its runs belong to")
    folder: str | None = Field(None, description="folder of its files; not set: in ZenML's local store")


class WandbConfig(FurtherTrackerConfig):
    """Configures Weights & Biases."""

    mode: Literal["offline", "online"] = Field("offline", description="offline: files that wandb sync sends later")
    api_key: str | None = SecretField(default=None, description="key of an account; only online needs one")
    entity: str | None = Field(None, description="user or team that the project belongs to; not set: the key's own")
    base_url: str | None = Field(None, description="address of another W&B server; not set: W&B's own")


class FurtherTracker(BaseExperimentTracker):
    """A tracker beside MLflow; steps with ``experiment_tracker=True`` start no run of it."""

    @property
    def config(self) -> FurtherTrackerConfig:
        """Returns its configuration."""
        return cast("FurtherTrackerConfig", self._config)


class TrackioFlavor(BaseExperimentTrackerFlavor):
    """The flavor ``sentiment_trackio``: sqlite files on this machine."""

    @property
    def name(self) -> str:
        """Returns the name that stack files use."""
        return "sentiment_trackio"

    @property
    def config_class(self) -> type[FurtherTrackerConfig]:
        """Returns the class of its configuration."""
        return FurtherTrackerConfig

    @property
    def implementation_class(self) -> type[FurtherTracker]:
        """Returns the class of the tracker."""
        return FurtherTracker


class WandbFlavor(TrackioFlavor):
    """The flavor ``sentiment_wandb``: Weights & Biases."""

    @property
    def name(self) -> str:
        """Returns the name that stack files use."""
        return "sentiment_wandb"

    @property
    def config_class(self) -> type[WandbConfig]:
        """Returns the class of its configuration."""
        return WandbConfig
