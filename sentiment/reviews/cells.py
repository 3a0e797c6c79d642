"""Cells of any table, as text and as labels: one place decides what is missing, what is usable, and what is refused."""

from __future__ import annotations

import decimal
import numbers
from typing import Any


class UnusableCellError(ValueError):
    """The cell holds something that is neither a text nor a label; the message says what."""


def is_missing(cell: Any) -> bool:  # noqa: ANN401 - any cell
    """Whether a cell is a null of any library: None, NaN, NaT, pandas' NA."""
    import pandas as pd

    return cell is None or (pd.api.types.is_scalar(cell) and pd.isna(cell) is True)


def as_text(cell: object) -> str | None:
    """Returns the text of a cell, or None if it is missing.

    Raises:
        UnusableCellError: If it holds anything but text.
    """
    if isinstance(cell, str):
        return str(cell)
    if is_missing(cell):
        return None
    raise UnusableCellError(_describe(cell))


def as_name(cell: object) -> str | None:
    """Returns the name of a collection, or None if it is missing.

    Raises:
        UnusableCellError: If it holds no single value.
    """
    if is_missing(cell):
        return None
    if isinstance(cell, str | numbers.Number) or _is_plain(cell):
        return str(cell)
    raise UnusableCellError(_describe(cell))


def as_label(cell: object) -> str:
    """Returns a label as a mapping of labels spells it: ``" Pos"`` -> ``"pos"``, ``1.0`` -> ``"1"``, a null -> ``""``.

    Raises:
        UnusableCellError: If it holds no single value: a list, bytes, a record.
    """
    if isinstance(cell, str):
        text = cell.strip().casefold()
    elif is_missing(cell):
        return ""
    elif isinstance(cell, decimal.Decimal):
        text = format(cell.normalize(), "f")  # NUMERIC(3, 2) holds 4 as 4.00
    elif isinstance(cell, numbers.Number) or _is_plain(cell):
        text = str(cell).strip().casefold()
    else:
        raise UnusableCellError(_describe(cell))
    return text[:-2] if text.endswith(".0") and text[:-2].lstrip("+-").isdigit() else text


def _is_plain(cell: object) -> bool:
    """Whether a cell is one value that prints as a label does: a boolean, a date, a member of an enumeration."""
    import datetime
    import enum

    import numpy as np

    return isinstance(cell, np.bool_ | datetime.date | datetime.time | enum.Enum)


def _describe(cell: object) -> str:
    return f"{type(cell).__name__} values such as {' '.join(repr(cell).split()):.40}"
