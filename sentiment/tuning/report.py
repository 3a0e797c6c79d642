"""The result of a search: its trials, the trainings with other seeds, and whether the winner is better than chance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import fmean, stdev, variance
from typing import Any

from pydantic import BaseModel, ConfigDict

from sentiment.evaluation.bootstrap import Interval
from sentiment.tuning.settings import HIGHER_IS_BETTER, Objective

CONFIDENCE = 0.95  # of the interval of the winner's gain


class Trial(BaseModel):
    """A trial, or the base.

    Attributes:
        number: Its number in the study; None: the base.
        params: Its values by key.
        state: How it ended.
        values: ``log_loss`` (nats), ``accuracy`` and ``cpu_ms`` (a review), on the reviews that judge it; empty unless
            it is complete.
        course: The first objective at every evaluation while it trained, by percent of the trial.
        seconds: Its time.
        ended: Seconds of all trials up to its end.
        run: Name of its ZenML run; of the last one if it has one for each fold.
        error: Why it failed.
        seeds: The values with other seeds, by seed; with ``error``: the standard error, over the reviews, of the first
            objective's difference to the base with the same seed.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    number: int | None
    params: dict[str, Any]
    state: str
    values: dict[str, float]
    course: dict[int, float] = {}
    seconds: float
    ended: float
    run: str = ""
    error: str = ""
    seeds: dict[int, dict[str, float]] = {}

    @property
    def name(self) -> str:
        """Its name in tables."""
        return "base" if self.number is None else str(self.number)

    def mean(self, objective: str) -> float:
        """Mean of an objective over the other seeds; the value of the trial itself if there are none."""
        return fmean(values[objective] for values in self.seeds.values()) if self.seeds else self.values[objective]

    def spread(self, objective: str) -> float | None:
        """Standard deviation of an objective over the other seeds; None for fewer than two."""
        return stdev(v[objective] for v in self.seeds.values()) if len(self.seeds) > 1 else None


