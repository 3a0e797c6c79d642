"""Reviews and Splits: the two tables from which everything else is computed."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import pandas as pd  # at run time: pydantic and ZenML read this annotation
from pydantic import BaseModel, ConfigDict

NEGATIVE, POSITIVE = 0, 1
LABELS = ("negative", "positive")
COLUMNS = ("text", "label", "source")


MAX_EXAMPLES = 3  # of one row count


class RowCount(BaseModel):
    """The number of rows that were read, dropped for one reason, or kept.

    Attributes:
        name: What became of them, such as ``empty``.
        rows: How many they are.
        examples: Up to :data:`MAX_EXAMPLES` of their texts.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    rows: int
    examples: tuple[str, ...] = ()

    @staticmethod
    def of(name: str, texts: pd.Series) -> RowCount:
        """Counts the texts and takes the first as examples."""
        shown = texts.head(MAX_EXAMPLES).fillna("").astype(str)
        return RowCount(name=name, rows=len(texts), examples=tuple(text for text in shown if text))


@dataclass(frozen=True)
class Reviews:
    """Labelled reviews.

    Attributes:
        frame: One row a review; columns ``text`` (str), ``label`` (int64: 0 negative, 1 positive) and ``source``
            (str: which collection it is from, the name that slices and the training mixture use). Raw reviews (before
            cleaning) may hold nulls: the data gate checks them.
        row_counts: What became of the rows of the source before these; empty if that is not known.
    """

    frame: pd.DataFrame
    row_counts: tuple[RowCount, ...] = ()

    def __len__(self) -> int:
        return len(self.frame)

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 (hex) over texts, labels and sources in row order."""
        digest = hashlib.sha256()
        for column in COLUMNS:
            digest.update(column.encode())
            digest.update("\x1e".join(map(str, self.frame[column])).encode("utf-8", "surrogatepass"))
        return digest.hexdigest()


SplitName = Literal["train", "validation", "test"]
SPLITS: tuple[SplitName, ...] = ("train", "validation", "test")


@dataclass(frozen=True)
class Splits:
    """Cleaned, deduplicated reviews in three disjoint parts: no text and no near-copy of it is in two of them.

    Attributes:
        train: To learn from.
        validation: To make choices on.
        test: To measure with.
        row_counts: What became of every row of the source; empty if that is not known.
    """

    train: Reviews
    validation: Reviews
    test: Reviews
    row_counts: tuple[RowCount, ...] = ()

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 (hex) over the three parts."""
        return hashlib.sha256("".join(getattr(self, s).fingerprint for s in SPLITS).encode()).hexdigest()
