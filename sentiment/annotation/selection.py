"""Selects the live texts whose labels are worth most, and a random share that measures how good the model is.

Uncertainty sampling (Lewis and Gale 1994, arXiv cmp-lg/9407020) finds what the model does not know yet, confident
disagreement with the given label (Northcutt et al. 2021, "Confident Learning", doi:10.1613/jair.1.12125) what is wrong
in model or label, and distance from the reference (a nearest-neighbour novelty score, Knox and Ng 1998) what is new.
All three are biased on purpose, so accuracy may be computed from the random share only.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from sentiment.annotation.items import Item
from sentiment.monitoring.drift import vectors
from sentiment.reviews.cleaning import clean
from sentiment.reviews.near_copies import near_copies
from sentiment.reviews.table import LABELS
from sentiment.words import normalise

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sentiment.monitoring.drift import Vectors
    from sentiment.monitoring.reference import Reference
    from sentiment.monitoring.window import Window

RANDOM = "random"
SHARES = {"suspicious": 0.25, "unsure": 0.25, "drifted": 0.25}  # of a batch, at most; the rest of it is random
SIMILARITY = 0.8  # Jaccard, of near copies
MAX_DISTANCE = 0.1  # of P(positive) from the threshold, in unsure answers that do not abstain
NOVELTY_QUANTILE = 0.99  # of the reference's own novelty: a text beyond it has drifted
POOL = 4  # candidates for a place, among which the batch is spread
SLOTS = 24  # equal parts of the window that take turns
_ROWS = 1000  # compared with the reference at once


@dataclass(frozen=True)
class Selection:
    """A batch of texts.

    Attributes:
        items: In random order, so that annotators may stop at any point.
        texts: Distinct texts to choose from.
        exported: Predictions that were left out because their text, or a near copy, is in an earlier batch.
    """

    items: tuple[Item, ...]
    texts: int
    exported: int

    @property
    def reasons(self) -> dict[str, int]:
        """How many texts each reason selected; a text may have two."""
        return dict(Counter(reason for item in self.items for reason in item.reason.split(" and ")).most_common())


def select_items(
    window: Window, reference: Reference | None, *, count: int, sure: float, exported: Collection[str], seed: int
) -> Selection:
    """Selects texts of a window that were logged with consent; records without a text are never selected.

    Args:
        window: With its feedback.
        reference: Of the same version; None: no text counts as drifted.
        count: Size of the batch, if there are enough texts.
        sure: Score in [0.5, 1] of an answer that feedback makes suspicious by contradicting it.
        exported: Fingerprints of the texts in earlier batches, see :func:`fingerprint`.
        seed: Of the random share, of ties and of the order.
    """
    rng = np.random.default_rng(seed)
    distinct, left_out = _distinct(own_predictions(window), exported, seed)
    rows = distinct.iloc[rng.permutation(len(distinct))].reset_index(drop=True)
    ranked = {
        "suspicious": _rank_suspicious(rows, sure),
        "unsure": _rank_unsure(rows),
        "drifted": _rank_drifted(rows, reference),
    }
    reasons = dict[int, list[str]]()
    for reason, share in SHARES.items():
        free = [row for row in ranked[reason] if row not in reasons]
        for row in _spread(rows.iloc[free], window, int(share * count)):
            reasons[row] = [reason]
    for row in np.flatnonzero(rows["sampled"]).tolist():  # uniform: rows are shuffled, and no other reason counts
        if len(reasons) == count:
            break
        reasons.setdefault(row, []).append(RANDOM)
    chosen = rng.permutation(np.array(sorted(reasons), dtype=np.int64)).tolist()
    items = tuple(
        Item(r.id, r.text, r.label, r.score, r.model_version, " and ".join(reasons[row]))
        for row, r in zip(chosen, rows.iloc[chosen].itertuples(), strict=True)
    )
    return Selection(items, len(rows), left_out)


def own_predictions(window: Window) -> pd.DataFrame:
    """Returns the predictions of the window's version and time; a window also holds others that have a label."""
    rows, facts = window.predictions, window.facts
    return rows[rows["model_version"].eq(facts.model_version) & rows["time"].between(facts.start, facts.end, "left")]


