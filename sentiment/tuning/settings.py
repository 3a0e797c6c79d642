"""The settings of a search: ``configs/tune.yaml``."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints, model_validator

from sentiment.settings import Settings

Number = int | float
Scalar = bool | int | float | str | None
Objective = Literal["log_loss", "accuracy", "cpu_ms"]
UNITS = {"log_loss": "log loss", "accuracy": "accuracy", "cpu_ms": "CPU ms a review"}
HIGHER_IS_BETTER = {"log_loss": False, "accuracy": True, "cpu_ms": False}
StudyName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$")]


class Parameter(Settings):
    """The values that a search tries for one key: a range, or a list of choices."""

    low: Number | None = Field(None, description="smallest value")
    high: Number | None = Field(None, description="largest value; whole numbers are tried if both ends are whole")
    log: bool = Field(False, description="draw on a logarithmic scale")
    step: Number | None = Field(None, gt=0, description="distance of two values of the range")
    choices: tuple[Scalar, ...] | None = Field(None, min_length=1, description="values to choose from")

    @model_validator(mode="after")
    def _is_range_or_choices(self) -> Parameter:
        if (self.choices is None) == (self.low is None or self.high is None):
            raise ValueError("give low and high, or choices")
        if self.low is not None and self.high is not None:
            if self.low > self.high:
                raise ValueError(f"low {self.low:g} is above high {self.high:g}")
            if self.log and (self.low <= 0 or self.step):
                raise ValueError("log needs a range above 0, without step")
        if self.choices and len(set(self.choices)) < len(self.choices):
            raise ValueError("a choice is given twice")
        return self

    @property
    def is_whole(self) -> bool:
        """Whether it is a range of whole numbers."""
        return all(isinstance(value, int) for value in (self.low, self.high, self.step or 1))

    @property
    def ends(self) -> tuple[Scalar, ...]:
        """The values that a check tries: both ends, or every choice."""
        return self.choices or tuple(value for value in (self.low, self.high) if value is not None)

    def describe(self) -> str:
        """Describes the values in words."""
        if self.choices:
            return ", ".join(map(str, self.choices))
        scale = ", logarithmic" if self.log else f" in steps of {self.step:g}" if self.step else ""
        return f"{self.low:g} to {self.high:g}{scale}"

    def grid(self) -> tuple[Scalar, ...] | None:
        """Returns every value; None if there are infinitely many."""
        if self.choices:
            return self.choices
        assert self.low is not None and self.high is not None  # checked above
        step = self.step or (1 if self.is_whole and not self.log else None)
        if self.low == self.high:
            return (self.low,)
        if step is None:
            return None
        count = math.floor((self.high - self.low) / step + 1e-9) + 1
        return tuple(min(round(self.low + step * n, 12), self.high) for n in range(count))


class BudgetSettings(Settings):
    """When a search ends: at whichever comes first."""

    minutes: float = Field(60, gt=0, description="time for the base, the trials and the trainings with other seeds")
    trials: int = Field(100, ge=1, description="trials that come to an end, pruned ones included")


class ConfirmSettings(Settings):
    """Trainings with other seeds: whether the best trials were good or lucky."""

    best: int = Field(3, ge=1, description="number of trials that are trained again, the best ones")
    seeds: int = Field(3, ge=0, description="other seeds for each of them, and for the base; 0: none, and no verdict")


class TuneSettings(Settings):
    """The search of the tune pipeline."""

    study: StudyName = Field("tuned", description="name of the study; the same name goes on where it ended")
    base: Path = Field(Path("configs/train.yaml"), description="profile whose values are changed")
    candidate: str = Field("linear", description="candidate whose validation figures judge a trial")
    space: dict[str, Parameter] = Field(description="values to try, by the key of the profile")
    trial: dict[str, Any] = Field(
        default_factory=dict, description="values of every trial and of the base, such as fewer rows, by key"
    )
    budget: BudgetSettings = BudgetSettings()
    sampler: Literal["grid", "random", "tpe", "gp"] = Field(
        "tpe",
        description="grid: every combination; random; tpe: tree-structured Parzen estimator; gp: Gaussian process",
    )
    pruner: Literal["none", "median", "hyperband"] = Field(
        "median", description="stops hopeless trials: their evaluations while training, or their first folds, are worse"
    )
    objectives: tuple[Objective, ...] = Field(
        ("log_loss",),
        min_length=1,
        max_length=2,
        description="log_loss or accuracy on validation reviews, and cpu_ms: processor time a review",
    )
    folds: int | None = Field(
        3, ge=2, le=20, description="judge a trial by this many folds of the training split; null: by validation"
    )
    confirm: ConfirmSettings = ConfirmSettings()
    storage: str | None = Field(
        None, description="SQLAlchemy URL, or $VARIABLE that holds it, for several machines; null: a file in .cache"
    )
    workers: int = Field(1, ge=1, description="processes on this machine that run trials")
    profile: Path | None = Field(None, description="profile that is written; null: configs/train.STUDY.yaml")

    @model_validator(mode="after")
    def _fits_together(self) -> TuneSettings:
        if not self.space:
            raise ValueError("the space is empty: name at least one key of the profile")
        if len(set(self.objectives)) < len(self.objectives):
            raise ValueError("an objective is named twice")
        if len(self.objectives) > 1 and self.pruner != "none":
            raise ValueError("a pruner compares trials by one objective: set pruner: none, or name one objective")
        if self.sampler == "grid":
            endless = [key for key, parameter in self.space.items() if parameter.grid() is None]
            if endless:
                raise ValueError(f"a grid needs choices or a step for {endless[0]}")
        both = sorted(self.space.keys() & self.trial.keys())
        if both:
            raise ValueError(f"{both[0]} is in space and in trial")
        return self
