"""The drawings of a search."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from sentiment.pages.canvas import ACCENT, INK, SOFT, canvas, legend, to_svg
from sentiment.pages.html import Html
from sentiment.tuning.settings import HIGHER_IS_BETTER, UNITS

if TYPE_CHECKING:
    from sentiment.tuning.report import Trial, TuningReport

OVER_TIME = (
    "Every complete trial (dot) and the best so far (line); pruned ones are marked at their last evaluation. Dashed: "
    "the base."
)
PARALLEL = "A line for each complete trial, the best fifth in colour: where the coloured lines meet, a value matters."
COST = "Accuracy against processor time; the line joins the trials that no other one beats in both. Cross: the base."
SEEDS = (
    "Each dot is a training with another seed, the bar is their mean; a ring is the trial itself, on the same reviews."
)
IMPORTANCES = "Share of the objective's variance that each key explains (functional ANOVA)."


def trials_over_time(report: TuningReport) -> Html:
    """Draws the first objective of every trial against the minutes of the search."""
    first = report.objectives[0]
    complete = [trial for trial in report.trials if trial.state == "complete"]
    if not complete:
        return Html("")
    drawing, axes = canvas(9.6, 3.2)
    minutes, values = [t.ended / 60 for t in complete], [t.values[first] for t in complete]
    best = (np.maximum if HIGHER_IS_BETTER[first] else np.minimum).accumulate(values)
    axes.step(minutes, best, where="post", color=ACCENT, linewidth=1.2)
    axes.plot(minutes, values, "o", color=ACCENT, markersize=5, label="complete")
    pruned = [trial for trial in report.trials if trial.state == "pruned" and trial.course]
    if pruned:
        ends = [t.course[max(t.course)] for t in pruned]
        axes.plot([t.ended / 60 for t in pruned], ends, "x", color=SOFT, markersize=5, label="pruned")
    axes.axhline(report.base.values[first], color=INK, linewidth=1, linestyle="--", label="base")
    axes.set(xlabel="minutes of trials", ylabel=UNITS[first])
    legend(axes)
    return to_svg(drawing, "trials")


def parallel(report: TuningReport) -> Html:
    """Draws parallel coordinates (Inselberg 1985, doi:10.1007/BF01898350): an axis for each key and the objective."""
    trials = report.complete
    if len(trials) < 3:
        return Html("")
    keys, first = list(report.space), report.objectives[0]
    drawing, axes = canvas(9.6, 3.4)
    columns = [_scale([t.params[key] for t in trials], logarithmic="logarithmic" in report.space[key]) for key in keys]
    columns.append(_scale([t.values[first] for t in trials], logarithmic=False))
    heights = np.array([column for column, _ in columns]).T
    best = max(1, len(trials) // 5)
    for place in reversed(range(len(trials))):
        good = place < best
        colour, width = (ACCENT, 1.6) if good else (SOFT, 0.7)
        axes.plot(range(len(columns)), heights[place], color=colour, linewidth=width, alpha=1 if good else 0.6)
    for x, (_, marks) in enumerate(columns):
        axes.axvline(x, color=INK, linewidth=0.8)
        for height, words in marks:
            axes.text(x + 0.03, height, words, color=INK, fontsize=8, va="center")
    names = [key.rpartition(".")[2] for key in keys]
    axes.set_xticks(range(len(columns)), [*names, UNITS[first]])
    axes.set(xlim=(-0.1, len(columns) - 0.6), ylim=(-0.06, 1.06))
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    axes.grid(visible=False)
    return to_svg(drawing, "parallel")


def cost(report: TuningReport) -> Html:
    """Draws accuracy against processor time."""
    trials = report.complete
    if not trials:
        return Html("")
    drawing, axes = canvas(9.6, 3.2)
    axes.scatter(*_points(trials), s=14, color=SOFT, linewidths=0)
    front = sorted((t for t in trials if t.number in report.pareto), key=lambda t: t.values["cpu_ms"])
    axes.plot(*_points(front), "o-", color=ACCENT, markersize=5, linewidth=1)
    for trial in front:
        axes.annotate(trial.name, (trial.values["cpu_ms"], trial.values["accuracy"]), fontsize=8, color=INK,
                      xytext=(4, 4), textcoords="offset points")  # fmt: skip
    axes.plot(*_points([report.base]), "x", color=INK, markersize=8)
    axes.set(xlabel=UNITS["cpu_ms"], ylabel="accuracy")
    return to_svg(drawing, "cost")


def seeds(report: TuningReport) -> Html:
    """Draws the trainings with other seeds of the base and of the best trials."""
    first = report.objectives[0]
    shown = [report.base, *report.confirmed]
    drawing, axes = canvas(9.6, 0.9 + 0.4 * len(shown))
    for y, trial in enumerate(shown):
        colour = INK if trial.number is None else ACCENT
        values = [found[first] for found in trial.seeds.values()]
        axes.plot(values, [y] * len(values), "o", color=colour, markersize=5, alpha=0.8)
        axes.plot([trial.mean(first)] * 2, [y - 0.25, y + 0.25], color=colour, linewidth=2)
        if report.confirmed_on == report.judged_on:
            axes.plot(trial.values[first], y, "o", color=colour, markersize=9, fillstyle="none")
    axes.set_yticks(range(len(shown)), [t.name if t.number is None else f"trial {t.name}" for t in shown])
    axes.set(ylim=(len(shown) - 0.5, -0.5), xlabel=UNITS[first])
    axes.grid(axis="y", visible=False)
    return to_svg(drawing, "seeds")


def importances(shares: Mapping[str, float]) -> Html:
    """Draws a bar for each key."""
    drawing, axes = canvas(9.6, 0.7 + 0.3 * len(shares))
    axes.barh(range(len(shares)), list(shares.values()), height=0.6, color=ACCENT)
    axes.set_yticks(range(len(shares)), list(shares))
    axes.set(ylim=(len(shares) - 0.5, -0.5), xlim=(0, 1), xlabel="share of the variance")
    axes.grid(axis="y", visible=False)
    return to_svg(drawing, "importances")


def _points(trials: list[Trial]) -> tuple[list[float], list[float]]:
    return [t.values["cpu_ms"] for t in trials], [t.values["accuracy"] for t in trials]


def _scale(values: list[Any], *, logarithmic: bool) -> tuple[list[float], list[tuple[float, str]]]:
    """Heights in [0, 1] of the values of an axis, and its marks: the ends of a range, or every choice."""
    if not all(isinstance(value, int | float) and not isinstance(value, bool) for value in values):
        names = sorted({str(value) for value in values})
        place = {name: i / max(len(names) - 1, 1) for i, name in enumerate(names)}
        return [place[str(value)] for value in values], [(height, name) for name, height in place.items()]
    numbers = np.log10(values) if logarithmic else np.asarray(values, dtype=np.float64)
    low, high = float(numbers.min()), float(numbers.max())
    marks = [(0.0, f"{min(values):.4g}"), (1.0, f"{max(values):.4g}")] if high > low else [(0.5, f"{values[0]:.4g}")]
    width = high - low
    return [float((n - low) / width) if width else 0.5 for n in numbers], marks