def fingerprint(text: str) -> str:
    """Returns SHA-256 (hex) of the words and signs of a text, equal for texts that differ in case and punctuation."""
    return _digest(_key(text))


def _key(text: str) -> str:
    return normalise(clean(text))


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()


def _distinct(predictions: pd.DataFrame, exported: Collection[str], seed: int) -> tuple[pd.DataFrame, int]:
    """Returns one row for each text that was not exported, if possible one with feedback; and how many were."""
    rows = predictions[predictions["text"].notna()]
    rows = rows.assign(key=rows["text"].map(_key), unlabelled=rows["feedback"].isna())
    rows = rows[rows["key"] != ""]
    rows = rows.assign(exported=rows["key"].map(_digest).isin(exported))
    rows = rows.sort_values(["exported", "unlabelled", "time"], ascending=[False, True, True], ignore_index=True)
    originals = near_copies(rows["key"].tolist(), similarity=SIMILARITY, seed=seed)
    before = set(np.flatnonzero(rows["exported"]).tolist())
    left_out = [row in before or original in before for row, original in enumerate(originals)]
    first = [original < 0 and not out for original, out in zip(originals, left_out, strict=True)]
    return rows[np.array(first, dtype=bool)], sum(left_out)


def _rank_suspicious(rows: pd.DataFrame, sure: float) -> list[int]:
    """Ranks answers whose feedback contradicts itself or a sure answer, the surest first."""
    contradicted = rows["feedback"].notna() & (rows["feedback"] != rows["label"]) & (rows["score"] >= sure)
    return _ranked(-rows["score"].to_numpy(), (contradicted | rows["contested"]).to_numpy(bool))


def _rank_unsure(rows: pd.DataFrame) -> list[int]:
    """Ranks answers that abstain or are near the threshold, the nearest first; the log itself shows the threshold."""
    positive, says_positive = rows["positive"], rows["label"].eq(LABELS[1])
    threshold = (positive[~says_positive].max() + positive[says_positive].min()) / 2
    distance = (positive - (0.5 if np.isnan(threshold) else threshold)).abs().to_numpy()
    return _ranked(distance, rows["abstained"].to_numpy(bool) | (distance < MAX_DISTANCE))


def _rank_drifted(rows: pd.DataFrame, reference: Reference | None) -> list[int]:
    """Ranks texts whose words are farther from every reference review than those usually are, the farthest first."""
    if reference is None or rows.empty:
        return []
    usual = vectors(reference.predictions)
    novelty = _novelty(vectors(rows), usual)
    limit = np.quantile(_novelty(usual, usual, nearest=1), NOVELTY_QUANTILE)
    return _ranked(-novelty, novelty > limit)


def _novelty(ours: Vectors, theirs: Vectors, *, nearest: int = 0) -> NDArray[np.float32]:
    """Returns one less the cosine similarity of each of n vectors to its nearest one, or the next, shape (n,)."""
    parts = [ours[start : start + _ROWS] @ theirs.T for start in range(0, len(ours), _ROWS)]
    return np.concatenate([1 - np.partition(part, -1 - nearest, axis=1)[:, -1 - nearest] for part in parts])


def _ranked(cost: NDArray[np.floating], candidates: NDArray[np.bool_]) -> list[int]:
    """Returns the positions of the candidates, the cheapest first."""
    found = np.flatnonzero(candidates)
    order: list[int] = found[np.argsort(cost[found], kind="stable")].tolist()
    return order


def _spread(ranked: pd.DataFrame, window: Window, places: int) -> list[int]:
    """Spreads the places over sources and time: each takes its turn with its best text.

    A source is the client that sent feedback; where there is none, the request: the log does not name its client.
    """
    pool = ranked.iloc[: POOL * places]
    source = pool["client"].fillna(pool["request"])
    start, end = window.facts.start, window.facts.end
    slot = ((pool["time"] - start) / (end - start) * SLOTS).clip(0, SLOTS - 1).astype("int64")
    turns = (pool.groupby(slot.to_numpy()).cumcount(), pool.groupby(source.to_numpy()).cumcount())
    return [int(row) for row in pool.index[np.lexsort(turns)][:places]]
