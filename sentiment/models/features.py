"""The linear model's features: counts of hashed words and word sequences, the same in training and in service.

A word's hash is a polynomial of its bytes, and a sequence's hash one of its words' hashes, modulo 2**64 (Karp and Rabin
1987, doi:10.1147/rd.312.0249). So every word is read once, whatever the number of sequences it is in, and numpy does
the work for all texts at once. A finaliser (splitmix64: Steele et al. 2014, doi:10.1145/2660193.2660195) spreads the
hashes over the columns.

Needs numpy alone, so that a service carries no scikit-learn.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from sentiment.words import separate_words

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Hashes = NDArray[np.uint64]

MAX_CHUNK_TEXTS = 64
MAX_CHUNK_CHARACTERS = 1 << 16  # a chunk may exceed it by its last text: its arrays stay in the processor's cache
BASE = 0x9E3779B97F4A7C15
SPACE = ord(" ")


class TermCounts(NamedTuple):
    """The distinct terms of some texts.

    Attributes:
        texts: Position of the term's text, shape (terms,), ascending.
        columns: Column of the term in [0, 2**bits), shape (terms,).
        counts: How often the text has it, at least 1, shape (terms,).
    """

    texts: NDArray[np.int64]
    columns: NDArray[np.int64]
    counts: NDArray[np.int64]


def chunks(texts: Sequence[str]) -> Iterator[Sequence[str]]:
    """Cuts texts into parts small enough for ``count_terms``, in order."""
    start = characters = 0
    for end, text in enumerate(texts, 1):
        characters += len(text)
        if end - start == MAX_CHUNK_TEXTS or characters >= MAX_CHUNK_CHARACTERS:
            yield texts[start:end]
            start, characters = end, 0
    if start < len(texts):
        yield texts[start:]


def count_terms(texts: Sequence[str], longest: int, bits: int) -> TermCounts:
    """Counts every sequence of 1 to ``longest`` words of each text; terms of the same column count as one.

    The terms of a text do not depend on the other texts.

    Args:
        texts: At most ``MAX_CHUNK_TEXTS`` texts.
        longest: Words of the longest sequence.
        bits: There are 2**bits columns, at most 2**24.
    """
    import numpy as np

    words, owners = _hash_words(texts)
    of_text = owners << bits  # text and column in one number of 32 bits: quick to sort
    keys, sequences = [], words
    for n in range(longest):
        if n:
            sequences = sequences[:-1] * np.uint64(BASE) + words[n:]
        columns = (_mix(sequences) & np.uint64(2**bits - 1)).astype(np.uint32)
        within = owners[n:] == owners[: len(owners) - n]  # no sequence of words spans two texts
        keys.append((of_text[n:] | columns)[within])
    found = np.sort(np.concatenate(keys))
    first = np.flatnonzero(np.concatenate([found[:1] >= 0, found[1:] != found[:-1]]))
    distinct = found[first].astype(np.int64)
    return TermCounts(distinct >> bits, distinct & (2**bits - 1), np.diff(first, append=len(found)))


def _hash_words(texts: Sequence[str]) -> tuple[Hashes, NDArray[np.uint32]]:
    """Hashes every word of the texts in order; returns the hashes and the position of each word's text."""
    import numpy as np

    encoded = [separate_words(text).encode("utf-8", "surrogatepass") for text in texts]
    read = np.frombuffer(b" " + b" ".join(encoded) + b" ", np.uint8)
    edges = np.flatnonzero(np.diff(read != SPACE)) + 1
    starts, ends = edges[::2], edges[1::2]
    powers, inverses = _powers(max(16, len(read).bit_length()))
    sums = np.cumsum(_byte_values()[read] * powers[: len(read)])  # the polynomial of all bytes up to each one
    words = (sums[ends - 1] - sums[starts - 1]) * inverses[starts]
    text_ends = np.cumsum([len(part) + 1 for part in encoded])
    return words, np.searchsorted(text_ends, starts, side="left").astype(np.uint32)


def _mix(hashes: Hashes) -> Hashes:
    import numpy as np

    mixed = (hashes ^ (hashes >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray(mixed ^ (mixed >> np.uint64(31)))


@lru_cache(1)
def _byte_values() -> Hashes:
    """A number for each byte, the same on every machine."""
    import numpy as np

    return _mix(np.arange(1, 257, dtype=np.uint64) * np.uint64(BASE))


@lru_cache(4)
def _powers(bits: int) -> tuple[Hashes, Hashes]:
    """The first 2**bits powers of ``BASE`` and of its inverse, modulo 2**64."""
    import numpy as np

    def powers(base: int) -> Hashes:
        found = np.full(2**bits, base, dtype=np.uint64)
        found[0] = 1
        return np.multiply.accumulate(found)

    return powers(BASE), powers(pow(BASE, -1, 2**64))
