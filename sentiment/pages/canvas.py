"""The canvas of drawings: inline SVG in the page's text colour, readable on light and on dark paper."""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING

from sentiment.pages.html import Html

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INK = "#010203"  # replaced by the page's own text colour
ACCENT = "#4a86e8"  # readable on white and on near-black
SOFT = "#8a94a3"
BAD = "#d64545"


def canvas(width: float, height: float) -> tuple[Figure, Axes]:
    """A figure (inches) with one plain pair of axes."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    axes = figure.add_subplot()
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(SOFT)
    axes.tick_params(colors=INK, labelsize=9, color=SOFT)
    for axis in (axes.xaxis, axes.yaxis):
        axis.label.set_color(INK)
        axis.label.set_fontsize(9)
    axes.grid(color=SOFT, alpha=0.25, linewidth=0.6)
    axes.set_axisbelow(True)
    return figure, axes


def legend(axes: Axes) -> None:
    """Adds a legend without a frame."""
    axes.legend(frameon=False, labelcolor=INK, fontsize=9, loc="best")


def to_svg(figure: Figure, name: str) -> Html:
    """The figure as an SVG element without declaration and metadata; ``name`` keeps identifiers apart on a page."""
    import matplotlib as mpl

    buffer = io.StringIO()
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": name, "font.family": "sans-serif"}):
        figure.savefig(buffer, format="svg", transparent=True)
    drawing = re.sub(r"<metadata>.*?</metadata>", "", buffer.getvalue(), flags=re.DOTALL)
    drawing = drawing[drawing.index("<svg") :].replace(INK, "currentColor")
    drawing = re.sub(r' xmlns(:\w+)?="[^"]*"', "", drawing).replace("xlink:href", "href")
    drawing = re.sub(r"font: (\d+)px [^;\"]*", r"font-size: \1px; font-family: inherit", drawing)
    drawing = re.sub(r'(id="|href="#|url\(#)', rf"\g<1>{name}-", drawing)
    return Html(drawing)
