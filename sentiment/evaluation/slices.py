"""Slices: the parts of a test set in which a classifier may fail although the average is good."""

from __future__ import annotations

import re
from collections.abc import Iterator
from hashlib import sha1
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

    from sentiment.evaluation.bootstrap import Floats
    from sentiment.reviews.table import Reviews

SLICE_COLUMNS = ("source", "length", "negation")
_ORDER = ("short", "medium", "long", "present", "absent")
_NEGATION = re.compile(
    r"\b(?:not?|never|none|nobody|nothing|nowhere|neither|nor|cannot|without|hardly|barely|scarcely)\b|n['\u2019]t\b",
    re.IGNORECASE,
)


def prediction_table(reviews: Reviews, p_positive: Floats, *, short_words: int, long_words: int) -> pd.DataFrame:
    """One row a review: ``text_key``, ``label``, ``p_positive`` and the slice columns; no text.

    Args:
        reviews: n reviews; their order is kept.
        p_positive: Shape (n,).
        short_words: Most words of a review in ``length=short``.
        long_words: Reviews of more words are in ``length=long``.
    """
    import pandas as pd

    texts = [str(text) for text in reviews.frame["text"]]
    words = np.array([len(text.split()) for text in texts])
    return pd.DataFrame(
        {
            "text_key": [text_key(text) for text in texts],
            "label": reviews.frame["label"].to_numpy(dtype=np.int64),
            "p_positive": p_positive,
            "source": reviews.frame["source"].astype(str).to_numpy(),
            "length": np.where(words <= short_words, "short", np.where(words > long_words, "long", "medium")),
            "negation": np.where([bool(_NEGATION.search(text)) for text in texts], "present", "absent"),
        }
    )


def text_key(text: str) -> str:
    """SHA-1 (hex) of a text: names a review without repeating it."""
    return sha1(text.encode("utf-8", "surrogatepass"), usedforsecurity=False).hexdigest()


def slice_masks(predictions: pd.DataFrame) -> Iterator[tuple[str, np.ndarray]]:
    """Every slice that occurs, such as ``source=imdb``, with a boolean mask of its rows, shape (n,)."""
    for column in SLICE_COLUMNS:
        found = sorted(predictions[column].unique(), key=lambda v: (_ORDER.index(v) if v in _ORDER else -1, v))
        for value in found:
            yield f"{column}={value}", (predictions[column] == value).to_numpy()
