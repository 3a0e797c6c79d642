import datetime
import decimal

import numpy as np
import pandas as pd
import pytest

from sentiment.reviews.cells import UnusableCellError, as_label, as_name, as_text

NULLS = [None, float("nan"), np.float32("nan"), pd.NA, pd.NaT, decimal.Decimal("NaN"), np.datetime64("NaT")]
MANY = [[1], (1,), {"a": 1}, {1}, np.array([1, 2]), np.array([]), b"bytes", memoryview(b"x"), pd.Series([1])]


@pytest.mark.parametrize("cell", NULLS, ids=repr)
def test_every_null_is_missing(cell):
    assert (as_text(cell), as_label(cell), as_name(cell)) == (None, "", None)


@pytest.mark.parametrize("read", [as_text, as_label, as_name])
@pytest.mark.parametrize("cell", MANY, ids=lambda cell: type(cell).__name__)
def test_what_is_not_one_value_is_refused(read, cell):
    with pytest.raises(UnusableCellError, match=f"{type(cell).__name__} values such as"):
        read(cell)


@pytest.mark.parametrize(
    ("cell", "label"),
    [
        (" Pos", "pos"), (1, "1"), (-1.0, "-1"), ("4.5", "4.5"), ("1.0", "1"), (True, "true"),
        (np.bool_(False), "false"), (np.int64(3), "3"), (np.float32(2), "2"), (decimal.Decimal("1.0"), "1"),
        (decimal.Decimal("4.00"), "4"), (decimal.Decimal("4.50"), "4.5"), (decimal.Decimal("1E+1"), "10"),
        (datetime.date(2026, 1, 2), "2026-01-02"),
    ],
)  # fmt: skip
def test_labels_are_spelt_one_way(cell, label):
    assert as_label(cell) == label


@pytest.mark.parametrize("cell", [1, 2.5, True, datetime.date(2026, 1, 2)])
def test_only_a_text_is_a_text(cell):
    with pytest.raises(UnusableCellError):
        as_text(cell)
    assert as_name(cell) == str(cell)
