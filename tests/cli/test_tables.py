"""Tables stay readable, whatever the reviews are."""

import io

import pandas as pd
import pytest
from rich.console import Console

from cli.tables import row_counts_table, splits_table
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


def printed(table):
    file = io.StringIO()
    Console(file=file, width=120).print(table)
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


def test_what_became_of_the_rows_is_printed():
    text = printed(row_counts_table(splits_of(3)))
    assert "700" in text
    assert "kept" in text
    assert "empty" not in text  # there were none
