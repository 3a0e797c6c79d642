"""Drawings as inline SVG: they take the page's text colour, so they are readable on light and on dark paper."""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from sentiment.pages.html import Html

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from sentiment.evaluation.bootstrap import Floats, Interval, Labels
    from sentiment.evaluation.calibration import ReliabilityBin

_INK = "#010203"  # replaced by the page's own text colour
_ACCENT = "#4a86e8"  # readable on white and on near-black
_SOFT = "#8a94a3"


def histogram(values: Sequence[int], label: str) -> Html:
    """How often which length occurs; logarithmic, since reviews have 3 to 3,000 words.

    Args:
        values: Non-negative whole numbers.
        label: Of the horizontal axis.
    """
    figure, axes = _canvas(9.6, 2.6)
    lengths = np.maximum(np.asarray(values, dtype=np.float64), 1)
    edges = np.unique(np.round(np.geomspace(lengths.min(), lengths.max() + 1, 45)))  # at least two: max + 1 > min
    axes.hist(lengths, bins=edges.tolist(), color=_ACCENT)
    axes.set_xscale("log")
    ticks = [t for t in (1, 3, 10, 30, 100, 300, 1000, 3000, 10_000, 100_000) if lengths.min() <= t <= lengths.max()]
    axes.set_xticks(ticks, [f"{t:,}" for t in ticks])
    axes.minorticks_off()
    axes.set_xlabel(label)
    return _svg(figure, "histogram")


def precision_recall(labels: Labels, p_positive: Floats) -> Html:
    """Precision against recall of both classes, with the threshold 0.5 marked; shapes (n,)."""
    from sklearn.metrics import precision_recall_curve

    figure, axes = _canvas(4.6, 3.6)
    classes = (("positive", labels, p_positive, _ACCENT), ("negative", 1 - labels, 1 - p_positive, _SOFT))
    for name, y, p, colour in classes:
        if not y.any():
            continue  # a class that does not occur has no recall
        precision, recall, _ = precision_recall_curve(y, p)
        shown = np.unique(np.linspace(0, len(recall) - 1, 200).astype(int))
        axes.plot(recall[shown], precision[shown], color=colour, label=name)
        chosen = p >= 0.5
        if chosen.any():
            axes.plot((y[chosen]).sum() / y.sum(), y[chosen].mean(), "o", color=colour, markersize=6)
    lowest = min(0.5, float(labels.mean()), 1 - float(labels.mean()))
    axes.set(xlabel="recall", ylabel="precision", xlim=(0, 1.01), ylim=(lowest - 0.02, 1.01))
    _legend(axes)
    return _svg(figure, "precision-recall")


def reliability(bins: Iterable[ReliabilityBin]) -> Html:
    """Predicted P(positive) against the share of positives observed; dots grow with the number of reviews."""
    figure, axes = _canvas(4.6, 3.6)
    predicted, observed, count = np.array([(b.predicted, b.observed, b.count) for b in bins]).T
    axes.plot([0, 1], [0, 1], "--", color=_SOFT, linewidth=1, label="perfect")
    axes.plot(predicted, observed, color=_ACCENT, label="observed")
    axes.scatter(predicted, observed, s=12 + 120 * count / count.max(), color=_ACCENT, alpha=0.75, linewidths=0)
    axes.set(xlabel="predicted P(positive)", ylabel="share of positives", xlim=(-0.02, 1.02), ylim=(-0.03, 1.03))
    _legend(axes)
    return _svg(figure, "reliability")


def intervals(rows: Sequence[tuple[str, Interval]], label: str) -> Html:
    """One line a name, top to bottom: the estimate as a dot, its interval as a bar; the first is the reference."""
    figure, axes = _canvas(9.6, 0.7 + 0.3 * len(rows))
    for y, (_, interval) in enumerate(rows):
        axes.plot([interval.low, interval.high], [y, y], color=_ACCENT, linewidth=3, alpha=0.45, solid_capstyle="round")
        axes.plot(interval.value, y, "o", color=_ACCENT, markersize=7 if y == 0 else 5)
    axes.axvline(rows[0][1].value, color=_SOFT, linewidth=1, linestyle="--")
    axes.set_yticks(range(len(rows)), [name for name, _ in rows])
    axes.set(ylim=(len(rows) - 0.5, -0.5), xlabel=label)
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="y", visible=False)
    return _svg(figure, "intervals")


def _canvas(width: float, height: float) -> tuple[Figure, Axes]:
    """A figure (inches) with one plain pair of axes."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    axes = figure.add_subplot()
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(_SOFT)
    axes.tick_params(colors=_INK, labelsize=9, color=_SOFT)
    for axis in (axes.xaxis, axes.yaxis):
        axis.label.set_color(_INK)
        axis.label.set_fontsize(9)
    axes.grid(color=_SOFT, alpha=0.25, linewidth=0.6)
    axes.set_axisbelow(True)
    return figure, axes


def _legend(axes: Axes) -> None:
    axes.legend(frameon=False, labelcolor=_INK, fontsize=9, loc="best")


def _svg(figure: Figure, name: str) -> Html:
    """The figure as an SVG element without declaration and metadata; ``name`` keeps identifiers apart on a page."""
    import matplotlib as mpl

    buffer = io.StringIO()
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": name, "font.family": "sans-serif"}):
        figure.savefig(buffer, format="svg", transparent=True)
    drawing = re.sub(r"<metadata>.*?</metadata>", "", buffer.getvalue(), flags=re.DOTALL)
    drawing = drawing[drawing.index("<svg") :].replace(_INK, "currentColor")
    drawing = re.sub(r' xmlns(:\w+)?="[^"]*"', "", drawing).replace("xlink:href", "href")
    drawing = re.sub(r"font: (\d+)px [^;\"]*", r"font-size: \1px; font-family: inherit", drawing)
    drawing = re.sub(r'(id="|href="#|url\(#)', rf"\g<1>{name}-", drawing)
    return Html(drawing)
