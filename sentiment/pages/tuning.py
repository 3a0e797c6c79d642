"""The page of a search."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from sentiment.pages import tuning_charts as charts
from sentiment.pages.html import Html, badge, banner, cards, facts, figure, page, paragraph, section, table, text
from sentiment.tuning.settings import UNITS

if TYPE_CHECKING:
    from sentiment.tuning.report import Trial, TuningReport

MAX_ROWS = 50
KINDS = {"complete": "good", "pruned": "quiet", "fail": "bad"}


def tuning_page(report: TuningReport) -> str:
    """Returns the verdict, the trials against the budget, what mattered, what it costs, and the profile."""
    states = [trial.state for trial in report.trials]
    first = report.objectives[0]
    return page(
        f"Search {report.study}: {report.candidate}",
        banner(*_verdict(report), detail=f"Judged on {report.judged_on}; the test split was not used."),
        cards(
            [
                ("trials", len(states), f"{states.count('pruned')} pruned, {states.count('fail')} failed"),
                (f"base, {UNITS[first]}", f"{report.base.values[first]:.4f}", report.base_profile),
                (
                    f"best, {UNITS[first]}",
                    f"{report.complete[0].values[first]:.4f}",
                    f"trial {report.complete[0].name}",
                ),
                ("time", f"{_minutes(report):.0f} min", f"budget {report.budget_minutes:g} min"),
                ("saved by pruning", f"{report.saved_seconds / 60:.0f} min", f"pruner {report.pruner}"),
            ]
        ),
        section("Trials against the budget", _figure(charts.trials_over_time(report), charts.OVER_TIME)),
        section("With other seeds", *_seeds(report)),
        section("What mattered", *_importances(report), _figure(charts.parallel(report), charts.PARALLEL)),
        section("Accuracy against cost", _figure(charts.cost(report), charts.COST)),
        section("Profile", paragraph(report.profile or "Not written yet.", "soft"), _code(report.profile_text)),
        section("Trials", _table(report)),
        section("Search", facts(_facts(report))),
    )


def _verdict(report: TuningReport) -> tuple[str, str]:
    gain = report.gain
    kind = "quiet" if gain is None else "good" if gain.low > 0 else "bad" if gain.high < 0 else "warn"
    return report.verdict[:1].upper() + report.verdict[1:], kind


def _minutes(report: TuningReport) -> float:
    return (report.trials[-1].ended if report.trials else 0.0) / report.workers / 60 + report.base.seconds / 60


def _figure(svg: Html, caption: str) -> Html:
    return figure(svg, caption) if svg else paragraph("Too few complete trials for this drawing.", "soft")


def _seeds(report: TuningReport) -> list[Html]:
    shown = [report.base, *report.confirmed]
    if not any(trial.seeds for trial in shown):
        return [paragraph("No trial was trained with other seeds: nothing says whether the best was good or lucky.")]
    first = report.objectives[0]
    rows = []
    for trial in shown:
        spread = trial.spread(first)
        found = ", ".join(f"{values[first]:.4f}" for values in trial.seeds.values())
        deviation = "-" if spread is None else f"{spread:.4f}"
        rows.append((trial.name, f"{trial.values[first]:.4f}", found, f"{trial.mean(first):.4f}", deviation))
    heads = ["trial", f"{UNITS[first]} on {report.judged_on}", "with other seeds", "mean", "deviation"]
    apart = report.confirmed_on != report.judged_on
    where = (
        "which had no part in choosing trials" if apart else "which also chose the trials: part of a gain may be luck"
    )
    words = paragraph(f"Measured on {report.confirmed_on}, {where}.", "soft")
    return [words, figure(charts.seeds(report), charts.SEEDS), table(heads, rows, numbers=[1, 3, 4])]


def _importances(report: TuningReport) -> list[Html]:
    if not report.importances:
        return [paragraph("Too few complete trials to say which key mattered.", "soft")]
    return [figure(charts.importances(report.importances), charts.IMPORTANCES)]


def _code(content: str) -> Html:
    return Html(f'<pre style="white-space: pre-wrap">{text(content)}</pre>') if content else Html("")


def _table(report: TuningReport) -> Html:
    keys = list(report.space)
    trials: Sequence[Trial] = [report.base, *report.complete, *(t for t in report.trials if t.state != "complete")]
    rows = [
        (
            trial.name,
            badge(trial.state if trial.number is not None else "base", KINDS.get(trial.state, "quiet")),
            *(_number(trial.values.get(name)) for name in ("log_loss", "accuracy", "cpu_ms")),
            f"{trial.seconds / 60:.1f}",
            *(str(trial.params.get(key, "")) for key in keys),
            trial.error or trial.run,
        )
        for trial in trials[:MAX_ROWS]
    ]
    heads = ["trial", "", "log loss", "accuracy", "CPU ms", "min", *(key.rpartition(".")[2] for key in keys), "run"]
    rest = len(trials) - MAX_ROWS
    more = paragraph(f"{rest} more trials are in MLflow.", "soft") if rest > 0 else Html("")
    return Html(table(heads, rows, numbers=[2, 3, 4, 5, len(heads) - 1]) + more)


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.4f}"


def _facts(report: TuningReport) -> dict[str, object]:
    return {
        "base": report.base_profile,
        **{f"space: {key}": values for key, values in report.space.items()},
        **{f"every trial: {key}": value for key, value in report.trial_settings.items()},
        "objectives": ", ".join(UNITS[name] for name in report.objectives),
        "sampler": report.sampler,
        "pruner": report.pruner,
        "workers": report.workers,
    }
