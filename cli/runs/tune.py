"""Runs a search: trials until the budget is spent, the best ones again with other seeds, then the report."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from functools import partial
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.markup import escape

from cli.grammar import Summary
from cli.runs.trials import Measured, run_folds
from cli.runs.tuning_report import finish, log_trials, make_report
from pipelines.search import settings_of_trial
from sentiment.errors import UserError
from sentiment.imports import ROOT
from sentiment.models.intermediate import judging
from sentiment.reviews.sources import source_fingerprint
from sentiment.tuning import study as studies
from sentiment.tuning.profile import require_own
from sentiment.tuning.report import Trial, TuningReport
from sentiment.tuning.settings import TuneSettings

if TYPE_CHECKING:
    import optuna


PARENT = "SENTIMENT_SEARCH_PROCESS"  # of a worker: the process that started it


class Search:
    """One process's part of a search.

    Args:
        settings: The search.
        console: Where progress is drawn.
        cache: Whether unchanged steps may be served from cache.
    """

    def __init__(self, settings: TuneSettings, console: Console, *, cache: bool) -> None:
        self._settings, self._console = settings, console
        self._profile = settings.profile or ROOT / "configs" / f"train.{settings.study}.yaml"
        require_own(self._profile, settings.study)
        self._base = settings_of_trial(settings, {})
        self._source = source_fingerprint(self._base.source)
        self._measure = partial(
            run_folds, settings, source=self._source, data_seed=self._base.seed, console=console, cache=cache
        )
        self._folder = Path(os.environ.get("SENTIMENT_CACHE", ROOT / ".cache")) / "tuning"
        self._study = studies.open_study(settings, self._folder, self._signature())

    def run(self, words: Sequence[str]) -> Summary:
        """Runs the whole search, and returns its outcome for ``--json``.

        Args:
            words: The command line of a worker, without its number.

        Raises:
            UserError: If the budget is too small, or three trials in a row failed; what was found so far is kept.
        """
        if revived := studies.revive_trials(self._study):
            self._console.print(f"Trials that were cut short and are tried again: {revived}")
        base = self._measure_base()
        self._require_budget(base)
        with self._workers(words):
            self.work(0)
        self._confirm()
        return finish(self._study, self._settings, self._report(), self._profile, self._console)

    def work(self, worker: int) -> Summary:
        """Runs trials until the budget is spent; returns how many this process has run.

        Args:
            worker: Number of the process: each draws other values.

        Raises:
            UserError: If three trials in a row failed, or the base is not measured yet.
        """
        base = studies.read_base(self._study)
        if base is None:
            raise UserError(
                "the search has not measured its base yet",
                where=f"study {self._settings.study}",
                remedy="Start run.py --pipeline tune first.",
            )
        ended: list[optuna.trial.FrozenTrial] = []
        seed, parent = self._base.seed + 7919 * worker, os.environ.get(PARENT)
        while self._has_time(base) and parent in (None, str(os.getppid())):  # a worker ends with its search
            trial = studies.run_trial(self._study, self._settings, self._run_trial, seed=seed)
            if trial is None:
                break
            ended.append(trial)
            self._print_trial(trial.number)
            if worker == 0:
                log_trials(self._study, self._settings, [base, *studies.read_trials(self._study, self._settings)])
            studies.require_progress(self._study, ended)
        return {"study": self._settings.study, "trials": len(ended)}

    def _run_trial(self, trial: optuna.Trial, params: dict[str, Any]) -> tuple[float, ...]:
        """Trains and measures with the values of a trial; returns its objectives."""
        values = self._measure(params, folds=self._settings.folds, trial=trial).values
        trial.set_user_attr("values", values)
        return tuple(values[name] for name in self._settings.objectives)

    def _measure_base(self) -> Trial:
        """Measures the base, unless an earlier start of the search has."""
        known = studies.read_base(self._study)
        if known:
            return known
        self._console.print(f"base: {self._settings.base}")
        course: dict[int, float] = {}

        def note(share: float, *, accuracy: float, log_loss: float) -> None:
            figures = {"accuracy": accuracy, "log_loss": log_loss}
            first = self._settings.objectives[0]
            if first in figures and share < 1:
                course[round(100 * share)] = figures[first]

        folds = self._settings.folds
        with judging(note) if not folds else nullcontext():
            found = self._measure({}, folds=folds)
        params = {key: _value_of(self._base, key) for key in self._settings.space}
        base = Trial(
            number=None, params=params, state="complete", values=found.values, course=found.course or course,
            seconds=found.seconds, ended=found.seconds, run=found.run,
        )  # fmt: skip
        studies.record_base(self._study, self._settings, base)
        self._console.print(f"base  {_describe(base.values)}  {base.seconds / 60:.1f} min", highlight=False)
        return base

    def _has_time(self, base: Trial) -> bool:
        """Whether another trial fits into the budget, beside the trainings with other seeds."""
        budget = self._settings.budget
        trials = studies.read_trials(self._study, self._settings)
        complete = [trial.seconds for trial in trials if trial.state == "complete"] or [base.seconds]
        usual, workers = fmean([base.seconds, *complete]), self._settings.workers
        again = usual / (self._settings.folds or 1) * self._seed_trainings()
        spent = base.seconds + studies.spent_seconds(self._study) / workers + again
        return studies.count_trials(self._study) < budget.trials and spent + usual <= 60 * budget.minutes

    def _seed_trainings(self) -> int:
        return (self._settings.confirm.best + 1) * self._settings.confirm.seeds

    def _require_budget(self, base: Trial) -> None:
        if studies.read_trials(self._study, self._settings) or self._has_time(base):
            return
        again = self._seed_trainings()
        seeds = f", and {again} trainings with other seeds follow" if again else ""
        raise UserError(
            f"{self._settings.budget.minutes:g} minutes leave no time for a trial: the base took "
            f"{base.seconds / 60:.1f} minutes, a trial takes as long{seeds}",
            where="key budget.minutes",
            remedy="Raise it, or lower confirm.seeds; the base's figures are kept.",
        )

    @contextmanager
    def _workers(self, words: Sequence[str]) -> Iterator[None]:
        """Starts the other workers, and waits for their last trials."""
        started = []
        cores = max((os.cpu_count() or 1) // self._settings.workers, 1)
        for number in range(1, self._settings.workers):
            log = self._folder / f"{self._settings.study}.worker-{number}.log"
            log.parent.mkdir(parents=True, exist_ok=True)
            command = [sys.executable, str(ROOT / "run.py"), "--pipeline", "tune", *words, "--worker", str(number)]
            with log.open("w", encoding="utf-8") as sink:
                environment = {"OMP_NUM_THREADS": str(cores), **os.environ, PARENT: str(os.getpid())}
                process = subprocess.Popen(command, stdout=sink, stderr=sink, cwd=ROOT, env=environment)
            started.append((number, process, log))
        try:
            yield
        except BaseException:
            for _, process, _ in started:
                process.terminate()
            raise
        finally:
            for number, process, log in started:
                if process.wait() != 0:
                    self._console.print(f"[yellow]warning[/]: worker {number} failed: see {escape(str(log))}")

    def _report(self) -> TuningReport:
        base = studies.read_base(self._study)
        assert base is not None  # measured at the start
        return make_report(self._study, self._settings, studies.read_trials(self._study, self._settings), base)

    def _confirm(self) -> None:
        """Trains the best trials, and the base, with other seeds."""
        report = self._report()
        if not report.complete:
            raise UserError(
                f"none of {len(report.trials)} trials was completed",
                where=f"study {self._settings.study}",
                remedy="Raise the budget, or change the space in a new study.",
            )
        tried = [report.base, *report.complete[: self._settings.confirm.best]]
        for seed in range(self._base.seed + 1, self._base.seed + 1 + self._settings.confirm.seeds):
            if any(seed not in trial.seeds for trial in tried):
                self._train_again(tried, seed)

    def _train_again(self, tried: Sequence[Trial], seed: int) -> None:
        """Trains the base, which comes first, and some trials with another seed; what is known comes from cache.

        They are measured on the validation split. Where folds judge the trials, it has had no part in any choice.
        """
        of_base: Measured | None = None
        for trial in tried:
            found = self._measure({} if trial.number is None else trial.params, folds=None, seed=seed)
            of_base = of_base or found
            values = {**found.values, "error": found.error_of_difference(of_base, self._settings.objectives[0])}
            studies.record_seed(self._study, trial.name, seed, values)
            self._console.print(f"{trial.name}, seed {seed}  {_describe(found.values)}", highlight=False)

    def _signature(self) -> dict[str, Any]:
        """Describes what decides whether two trials can be compared, as JSON."""
        settings = self._settings
        found = settings.model_dump(mode="json", include={"candidate", "space", "objectives", "folds"})
        trained = self._base.model_dump(mode="json", exclude={"promotion", "behaviour", "evaluation"})
        return {**found, "base": trained, "source": self._source}

    def _print_trial(self, number: int) -> None:
        trials = studies.read_trials(self._study, self._settings)
        trial = next((trial for trial in trials if trial.number == number), None)
        if trial is None:
            return
        params = "  ".join(f"{key.rpartition('.')[2]}={value}" for key, value in trial.params.items())
        what = _describe(trial.values) or trial.error
        self._console.print(
            f"trial {number}  {trial.state}  {escape(what)}  {trial.seconds / 60:.1f} min  [dim]{escape(params)}[/]",
            highlight=False,
        )


def _describe(values: Mapping[str, float]) -> str:
    if not values:
        return ""
    return f"log loss {values['log_loss']:.4f}  accuracy {values['accuracy']:.4f}  {values['cpu_ms']:.2f} CPU ms"


def _value_of(settings: object, key: str) -> Any:  # noqa: ANN401  # any setting
    for name in key.split("."):
        settings = settings[name] if isinstance(settings, dict) else getattr(settings, name)
    return settings
