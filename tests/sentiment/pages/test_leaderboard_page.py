"""The leaderboard and the cross-validation as pages and as Markdown."""

import re

import pytest

from sentiment.evaluation.bootstrap import Interval
from sentiment.evaluation.cross_validation import CrossValidation, Fold, Spread
from sentiment.evaluation.leaderboard import Leaderboard, LeaderboardRow
from sentiment.pages.cross_validation import cross_validation_page
from sentiment.pages.html import text
from sentiment.pages.leaderboard import HEADERS, leaderboard_markdown, leaderboard_page
from tests.sentiment.pages.test_pages import EVIL, SHOWN, Audit

FULL = LeaderboardRow(
    candidate="cascade", kind="cascade", accuracy=Interval(value=0.9312, low=0.92, high=0.94),
    sentences=Interval(value=0.8123, low=0.79, high=0.83), behaviour_failed=0.0316, behaviour_cases=2345,
    ece=Interval(value=0.0123, low=0.01, high=0.02), size_mb=98.76, p95_ms=12.34, reviews_per_second=1234.4,
    training_seconds=361.24, cross_validation=Spread(mean=0.9012, deviation=0.0034),
)  # fmt: skip
BARE = FULL.model_copy(
    update={
        "candidate": EVIL, "kind": "linear", "sentences": None, "behaviour_failed": None, "training_seconds": None,
        "cross_validation": None, "reviews_per_second": 50.0,
    }
)  # fmt: skip
RARE = FULL.model_copy(
    update={
        "macro_f1": Interval(value=0.7123, low=0.7, high=0.73),
        "rare_recall": Interval(value=0.5, low=0.4, high=0.6),
    }
)
BOARD = Leaderboard(reviews=3009, sentences="source=rotten_tomatoes", folds=5, rows=(FULL, BARE))
RARE_BOARD = Leaderboard(reviews=3009, sentences=None, folds=0, rows=(RARE,), rare_label="positive")
FOLDS = CrossValidation(
    candidate=EVIL, data_fingerprint="d4ta", seed=7,
    folds=(Fold(reviews=1200, accuracy=0.9, macro_f1=0.8), Fold(reviews=1201, accuracy=0.8, macro_f1=0.6)),
)  # fmt: skip
FIGURES = (
    ("0.931", "0.920-0.940"), ("0.812", "0.790-0.830"), ("3.2%", "of 2,345"), ("0.012", ""), ("98.8", ""), ("12.3", ""),
    ("1,234", ""), ("361.2", ""), ("0.901", "± 0.003"),
)  # fmt: skip
MISSING = (FIGURES[0], ("-", ""), ("-", ""), *FIGURES[3:6], ("50", ""), ("-", ""), ("-", ""))


def table_of(page):
    """The cells of the first table of a page, line by line."""
    body = re.search(r"<tbody>(.*?)</tbody>", page, re.S)[1]
    return [tuple(re.findall(r"<td[^>]*>(.*?)</td>", row)) for row in re.findall(r"<tr>(.*?)</tr>", body)]


@pytest.mark.parametrize("page", [leaderboard_page(BOARD), cross_validation_page(FOLDS)], ids=["leaderboard", "folds"])
def test_no_cell_shows_how_python_writes_a_tuple(page):
    assert not [cell for row in table_of(page) for cell in row if cell.startswith("(")]
    assert "('" not in page and "(&#x27;" not in page


@pytest.mark.parametrize("page", [leaderboard_page(BOARD), cross_validation_page(FOLDS)], ids=["leaderboard", "folds"])
def test_names_are_shown_as_text_and_nothing_is_run_or_loaded(page):
    audit = Audit(page)
    assert audit.refused == []
    assert len(set(audit.ids)) == len(audit.ids)
    assert SHOWN in page
    assert "<script" not in page and len(page.encode()) < 100_000


def test_the_page_has_every_figure_and_a_hyphen_for_a_missing_one():
    page = leaderboard_page(BOARD)
    full, bare = (
        [(value, remark.removesuffix("</small>")) for value, _, remark in (cell.partition("<small>") for cell in row)]
        for row in table_of(page)
    )
    assert full == [("cascade", ""), *FIGURES]
    assert bare[0] == (str(text(EVIL)), "linear")  # the kind, where it has another name
    assert tuple(bare[1:]) == MISSING
    assert page.count("<svg") == 2
    assert "3,009 test reviews" in page and "the slice source=rotten_tomatoes" in page and "5 folds" in page


def test_columns_without_figures_are_not_explained():
    page = leaderboard_page(BOARD.model_copy(update={"sentences": None, "folds": 0}))
    assert "intervals.</p>" in page and "Sentences:" not in page and "Folds:" not in page


def test_where_a_label_is_rare_its_figures_are_shown():
    page, written = leaderboard_page(RARE_BOARD), leaderboard_markdown(RARE_BOARD, "train-1")
    assert Audit(page).refused == []
    (row,) = table_of(page)
    assert row[1:4] == (
        "0.931<small>0.920-0.940</small>",
        "0.712<small>0.700-0.730</small>",
        "0.500<small>0.400-0.600</small>",
    )
    assert len(row) == page.count("<th") - page.count("<thead") == len(HEADERS) + 2
    assert "<h2>Macro-F1</h2>" in page and "sorted by macro-F1" in page and page.count("<svg") == 2
    headers, _, line = (line.split(" | ") for line in written.splitlines() if line.startswith("|"))
    assert (headers[2:4], len(headers)) == (["macro-F1", "recall of positive"], len(HEADERS) + 2)
    assert line[2:4] == ["0.712 (0.700-0.730)", "0.500 (0.400-0.600)"]


def test_where_no_label_is_rare_there_is_no_macro_f1():
    assert "acro-F1" not in leaderboard_page(BOARD) + leaderboard_markdown(BOARD, "train-1")


def test_one_candidate_has_a_page():
    assert leaderboard_page(BOARD.model_copy(update={"rows": (FULL,)})).count("<svg") == 2


def test_the_markdown_is_one_table():
    written = leaderboard_markdown(BOARD, "train-1")
    lines = [line for line in written.splitlines() if line.startswith("|")]
    full, bare = (" | ".join(f"{v} ({r})" if r else v for v, r in row) for row in (FIGURES, MISSING))
    assert lines[0] == f"| {' | '.join(HEADERS)} |"
    assert lines[2] == f"| cascade | {full} |"
    assert lines[3].endswith(f" (linear) | {bare} |")
    assert "<script" not in written and "&lt;script" in lines[3]
    assert "Run `train-1`. Measured on 3,009 test reviews" in written


def test_the_folds_page_has_the_mean_and_the_deviation():
    page = cross_validation_page(FOLDS)
    assert "<b>0.850</b>" in page and "standard deviation 0.0707" in page
    assert "<b>0.700</b>" in page and "standard deviation 0.1414" in page
    assert table_of(page) == [("1", "1,200", "0.9000", "0.8000"), ("2", "1,201", "0.8000", "0.6000")]
    assert "d4ta" in page
