"""Near-copies: texts that share most of their words with an earlier one."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

from sentiment.progress import report
from sentiment.words import signs_in

if TYPE_CHECKING:
    from rensa import RMinHash, RMinHashLSH

_BANDS = 40
_BATCH = 2_000
_ESTIMATE_SLACK = 0.15  # five standard errors of a MinHash estimate over 280 hashes


def near_copies(
    keys: Sequence[str], *, similarity: float, seed: int, groups: Sequence[str] | None = None, task: str = "near-copies"
) -> list[int]:
    """Finds for each text an earlier one that it nearly repeats.

    Candidates come from MinHash with locality-sensitive hashing (Broder 1997, DOI 10.1109/SEQUEN.1997.666900; Leskovec,
    Rajaraman & Ullman 2020, ch. 3) and are verified by the real Jaccard similarity of their sets of words, so nothing
    is reported that is not one; a pair just at the limit is missed with a probability of about 1e-4.

    Args:
        keys: Texts as :func:`sentiment.words.normalise` returns them. The earlier of two copies is the
            original: a copy of a copy counts only if it also resembles an original.
        similarity: Least Jaccard similarity of a near-copy, in [0.5, 1].
        seed: Of the hash functions.
        groups: The group of each text; if given, only copies of a text in another group count, and copies of copies
            count too.
        task: Name of this work in progress reports.

    Returns:
        For each text the position of the text it copies, or -1.
    """
    from rensa import RMinHash, RMinHashLSH

    rows = max(2, min(16, int(math.log(0.2) / math.log(min(similarity, 0.9)))))
    hashes = _BANDS * rows
    index, sketches = RMinHashLSH(similarity, hashes, _BANDS), dict[int, RMinHash]()
    words = lru_cache(maxsize=10_000)(lambda position: frozenset(keys[position].split()))
    found = [-1] * len(keys)
    for start in range(0, len(keys), _BATCH):
        batch = [key.split() for key in keys[start : start + _BATCH]]
        for position, sketch in enumerate(RMinHash.from_token_sets(batch, hashes, seed), start):
            for candidate in _candidates(index, sketch, sketches, similarity):
                if groups is not None and groups[candidate] == groups[position]:
                    continue
                if _are_copies(words(position), words(candidate), similarity):
                    found[position] = candidate
                    break
            if found[position] < 0 or groups is not None:
                index.insert(position, sketch)
                sketches[position] = sketch
        report(task, min(start + _BATCH, len(keys)), len(keys))
    return found


def _candidates(index: RMinHashLSH, sketch: RMinHash, sketches: dict[int, RMinHash], similarity: float) -> list[int]:
    least = similarity - _ESTIMATE_SLACK
    return sorted(c for c in index.query(sketch) if sketch.jaccard(sketches[c]) >= least)


def _are_copies(a: frozenset[str], b: frozenset[str], similarity: float) -> bool:
    """Compares the sets of words by Jaccard similarity; texts with other emoticons or emoji say something else."""
    shared = len(a & b)
    return shared / (len(a) + len(b) - shared) >= similarity and signs_in(a) == signs_in(b)
