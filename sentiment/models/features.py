"""The linear model's features: hashed words and word sequences, the same in training and in service.

Needs numpy and mmh3 alone, so that a service carries no scikit-learn.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sentiment.words import find_words

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def terms(text: str, longest: int) -> list[str]:
    """Every sequence of 1 to ``longest`` words of a text, in lower case; those that occur twice, twice."""
    words = find_words(text)
    found = list(words)
    for n in range(2, longest + 1):
        found += map(" ".join, zip(*(words[i:] for i in range(n)), strict=False))
    return found


def columns(found: list[str], size: int) -> NDArray[np.int64]:
    """The column of every term, shape (terms,): MurmurHash3, as scikit-learn's HashingVectorizer takes it.

    Args:
        found: The terms.
        size: How many columns there are.
    """
    import numpy as np
    from mmh3 import hash as murmur

    hashes = np.fromiter(map(murmur, found), dtype=np.int64, count=len(found))
    return np.abs(hashes) % size
