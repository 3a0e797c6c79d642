"""Tables stay readable, whatever the reviews are."""

import io
import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from rich.console import Console

from cli.tables import candidates_table, leaderboard_table, row_counts_table, splits_table, versions_table
from sentiment.checks import CheckReport
from sentiment.deployment import Version
from sentiment.evaluation.bootstrap import Interval
from sentiment.evaluation.cross_validation import Spread
from sentiment.evaluation.leaderboard import Leaderboard, LeaderboardRow
from sentiment.evaluation.measure import EvaluationSettings, evaluate
from sentiment.pages.reviews import MAX_SOURCES, counts_table
from sentiment.reviews.table import Reviews, RowCount, Splits


def splits_of(sources):
    names = [f"B{i:05}" for i in range(sources)]
    rows = [(f"text {i}", i % 2, name) for i, name in enumerate([*names, *names[:3] * 5])]
    part = Reviews(pd.DataFrame(rows, columns=["text", "label", "source"]))
    return Splits(
        part,
        part,
        part,
        (RowCount(name="read", rows=700), RowCount(name="empty", rows=0), RowCount(name="kept", rows=9)),
    )


def printed(table, width=120):
    file = io.StringIO()
    Console(file=file, width=width).print(table)
    return file.getvalue()


@pytest.mark.parametrize(("sources", "others"), [(3, None), (600, "594 others")])
def test_of_many_sources_the_largest_are_shown_and_the_rest_is_summed(sources, others):
    text = printed(splits_table(splits_of(sources)))
    assert {"B00000", "B00001", "B00002"} <= set(text.split())
    assert (others in text) if others else ("others" not in text)
    (train,) = [line.split("│")[2:-1] for line in text.splitlines() if "train" in line]
    *counts, whole = (int(cell.replace(",", "")) for cell in train)
    assert sum(counts) == whole == sources + 15
    page = counts_table(splits_of(sources).train.frame)
    assert (f"{sources - MAX_SOURCES} others" in str(page)) == (sources > MAX_SOURCES)


def test_versions_show_who_approved_them_and_which_wait():
    version = Version("1", "", "linear", "f" * 64, promoted=False, reason="keeps every rule", replaced="")
    known = [
        replace(version, approval="approved", approved_by="Ann", approval_reason="tried it"),
        replace(version, approval="pending", waiting=True),
        replace(version, approval="rejected", approval_reason="too slow"),
        replace(version, approval="pending"),  # another version is champion now
    ]
    lines = [" ".join(line.split()) for line in printed(versions_table(known), 200).splitlines()[3:-1]]
    overtaken, rejected, waiting, approved = lines
    assert "not promoted" in overtaken
    assert "rejected" in rejected and "keeps every rule; rejected: too slow" in rejected
    assert "waits for approval" in waiting
    assert "keeps every rule; approved by Ann: tried it" in approved


def test_what_became_of_the_rows_is_printed():
    text = printed(row_counts_table(splits_of(3)))
    assert "700" in text
    assert "kept" in text
    assert "empty" not in text  # there were none


def test_the_leaderboard_shows_every_figure_and_a_hyphen_for_a_missing_one():
    full = LeaderboardRow(
        candidate="linear", kind="linear", accuracy=Interval(value=0.9312, low=0.92, high=0.94),
        sentences=Interval(value=0.8123, low=0.79, high=0.83), behaviour_failed=0.0316, behaviour_cases=2345,
        ece=Interval(value=0.0123, low=0.01, high=0.02), size_mb=98.76, p95_ms=12.34, reviews_per_second=1234.4,
        training_seconds=361.24, cross_validation=Spread(mean=0.9012, deviation=0.0034),
    )  # fmt: skip
    missing = dict.fromkeys(("sentences", "behaviour_failed", "training_seconds", "cross_validation"))
    bare = full.model_copy(update={"candidate": "large_transformer", "kind": "transformer", **missing})
    text = printed(leaderboard_table(Leaderboard(reviews=3009, sentences="length=short", folds=5, rows=(full, bare))))
    lines = [[cell.strip() for cell in line.split("│")[1:-1]] for line in text.splitlines() if "│" in line]
    figures, remarks, figures_of_bare, remarks_of_bare = lines
    assert figures == ["linear", "0.931", "0.812", "3.2%", "0.012", "98.8", "12.3", "1,234", "361.2", "0.901"]
    assert remarks == ["", "0.920-0.940", "0.790-0.830", "of 2,345", "", "", "", "", "", "± 0.003"]
    assert figures_of_bare == ["large_transformer", "0.931", "-", "-", *figures[4:8], "-", "-"]
    assert remarks_of_bare == ["transformer", "0.920-0.940", *[""] * 8]
    words = " ".join(text.split())
    assert "Leaderboard on 3,009 test reviews" in words and "the slice length=short" in words and "5 folds" in words
    assert "macro-F1" not in words
    seldom = {"macro_f1": Interval(value=0.7, low=0.6, high=0.8), "rare_recall": Interval(value=0.4, low=0.3, high=0.5)}
    rare = Leaderboard(
        reviews=9, sentences=None, folds=0, rows=(full.model_copy(update=seldom),), rare_label="negative"
    )
    words = " ".join(printed(leaderboard_table(rare)).split())
    assert "sorted by macro-F1" in words and "│ 0.931 │ 0.700 │ 0.400 │" in re.sub(r" +│", " │", words)


@pytest.mark.parametrize(("positives", "shown"), [(2, True), (20, False)])
def test_the_recall_of_the_rare_label_is_shown_where_there_is_one(positives, shown):
    rows = [(f"opinion {n}", int(n < positives), "films") for n in range(40)]
    evaluation = evaluate(
        lambda texts: np.array([0.9 if text in ("opinion 0", "opinion 7") else 0.1 for text in texts]),
        Reviews(pd.DataFrame(rows, columns=["text", "label", "source"])),
        candidate="linear", engine="numpy", servable_fingerprint="", size_mb=1, seed=0,
        settings=EvaluationSettings(resamples=100, latency_sample=1),
    )  # fmt: skip
    text = printed(candidates_table({"linear": evaluation}, {"linear": CheckReport(suite="behaviour", checks=())}))
    assert ("recall" in text and "0.500" in text) is shown
