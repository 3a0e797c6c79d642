"""Drawings as inline SVG: they take the page's text colour, so they are readable on light and on dark paper."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

import numpy as np

from sentiment.pages.canvas import ACCENT, BAD, INK, SOFT, canvas, legend, to_svg
from sentiment.pages.html import Html

if TYPE_CHECKING:
    from sentiment.evaluation.bootstrap import Floats, Interval, Labels
    from sentiment.evaluation.calibration import ReliabilityBin
    from sentiment.evaluation.operating_points import OperatingPoint


def histogram(values: Sequence[int], label: str) -> Html:
    """How often which length occurs; logarithmic, since reviews have 3 to 3,000 words.

    Args:
        values: Non-negative whole numbers.
        label: Of the horizontal axis.
    """
    figure, axes = canvas(9.6, 2.6)
    lengths = np.maximum(np.asarray(values, dtype=np.float64), 1)
    edges = np.unique(np.round(np.geomspace(lengths.min(), lengths.max() + 1, 45)))  # at least two: max + 1 > min
    axes.hist(lengths, bins=edges.tolist(), color=ACCENT)
    axes.set_xscale("log")
    ticks = [t for t in (1, 3, 10, 30, 100, 300, 1000, 3000, 10_000, 100_000) if lengths.min() <= t <= lengths.max()]
    axes.set_xticks(ticks, [f"{t:,}" for t in ticks])
    axes.minorticks_off()
    axes.set_xlabel(label)
    return to_svg(figure, "histogram")


def two_histograms(window: Floats, reference: Floats, label: str, *, name: str, logarithmic: bool = False) -> Html:
    """How often which value occurs in a window (filled) and in its reference (outline), as shares of each.

    Args:
        window: Values, shape (n,), n > 0.
        reference: Values, shape (m,), m > 0.
        label: Of the horizontal axis.
        name: Keeps the drawing apart from others on the page.
        logarithmic: For positive values over several orders of magnitude.
    """
    figure, axes = canvas(4.6, 3.0)
    both = np.concatenate([window, reference])
    low = max(both.min(), 1.0) if logarithmic else both.min()
    high = max(both.max(), low + 1e-3)
    edges = (np.geomspace if logarithmic else np.linspace)(low, high, 31)
    shares = [np.full(len(values), 1 / len(values)) for values in (window, reference)]
    shown = [np.clip(values, low, high) for values in (window, reference)]
    axes.hist(shown[0], edges.tolist(), weights=shares[0], color=ACCENT, label="window")
    axes.hist(shown[1], edges.tolist(), weights=shares[1], color=INK, histtype="step", label="reference")
    if logarithmic:
        axes.set_xscale("log")
        ticks = [t for t in (1, 3, 10, 30, 100, 300, 1000, 3000, 10_000) if low <= t <= high]
        axes.set_xticks(ticks, [f"{t:,}" for t in ticks])
        axes.minorticks_off()
    axes.set(xlabel=label, ylabel="share")
    legend(axes)
    return to_svg(figure, name)


def binned_shares(counts: Sequence[int], reference: Sequence[int], label: str) -> Html:
    """Counts in equal bins of [0, 1] (filled) and those of a reference (outline), as shares of each.

    Args:
        counts: Not all 0.
        reference: As many bins, not all 0.
        label: Of the horizontal axis.
    """
    figure, axes = canvas(9.6, 2.8)
    edges = np.linspace(0, 1, len(counts) + 1)
    axes.stairs(np.asarray(counts) / sum(counts), edges, fill=True, color=ACCENT, label="input")
    axes.stairs(np.asarray(reference) / sum(reference), edges, color=INK, label="reference")
    axes.set(xlabel=label, ylabel="share", xlim=(0, 1))
    legend(axes)
    return to_svg(figure, "binned")


def estimates_over_time(points: Sequence[tuple[str, Interval]], expected: float, label: str) -> Html:
    """An estimate with its interval at each moment, oldest first, against an expected value (dashed)."""
    figure, axes = canvas(9.6, 2.8)
    for x, (_, interval) in enumerate(points):
        axes.plot([x, x], [interval.low, interval.high], color=ACCENT, linewidth=3, alpha=0.45)
    axes.plot([interval.value for _, interval in points], "o-", color=ACCENT, markersize=4, linewidth=1)
    axes.axhline(expected, color=SOFT, linewidth=1, linestyle="--")
    axes.set_xticks(range(len(points)), [moment for moment, _ in points])
    axes.set(xlim=(-0.5, len(points) - 0.5), ylabel=label)
    return to_svg(figure, "estimates")


def precision_recall(labels: Labels, p_positive: Floats, threshold: float = 0.5) -> Html:
    """Precision against recall of both classes, with the threshold marked; shapes (n,)."""
    from sklearn.metrics import precision_recall_curve

    figure, axes = canvas(4.6, 3.6)
    answers = p_positive > threshold
    classes = (
        ("positive", labels, p_positive, answers, ACCENT),
        ("negative", 1 - labels, 1 - p_positive, ~answers, SOFT),
    )
    for name, y, p, chosen, colour in classes:
        if not y.any():
            continue  # a class that does not occur has no recall
        precision, recall, _ = precision_recall_curve(y, p)
        shown = np.unique(np.linspace(0, len(recall) - 1, 200).astype(int))
        axes.plot(recall[shown], precision[shown], color=colour, label=name)
        if chosen.any():
            axes.plot((y[chosen]).sum() / y.sum(), y[chosen].mean(), "o", color=colour, markersize=6)
    lowest = min(0.5, float(labels.mean()), 1 - float(labels.mean()))
    axes.set(xlabel="recall", ylabel="precision", xlim=(0, 1.01), ylim=(lowest - 0.02, 1.01))
    legend(axes)
    return to_svg(figure, "precision-recall")


def operating_points(points: Sequence[OperatingPoint]) -> Html:
    """Accuracy against texts a second of every point, the best ones joined, the chosen one ringed."""
    figure, axes = canvas(9.6, 3.2)
    ordered = sorted(points, key=lambda point: -point.reviews_per_second)
    speeds, accuracies = ([getattr(p, name) for p in ordered] for name in ("reviews_per_second", "accuracy"))
    axes.scatter(speeds, accuracies, s=10, color=SOFT, linewidths=0)
    highest = np.maximum.accumulate(accuracies)
    front = [i for i in range(len(ordered)) if i == 0 or highest[i] > highest[i - 1]]
    axes.plot([speeds[i] for i in front], [accuracies[i] for i in front], "o-", color=ACCENT, markersize=4)
    for point in ordered:
        if point.chosen:
            axes.plot(point.reviews_per_second, point.accuracy, "o", color=INK, markersize=11, fillstyle="none")
    axes.set(xscale="log", xlabel="reviews a second", ylabel="accuracy")
    return to_svg(figure, "operating-points")


def accuracy_against_speed(rows: Sequence[tuple[str, float, float]], label: str = "accuracy") -> Html:
    """One named dot a model, by its reviews a second, > 0 (logarithmic), and the figure ``label``; the best first."""
    figure, axes = canvas(9.6, 3.2)
    for rank, (name, speed, accuracy) in enumerate(rows):
        axes.plot(speed, accuracy, "o", color=ACCENT, markersize=6)
        above_or_below = (6, 4 if rank % 2 == 0 else -12)  # in turn: neighbours in accuracy keep their names apart
        axes.annotate(name, (speed, accuracy), above_or_below, textcoords="offset points", color=INK, fontsize=9)
    axes.margins(x=0.15, y=0.2)
    axes.set(xscale="log", xlabel="reviews a second", ylabel=label)
    return to_svg(figure, "speed")


def reliability(bins: Iterable[ReliabilityBin]) -> Html:
    """Predicted P(positive) against the share of positives observed; dots grow with the number of reviews."""
    figure, axes = canvas(4.6, 3.6)
    predicted, observed, count = np.array([(b.predicted, b.observed, b.count) for b in bins]).T
    axes.plot([0, 1], [0, 1], "--", color=SOFT, linewidth=1, label="perfect")
    axes.plot(predicted, observed, color=ACCENT, label="observed")
    axes.scatter(predicted, observed, s=12 + 120 * count / count.max(), color=ACCENT, alpha=0.75, linewidths=0)
    axes.set(xlabel="predicted P(positive)", ylabel="share of positives", xlim=(-0.02, 1.02), ylim=(-0.03, 1.03))
    legend(axes)
    return to_svg(figure, "reliability")


def intervals(rows: Sequence[tuple[str, Interval]], label: str) -> Html:
    """One line a name, top to bottom: the estimate as a dot, its interval as a bar; the first is the reference."""
    figure, axes = canvas(9.6, 0.7 + 0.3 * len(rows))
    for y, (_, interval) in enumerate(rows):
        axes.plot([interval.low, interval.high], [y, y], color=ACCENT, linewidth=3, alpha=0.45, solid_capstyle="round")
        axes.plot(interval.value, y, "o", color=ACCENT, markersize=7 if y == 0 else 5)
    axes.axvline(rows[0][1].value, color=SOFT, linewidth=1, linestyle="--")
    axes.set_yticks(range(len(rows)), [name for name, _ in rows])
    axes.set(ylim=(len(rows) - 0.5, -0.5), xlabel=label)
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="y", visible=False)
    return to_svg(figure, "intervals")


def stacked(rows: Sequence[tuple[str, Mapping[str, int]]], label: str) -> Html:
    """One bar a name, top to bottom, made of two counts: the first in grey, the second in colour."""
    figure, axes = canvas(9.6, 0.9 + 0.3 * len(rows))
    start = np.zeros(len(rows))
    for part, colour in zip(rows[0][1], (SOFT, ACCENT), strict=True):
        widths = np.array([counts[part] for _, counts in rows], dtype=np.float64)
        axes.barh(range(len(rows)), widths, left=start, height=0.6, color=colour, label=part)
        start += widths
    axes.set_yticks(range(len(rows)), [name for name, _ in rows])
    axes.locator_params("x", integer=True)
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    axes.set(ylim=(len(rows) - 0.5, -0.5), xlabel=label)
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="y", visible=False)
    axes.legend(frameon=False, labelcolor=INK, fontsize=9, loc="lower right", bbox_to_anchor=(1, 1), ncols=2)
    return to_svg(figure, "stacked")


def signed_bars(rows: Sequence[tuple[str, float]], label: str) -> Html:
    """One bar a name, top to bottom: positive values in colour to the right, others in grey to the left."""
    figure, axes = canvas(9.6, 0.7 + 0.22 * len(rows))
    values = [value for _, value in rows]
    axes.barh(range(len(rows)), values, height=0.7, color=[ACCENT if value > 0 else SOFT for value in values])
    axes.axvline(0, color=SOFT, linewidth=1)
    axes.set_yticks(range(len(rows)), [name for name, _ in rows])
    axes.set(ylim=(len(rows) - 0.5, -0.5), xlabel=label)
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="y", visible=False)
    return to_svg(figure, "signed")


def course(values: Sequence[tuple[str, float, bool]], champion: str | None, label: str) -> Html:
    """A value of every version in turn; promoted ones are filled, the champion is ringed."""
    figure, axes = canvas(9.6, 2.4)
    axes.plot([y for _, y, _ in values], color=SOFT, linewidth=1)
    for x, (name, y, promoted) in enumerate(values):
        axes.plot(x, y, "o", color=ACCENT if promoted else SOFT, fillstyle="full" if promoted else "none")
        if name == champion:
            axes.plot(x, y, "o", color=ACCENT, fillstyle="none", markersize=13)
    shown = np.unique(np.linspace(0, len(values) - 1, min(len(values), 20)).astype(int))
    axes.set_xticks(shown, [values[i][0] for i in shown])
    axes.margins(x=0.03, y=0.3)
    axes.set(xlabel="version", ylabel=label)
    return to_svg(figure, "course")


def looks(at: Sequence[datetime], values: Sequence[float], failed: Sequence[bool], name: str) -> Html:
    """Plots a value over the monitoring runs, failed ones in red; ``name`` (letters) is unique on the page."""
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter, date2num

    figure, axes = canvas(4.6, 1.9)
    days = date2num(list(at))  # type: ignore[no-untyped-call] # matplotlib's, as those below
    axes.plot(days, values, color=SOFT, linewidth=1)
    for wrong, colour in ((False, ACCENT), (True, BAD)):
        chosen = [i for i, was in enumerate(failed) if was == wrong]
        axes.plot(days[chosen], np.asarray(values)[chosen], "o", color=colour, markersize=4)
    locator = AutoDateLocator(minticks=2, maxticks=5)  # type: ignore[no-untyped-call]
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(ConciseDateFormatter(locator))  # type: ignore[no-untyped-call]
    axes.xaxis.get_offset_text().set_color(INK)
    axes.margins(x=0.05, y=0.2)
    return to_svg(figure, name)
