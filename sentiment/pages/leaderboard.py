"""The leaderboard as a page and as Markdown, and the words of its table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from sentiment.evaluation.leaderboard import Leaderboard, LeaderboardRow
from sentiment.pages import charts, markdown
from sentiment.pages.html import Html, figure, page, paragraph, section, table, text

if TYPE_CHECKING:
    from sentiment.evaluation.bootstrap import Interval

HEADERS = (
    "candidate", "accuracy", "sentences", "behaviour failed", "ECE", "MB", "p95 ms", "reviews/s", "training s", "folds"
)  # fmt: skip
Cell = tuple[str, str]  # a value, and its range or another remark: empty where there is none
MISSING: Cell = ("-", "")


def leaderboard_page(leaderboard: Leaderboard) -> str:
    """Every candidate in one table, the best one first, and two drawings of it."""
    rows, name = leaderboard.rows, "macro-F1" if leaderboard.rare_label else "accuracy"
    title = name[0].upper() + name[1:]
    speeds = [(row.candidate, row.reviews_per_second, row.ranked_by.value) for row in rows]
    return page(
        "Leaderboard",
        paragraph(_describe(leaderboard), "soft"),
        leaderboard_table(leaderboard),
        section(
            title,
            figure(
                charts.intervals([(row.candidate, row.ranked_by) for row in rows], name),
                f"{title} on the test split with its 95% interval; the dashed line is the best candidate.",
            ),
        ),
        section(
            f"{title} against speed",
            figure(charts.accuracy_against_speed(speeds, name), "Up and to the right is better: accurate and fast."),
        ),
    )


def leaderboard_table(leaderboard: Leaderboard) -> Html:
    """The table alone, as a page and a notebook show it: remarks are small, below their values."""
    names = headers(leaderboard)
    return table(names, [[*map(_show, row)] for row in cells(leaderboard)], numbers=range(1, len(names)))


def leaderboard_markdown(leaderboard: Leaderboard, run: str) -> str:
    """The table of a run as Markdown, for a pull request."""
    rows = [[f"{value} ({remark})" if remark else value for value, remark in row] for row in cells(leaderboard)]
    parts = ["### Leaderboard", f"Run `{run}`. {_describe(leaderboard)}", markdown.table(headers(leaderboard), rows)]
    return "\n\n".join(parts) + "\n"


def explain_columns(leaderboard: Leaderboard) -> str:
    """Explains the columns whose meaning depends on the run; empty if there are none."""
    sentences = []
    if leaderboard.rare_label:
        sentences.append(f"The label {leaderboard.rare_label} is rare: the candidates are sorted by macro-F1.")
    if leaderboard.sentences:
        sentences.append(f"Sentences: accuracy on the slice {leaderboard.sentences}.")
    if leaderboard.folds:
        sentences.append(
            f"Folds: mean and standard deviation of the accuracy in a cross-validation with {leaderboard.folds} folds "
            "of the training split."
        )
    return " ".join(sentences)


def headers(leaderboard: Leaderboard) -> Sequence[str]:
    """Returns the names of the columns: where a label is rare, also macro-F1 and the recall of that label."""
    rare = leaderboard.rare_label
    return (*HEADERS[:2], "macro-F1", f"recall of {rare}", *HEADERS[2:]) if rare else HEADERS


def cells(leaderboard: Leaderboard) -> Sequence[Sequence[Cell]]:
    """Returns every row in the order of :func:`headers`; a hyphen stands for a missing figure."""
    return [_cells(row, rare=leaderboard.rare_label is not None) for row in leaderboard.rows]


def _cells(row: LeaderboardRow, *, rare: bool) -> Sequence[Cell]:
    folds = row.cross_validation
    return (
        (row.candidate, "" if row.kind == row.candidate else row.kind),
        _interval(row.accuracy),
        *((_interval(row.macro_f1), _interval(row.rare_recall)) if rare else ()),
        _interval(row.sentences),
        MISSING
        if row.behaviour_failed is None
        else (f"{100 * row.behaviour_failed:.1f}%", f"of {row.behaviour_cases:,}"),
        (f"{row.ece.value:.3f}", ""),
        (f"{row.size_mb:.1f}", ""),
        (f"{row.p95_ms:.1f}", ""),
        (f"{row.reviews_per_second:,.0f}", ""),
        MISSING if row.training_seconds is None else (f"{row.training_seconds:,.1f}", ""),
        MISSING if folds is None else (f"{folds.mean:.3f}", f"± {folds.deviation:.3f}"),
    )


def _describe(leaderboard: Leaderboard) -> str:
    measured = f"Measured on {leaderboard.reviews:,} test reviews, with 95% intervals."
    return f"{measured} {explain_columns(leaderboard)}".strip()


def _interval(interval: Interval | None) -> Cell:
    return MISSING if interval is None else (f"{interval.value:.3f}", f"{interval.low:.3f}-{interval.high:.3f}")


def _show(cell: Cell) -> Html:
    value, remark = map(text, cell)
    return Html(f"{value}<small>{remark}</small>" if remark else value)
