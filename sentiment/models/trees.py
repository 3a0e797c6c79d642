"""The forest's features and its trees, the same in training and in service.

Needs numpy alone, so that a service carries no scikit-learn.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from sentiment.models.features import count_terms

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

HASH_BITS = 22  # 4 million columns: two frequent words hardly ever share one
MIN_PROBABILITY = 0.001  # trees that all agree do not make a label certain
TERM = [("column", "<i4"), ("idf", "<f4")]
NODE = [("feature", "<i4"), ("threshold", "<f4"), ("child", "<i4"), ("positive", "<f4")]


class TermWeights(NamedTuple):
    """The weights of the known terms of some texts.

    Attributes:
        texts: Position of the term's text, shape (weights,), ascending.
        features: Position of the term in the table of terms, shape (weights,).
        weights: Of the term in its text, in (0, 1], shape (weights,), float32.
    """

    texts: NDArray[np.int64]
    features: NDArray[np.int64]
    weights: NDArray[np.float32]


def weigh_terms(texts: Sequence[str], terms: NDArray[np.void], longest: int) -> TermWeights:
    """Computes the TF-IDF of the known terms: 1 + log of the count, times the IDF; a text's vector has the length 1.

    The weights of a text do not depend on the other texts.

    Args:
        texts: At most :data:`sentiment.models.features.MAX_CHUNK_TEXTS` texts.
        terms: Of the type ``TERM``, shape (terms,), ascending by column; at least one.
        longest: Words of the longest term.
    """
    import numpy as np

    found = count_terms(texts, longest, HASH_BITS)
    places = np.searchsorted(terms["column"], found.columns).clip(max=len(terms) - 1)
    known = terms["column"][places] == found.columns
    owners, features = found.texts[known], places[known]
    weights = (1 + np.log(found.counts[known])) * terms["idf"][features]
    lengths = np.sqrt(np.bincount(owners, weights**2, len(texts)))
    return TermWeights(owners, features, (weights / lengths[owners]).astype(np.float32))


def require_whole(nodes: NDArray[np.void], trees: int, features: int) -> None:
    """Checks that every way through the nodes ends at a leaf.

    Args:
        nodes: Of all trees: see :func:`average_leaves`.
        trees: Number of trees.
        features: Number of features.

    Raises:
        ValueError: If a node leads outside the table or back, or asks for an unknown feature.
    """
    import numpy as np

    places, children = np.arange(len(nodes)), nodes["child"]
    inner = children != places
    if not 0 < trees <= len(nodes) or (children < places).any() or (children + inner >= len(nodes)).any():
        raise ValueError("its trees are damaged")
    if (nodes["feature"] < 0).any() or (nodes["feature"] >= features).any():
        raise ValueError("its trees ask for features that it does not have")


def average_leaves(nodes: NDArray[np.void], trees: int, features: NDArray[np.float32]) -> NDArray[np.float64]:
    """Returns the mean over the trees of P(positive) in the leaf that a text falls into, shape (n,), in [0, 1].

    Args:
        nodes: Of the type ``NODE``, shape (nodes,). The roots come first. ``child`` is the node for a feature of at
            most ``threshold``, and the next one is that for a higher feature; a leaf is its own child.
        trees: Number of trees.
        features: Shape (n, features).
    """
    import numpy as np

    owners = np.repeat(np.arange(len(features)), trees)
    reached = np.tile(np.arange(trees), len(features))
    walking = np.arange(len(reached))
    while len(walking):
        at = reached[walking]
        higher = features[owners[walking], nodes["feature"][at]] > nodes["threshold"][at]
        following = nodes["child"][at] + higher
        reached[walking] = following
        walking = walking[following != at]
    return np.asarray(nodes["positive"][reached].reshape(-1, trees).mean(axis=1, dtype=np.float64))


def to_log_odds(positive: NDArray[np.float64]) -> NDArray[np.float64]:
    """Returns the log-odds of probabilities, which are kept ``MIN_PROBABILITY`` away from 0 and 1."""
    import numpy as np

    kept = np.clip(positive, MIN_PROBABILITY, 1 - MIN_PROBABILITY)
    return np.asarray(np.log(kept / (1 - kept)))
