"""Runs the trial pipeline, and reads what it measured."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field
from statistics import stdev
from typing import TYPE_CHECKING, Any

from rich.console import Console

from cli.runs.outcome import load_output, step_durations
from cli.runs.start import run_name, start_pipeline
from pipelines.search import settings_of_trial
from pipelines.tune import trial as trial_pipeline
from sentiment.models.intermediate import judging
from sentiment.tuning.settings import TuneSettings
from sentiment.tuning.study import make_judge, report_value

if TYPE_CHECKING:
    import optuna
    from zenml.models import PipelineRunResponse

PREPARATION = ("load", "check_raw", "divide", "check_splits")  # steps of a trial that are the same in each


@dataclass(frozen=True)
class Measured:
    """The figures of a trial, over the folds so far.

    Attributes:
        values: Means over the folds.
        reviews: ``log_loss`` and ``accuracy`` of each review, fold by fold.
        seconds: Time of the trial, that of loading and splitting left out: in later trials it comes from cache.
        run: Name of the ZenML run of the last fold.
        folds: Number of folds.
        course: Mean of the first objective after each fold but the last one, by percent of the trial.
    """

    values: Mapping[str, float] = field(default_factory=dict)
    reviews: Mapping[str, list[float]] = field(default_factory=dict)
    seconds: float = 0.0
    run: str = ""
    folds: int = 0
    course: dict[int, float] = field(default_factory=dict)

    def add_fold(self, run: PipelineRunResponse, seconds: float) -> Measured:
        """Returns the figures with those of another finished run."""
        steps = run.steps
        values, reviews = (load_output(steps, "measure_trial", name) for name in ("trial_values", "trial_reviews"))
        durations = step_durations(steps)
        own = max(seconds - sum(durations[name] for name in PREPARATION), 0.0)
        count = self.folds + 1
        return Measured(
            values={key: (self.values.get(key, 0.0) * self.folds + value) / count for key, value in values.items()},
            reviews={key: [*self.reviews.get(key, []), *found] for key, found in reviews.items()},
            seconds=self.seconds + own,
            run=run.name,
            folds=count,
            course=self.course,
        )

    def error_of_difference(self, base: Measured, objective: str) -> float:
        """Standard error of the difference to the base, review by review; 0 for processor time."""
        if objective not in self.reviews:
            return 0.0
        pairs = zip(self.reviews[objective], base.reviews[objective], strict=True)
        differences = [own - other for own, other in pairs]
        return float(stdev(differences) / len(differences) ** 0.5)


def run_folds(
    settings: TuneSettings,
    params: Mapping[str, Any],
    *,
    source: str,
    data_seed: int,
    console: Console,
    cache: bool,
    folds: int | None,
    seed: int | None = None,
    trial: optuna.Trial | None = None,
) -> Measured:
    """Runs the trial pipeline, once for each fold.

    Args:
        settings: The search.
        params: Values of the trial, by key; none: the base.
        source: Hash of the source's content.
        data_seed: Seed of the splits and folds.
        console: Where progress is drawn.
        cache: Whether unchanged steps may be served from cache.
        folds: Number of folds of the training split to measure on; None: the validation split.
        seed: Seed of the training; None: that of the profile.
        trial: Receives evaluations, and may be pruned by them; None: for the base and for other seeds.

    Raises:
        PrunedError: If the trial is given up.
    """
    values, found = settings_of_trial(settings, params, seed=seed), Measured()
    within = judging(make_judge(trial, settings)) if trial and not folds else nullcontext()
    for fold in range(folds or 1):
        name = run_name("trial")
        if trial:
            trial.set_user_attr("run", name)
        arguments = (values, source, settings.candidate, data_seed, folds, fold)
        started = time.monotonic()
        with within:
            run = start_pipeline(trial_pipeline, *arguments, console=console, cache=cache, name=name, keep=False)
        found = found.add_fold(run, time.monotonic() - started)
        percent = 100 * (fold + 1) // (folds or 1)
        if folds and percent < 100:
            found.course[percent] = found.values[settings.objectives[0]]
            if trial:
                report_value(trial, settings, percent, found.values)
    return found
