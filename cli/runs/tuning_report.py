"""Reports a search: its profile, its artifact in ZenML, its runs in MLflow, and a table."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from cli.grammar import Summary
from cli.runs.start import start_pipeline
from pipelines.settings import read_train_settings
from pipelines.tune import tune
from registry import search_runs
from registry.trackers.copy import copy_run
from sentiment.imports import ROOT
from sentiment.pages.tuning import tuning_page
from sentiment.tuning.importance import find_importances
from sentiment.tuning.profile import write_profile
from sentiment.tuning.report import Trial, TuningReport, find_pareto
from sentiment.tuning.settings import TuneSettings

if TYPE_CHECKING:
    import optuna

VALIDATION = "the validation split"
SHOWN = 10  # trials in the table, the best ones


def make_report(study: optuna.Study, settings: TuneSettings, trials: Sequence[Trial], base: Trial) -> TuningReport:
    """Puts the report of a search together; its profile is not written yet."""
    complete = [trial for trial in trials if trial.state == "complete"]
    return TuningReport(
        study=settings.study,
        candidate=settings.candidate,
        judged_on=f"{settings.folds} folds of the training split" if settings.folds else VALIDATION,
        confirmed_on=VALIDATION,
        objectives=settings.objectives,
        space={key: parameter.describe() for key, parameter in settings.space.items()},
        trial_settings=settings.trial,
        sampler=settings.sampler,
        pruner=settings.pruner,
        budget_minutes=settings.budget.minutes,
        workers=settings.workers,
        base_profile=str(settings.base),
        base=base,
        trials=tuple(trials),
        importances=find_importances(study),
        pareto=find_pareto(complete),
    )


def log_trials(study: optuna.Study, settings: TuneSettings, trials: Sequence[Trial]) -> str:
    """Logs trials to MLflow, those that are not there yet; returns the run of the search."""
    search = study.user_attrs.get("mlflow_run")
    if search is None or not search_runs.has_run(search):
        space = {key: parameter.describe() for key, parameter in settings.space.items()}
        parameters = {"candidate": settings.candidate, "sampler": settings.sampler, "pruner": settings.pruner}
        search = search_runs.start_search(settings.study, {**parameters, **space})
        study.set_user_attr("mlflow_run", search)
        study.set_user_attr("mlflow_trials", {})
        study.set_user_attr("mlflow_seeds", {})
    logged: dict[str, str] = dict(study.user_attrs.get("mlflow_trials", {}))
    for trial in trials:
        if trial.name not in logged:
            logged[trial.name] = search_runs.log_trial(search, trial)
            study.set_user_attr("mlflow_trials", logged)
    return str(search)


def _log_seeds(study: optuna.Study, trials: Sequence[Trial]) -> None:
    """Logs the trainings with other seeds to the runs of their trials, those that are not there yet."""
    runs: dict[str, str] = study.user_attrs["mlflow_trials"]
    logged: dict[str, list[int]] = dict(study.user_attrs.get("mlflow_seeds", {}))
    for trial in trials:
        for seed in sorted(trial.seeds.keys() - set(logged.get(trial.name, ()))):
            search_runs.log_seed(runs[trial.name], seed, trial.seeds[seed])
            logged[trial.name] = [*logged.get(trial.name, ()), seed]
            study.set_user_attr("mlflow_seeds", logged)


def finish(
    study: optuna.Study, settings: TuneSettings, report: TuningReport, profile: Path, console: Console
) -> Summary:
    """Writes the profile and the report, in ZenML and MLflow, prints it, and returns it for ``--json``."""
    report = _with_profile(report, settings, profile)
    run = start_pipeline(tune, report, console=console, cache=False, keep=False)
    _log(study, settings, report)
    console.print(trials_table(report))
    console.print(f"\n[bold]{escape(report.verdict)}[/]")
    words = f"Profile: {report.profile}. Train it: python run.py --pipeline train --config {report.profile}"
    console.print(escape(words), soft_wrap=True, highlight=False)
    winner = report.winner
    return {
        "run": run.name,
        "study": report.study,
        "trials": len(report.trials),
        "base": report.base.values,
        "winner": {"trial": winner.name, "params": winner.params, "values": winner.values},
        "gain": report.gain.model_dump() if report.gain else None,
        "verdict": report.verdict,
        "profile": report.profile,
    }


def _with_profile(report: TuningReport, settings: TuneSettings, profile: Path) -> TuningReport:
    changed = {key: value for key, value in report.winner.params.items() if value != report.base.params[key]}
    if not getattr(read_train_settings(settings.base, []), settings.candidate).enabled:
        changed[f"{settings.candidate}.enabled"] = True
    comments = [
        f"{len(report.trials)} trials of {report.candidate}, judged on {report.judged_on}.",
        f"{report.verdict[0].upper()}{report.verdict[1:]}.",
    ]
    if report.trial_settings:
        values = ", ".join(f"{key}={value}" for key, value in report.trial_settings.items())
        comments.append(f"All of them, and the base, with {values}.")
    text = write_profile(profile, report.study, settings.base, changed, comments)
    shown = profile.relative_to(ROOT) if profile.is_relative_to(ROOT) else profile
    return report.model_copy(update={"profile": str(shown), "profile_text": text})


def _log(study: optuna.Study, settings: TuneSettings, report: TuningReport) -> None:
    """Logs the outcome to the MLflow run of the search."""
    search = log_trials(study, settings, [report.base, *report.trials])
    _log_seeds(study, [report.base, *report.trials])
    figures = {f"winner_{name}": value for name, value in report.winner.values.items()}
    figures |= {f"base_{name}": value for name, value in report.base.values.items()}
    figures |= {"trials": len(report.trials), "saved_minutes": report.saved_seconds / 60}
    if report.gain:
        figures["gain"] = report.gain.value
    search_runs.finish_search(search, figures, report.verdict, tuning_page(report), report.profile_text)
    copy_run(search)


def trials_table(report: TuningReport) -> Table:
    """Shows the base and the best trials, with their figures on other seeds."""
    title = f"Trials of {report.candidate}, judged on {report.judged_on}"
    heads = ("trial", "log loss", "accuracy", "CPU ms", "mean of other seeds", "min", "values")
    table = Table(*heads, title=title, title_justify="left")
    first = report.objectives[0]
    for trial in [report.base, *report.complete[:SHOWN]]:
        mean, spread = (trial.mean(first) if trial.seeds else None), trial.spread(first)
        again = "-" if mean is None else f"{mean:.4f}" + ("" if spread is None else f" ± {spread:.4f}")
        params = ", ".join(f"{key.rpartition('.')[2]} {value}" for key, value in trial.params.items())
        log_loss, accuracy, cpu_ms = (trial.values[name] for name in ("log_loss", "accuracy", "cpu_ms"))
        table.add_row(
            f"[bold]{trial.name}" if trial == report.winner else trial.name,
            f"{log_loss:.4f}", f"{accuracy:.4f}", f"{cpu_ms:.2f}", again, f"{trial.seconds / 60:.1f}", escape(params),
        )  # fmt: skip
    return table
