"""Which rows make a batch: the order of training, padding, stratified samples."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from sentiment.reviews.table import Reviews

if TYPE_CHECKING:
    from numpy.typing import NDArray

FEWEST = 2  # rows of a stratum in a sample: with fewer, rounding would lose whole sources
WINDOW = 50  # batches among which lengths are grouped: wide enough to pad little, narrow enough to stay random


def training_order(
    lengths: Sequence[int],
    short: Sequence[bool],
    *,
    epochs: float,
    short_epochs: float,
    long_rows: int | None,
    batch_size: int,
    seed: int,
) -> NDArray[np.int64]:
    """Row numbers in the order in which a whole run sees them, consecutive batches being of similar length.

    The run is laid out at once, so a resumed run meets the very rows that the interrupted one would have met. Short
    rows cost little and are seen more often; long rows are drawn without replacement, so every pass sees new ones
    until all were seen.

    Args:
        lengths: Tokens of every row.
        short: Whether a row counts as short.
        epochs: Passes over the rows.
        short_epochs: How often a pass sees every short row.
        long_rows: How many long rows a pass sees; all of them if None.
        batch_size: Rows a batch.
        seed: Seeds every draw.

    Returns:
        Row numbers; ``order[i * batch_size : (i + 1) * batch_size]`` is batch ``i``, only the last may be smaller.
    """
    random = np.random.default_rng(seed)
    kinds = [np.flatnonzero(np.asarray(short)), np.flatnonzero(~np.asarray(short, dtype=bool))]
    most_long = len(kinds[1]) if long_rows is None else min(long_rows, len(kinds[1]))
    counts = [round(epochs * short_epochs * len(kinds[0])), round(epochs * most_long)]
    rounds = max(math.ceil(count / len(rows)) if count else 1 for rows, count in zip(kinds, counts, strict=True))
    streams = [np.array_split(_draw(rows, count, random), rounds) for rows, count in zip(kinds, counts, strict=True)]
    order, rest = [], np.empty(0, dtype=np.int64)
    for parts in zip(*streams, strict=True):
        rows = np.concatenate([rest, random.permutation(np.concatenate(parts))])
        full = len(rows) // batch_size * batch_size
        order.append(_group_lengths(rows[:full], np.asarray(lengths), batch_size, random))
        rest = rows[full:]  # opens the next round: no batch but the last is small
    return np.concatenate([*order, rest])


def _draw(rows: NDArray[np.int64], count: int, random: np.random.Generator) -> NDArray[np.int64]:
    """``count`` of ``rows``: shuffled pass after shuffled pass, so none is seen twice before all were seen once."""
    if not count:
        return rows[:0]
    return np.concatenate([random.permutation(rows) for _ in range(math.ceil(count / len(rows)))])[:count]


def _group_lengths(
    order: NDArray[np.int64], lengths: NDArray[np.int64], batch_size: int, random: np.random.Generator
) -> NDArray[np.int64]:
    """Full batches of similar length, in random order; ``order`` is a whole number of batches long."""
    batches = []
    for start in range(0, len(order), WINDOW * batch_size):
        window = order[start : start + WINDOW * batch_size]
        window = window[np.argsort(-lengths[window], kind="stable")].reshape(-1, batch_size)
        batches.append(random.permutation(window).ravel())
    return np.concatenate([order[:0], *batches])


def pad(rows: Sequence[Sequence[int]], pad_id: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Token ids padded to the longest row, and the mask that is 1 on tokens; both (rows, longest)."""
    ids = np.full((len(rows), max(map(len, rows))), pad_id, dtype=np.int64)
    mask = np.zeros_like(ids)
    for i, row in enumerate(rows):
        ids[i, : len(row)] = row
        mask[i, : len(row)] = 1
    return ids, mask


def stratified(reviews: Reviews, rows: int | None, *, seed: int) -> Reviews:
    """About ``rows`` reviews (all if None or fewer) with the shares of labels and of the larger sources kept."""
    if rows is None or rows >= len(reviews):
        return reviews
    frame, share = reviews.frame, rows / len(reviews)
    large = share * frame.groupby(["source", "label"])["text"].transform("size") >= FEWEST
    strata = frame.groupby([frame["source"].where(large, ""), frame["label"]], sort=True)  # small ones share a stratum
    sample = strata.sample(frac=share, random_state=seed)
    return Reviews(sample.reset_index(drop=True))