class TuningReport(BaseModel):
    """A search.

    Attributes:
        study: Name of the study.
        candidate: The candidate whose figures judge a trial.
        judged_on: The reviews that judge it.
        confirmed_on: The reviews that judge the trainings with other seeds.
        objectives: The first one chooses the winner.
        space: Values that were tried, in words, by key.
        trial_settings: Values of every trial and of the base.
        sampler: How values were drawn.
        pruner: How hopeless trials were stopped.
        budget_minutes: The budget.
        workers: Processes that ran trials.
        base_profile: The profile whose values were changed.
        base: Its figures.
        trials: Every trial that ended, in order.
        importances: Share of the objective's variance that each key explains, in [0, 1]; empty for few trials.
        pareto: Numbers of the trials that no other one beats in accuracy and in processor time.
        profile: The file that was written, and its content.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    study: str
    candidate: str
    judged_on: str
    confirmed_on: str
    objectives: tuple[Objective, ...]
    space: dict[str, str]
    trial_settings: dict[str, Any]
    sampler: str
    pruner: str
    budget_minutes: float
    workers: int
    base_profile: str
    base: Trial
    trials: tuple[Trial, ...]
    importances: dict[str, float] = {}
    pareto: tuple[int, ...] = ()
    profile: str = ""
    profile_text: str = ""

    @property
    def complete(self) -> list[Trial]:
        """The trials that were not pruned and did not fail, the best first."""
        return sort_trials([t for t in self.trials if t.state == "complete"], self.objectives[0])

    @property
    def confirmed(self) -> list[Trial]:
        """The trials that were trained with other seeds, the best mean first; the best trial if none was."""
        tried = [trial for trial in self.complete if trial.seeds]
        first = self.objectives[0]
        return sorted(tried, key=lambda t: t.mean(first), reverse=HIGHER_IS_BETTER[first]) or self.complete[:1]

    @property
    def winner(self) -> Trial:
        """The best of :attr:`confirmed`."""
        return self.confirmed[0]

    @property
    def gain(self) -> Interval | None:
        """How much better the winner's mean over seeds is than the base's; None without two seeds.

        Positive is better. The trial that was chosen does not count, only trainings with other seeds: the best of many
        trials is partly a lucky one. The interval holds the spread of the seeds and that of the reviews.
        """
        first = self.objectives[0]
        found = [[values[first] for values in trial.seeds.values()] for trial in (self.winner, self.base)]
        if min(map(len, found)) < 2:
            return None
        error = fmean(values.get("error", 0.0) for values in self.winner.seeds.values())
        return gain_interval(*found, error=error, higher=HIGHER_IS_BETTER[first])

    @property
    def saved_seconds(self) -> float:
        """What pruning saved: for each pruned trial, a complete one's median time, less its own."""
        times = sorted(trial.seconds for trial in [*self.complete, self.base])
        usual = times[len(times) // 2]
        return sum(max(usual - trial.seconds, 0.0) for trial in self.trials if trial.state == "pruned")

    @property
    def verdict(self) -> str:
        """One line: whether the winner is better than the base."""
        gain, first = self.gain, self.objectives[0].replace("_", " ")
        if gain is None:
            return f"trial {self.winner.name} was not trained with other seeds: its gain may be luck"
        what = f"{first} {abs(gain.value):.4f} {'better' if gain.value > 0 else 'worse'} than the base"
        interval = f"{100 * CONFIDENCE:.0f}% interval {gain.low:+.4f} to {gain.high:+.4f}"
        seeds = f"{len(self.winner.seeds)} seeds each"
        if gain.low > 0:
            return f"trial {self.winner.name} is better beyond noise: {what} ({interval}, {seeds})"
        if gain.high < 0:
            return f"trial {self.winner.name} is worse than the base: {what} ({interval}, {seeds})"
        return f"trial {self.winner.name} is within noise of the base: {what} ({interval}, {seeds})"


def sort_trials(trials: Sequence[Trial], objective: str) -> list[Trial]:
    """Sorts complete trials by an objective, the best first."""
    return sorted(trials, key=lambda trial: trial.values[objective], reverse=HIGHER_IS_BETTER[objective])


def gain_interval(first: Sequence[float], second: Sequence[float], *, error: float, higher: bool) -> Interval:
    """Returns the interval of a gain: the difference of two means, of which three things are uncertain.

    These are the seeds of the one, the seeds of the other, and the reviews. Their degrees of freedom are combined as by
    Welch and Satterthwaite (1946, doi:10.2307/3002019).

    Args:
        first: Values of the one that may be better, two or more.
        second: Values of the other one, two or more.
        error: Standard error of the difference over the reviews.
        higher: Whether a higher value is better.
    """
    from scipy.stats import norm, t

    difference = (fmean(first) - fmean(second)) * (1 if higher else -1)
    of_seeds = [variance(values) / len(values) for values in (first, second)]
    total = sum(of_seeds) + error**2
    parts = sum(v**2 / (len(values) - 1) for v, values in zip(of_seeds, (first, second), strict=True))
    tail = (1 + CONFIDENCE) / 2
    quantile = t.ppf(tail, total**2 / parts) if parts else norm.ppf(tail)
    half = float(quantile) * total**0.5
    return Interval(value=difference, low=difference - half, high=difference + half)


def find_pareto(trials: Sequence[Trial]) -> tuple[int, ...]:
    """Numbers of the complete trials that no other one beats in accuracy and in processor time a review."""

    def beats(one: Mapping[str, float], other: Mapping[str, float]) -> bool:
        no_worse = one["accuracy"] >= other["accuracy"] and one["cpu_ms"] <= other["cpu_ms"]
        return no_worse and (one["accuracy"] > other["accuracy"] or one["cpu_ms"] < other["cpu_ms"])

    return tuple(
        trial.number
        for trial in trials
        if trial.number is not None and not any(beats(other.values, trial.values) for other in trials)
    )
