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
    """Every candidate in one table, the most accurate one first, and two drawings of it."""
    rows = leaderboard.rows
    speeds = [(row.candidate, row.reviews_per_second, row.accuracy.value) for row in rows]
    return page(
        "Leaderboard",
        paragraph(_describe(leaderboard), "soft"),
        table(HEADERS, [[*map(_show, cells(row))] for row in rows], numbers=range(1, len(HEADERS))),
        section(
            "Accuracy",
            figure(
                charts.intervals([(row.candidate, row.accuracy) for row in rows], "accuracy"),
                "Accuracy on the test split with its 95% interval; the dashed line is the most accurate candidate.",
            ),
        ),
        section(
            "Accuracy against speed",
            figure(charts.accuracy_against_speed(speeds), "Up and to the right is better: accurate and fast."),
        ),
    )


def leaderboard_markdown(leaderboard: Leaderboard, run: str) -> str:
    """The table of a run as Markdown, for a pull request."""
    rows = [[f"{value} ({remark})" if remark else value for value, remark in cells(row)] for row in leaderboard.rows]
    parts = ["### Leaderboard", f"Run `{run}`. {_describe(leaderboard)}", markdown.table(HEADERS, rows)]
    return "\n\n".join(parts) + "\n"


def explain_columns(leaderboard: Leaderboard) -> str:
    """Explains the columns whose meaning depends on the run; empty if there are none."""
    sentences = []
    if leaderboard.sentences:
        sentences.append(f"Sentences: accuracy on the slice {leaderboard.sentences}.")
    if leaderboard.folds:
        sentences.append(
            f"Folds: mean and standard deviation of the accuracy in a cross-validation with {leaderboard.folds} folds "
            "of the training split."
        )
    return " ".join(sentences)


def cells(row: LeaderboardRow) -> Sequence[Cell]:
    """Returns the words of a row, in the order of :data:`HEADERS`; a hyphen stands for a missing figure."""
    folds = row.cross_validation
    return (
        (row.candidate, "" if row.kind == row.candidate else row.kind),
        _interval(row.accuracy),
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
