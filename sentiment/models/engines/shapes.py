"""The shapes of batches: few enough to be compiled in advance, and wasting little on padding.

A runtime that compiles a kernel for each shape would need one for every length and number of texts. Here lengths are
rounded up, and a batch has a power of two of texts: a group of 13 texts becomes 8 + 4 + 1.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

MAX_BATCH_TEXTS = 16
MAX_BATCH_TOKENS = 640  # padding included; larger batches are no faster, and take longer to compile
STEPS = ((64, 8), (256, 16), (1024, 64), (1 << 30, 256))  # up to this length, round up to a multiple of this


def padded(length: int) -> int:
    """Returns the length that a text of ``length`` tokens is padded to."""
    step = next(step for longest, step in STEPS if length <= longest)
    return -(-length // step) * step


def batches(lengths: Sequence[int], max_padding: int) -> Iterator[tuple[list[int], int]]:
    """Groups texts of about the same length.

    Args:
        lengths: Tokens of every text, each at least 1.
        max_padding: Tokens by which the texts of a batch may differ in padded length. A batch reads the weights once
            for all of its texts; beyond this difference, padding takes longer than reading them again.

    Yields:
        Positions of the texts of a batch, and their padded length. Each text is in one batch.
    """
    order = sorted(range(len(lengths)), key=lengths.__getitem__, reverse=True)
    start = 0
    while start < len(order):
        width = padded(lengths[order[start]])  # of the longest text that is left: the others of the batch follow it
        near = order[start : start + largest_batch(width)]
        fitting = sum(width - padded(lengths[row]) <= max_padding for row in near)
        size = 1 << (fitting.bit_length() - 1)
        yield order[start : start + size], width
        start += size


def largest_batch(width: int) -> int:
    """Returns the maximum number of texts of a padded length: a power of two."""
    allowed = max(1, min(MAX_BATCH_TEXTS, MAX_BATCH_TOKENS // width))
    return 1 << (allowed.bit_length() - 1)


def shapes(max_length: int) -> Iterator[tuple[int, int]]:
    """Lists every shape that ``batches`` makes of texts of at most ``max_length`` tokens: texts, and padded length."""
    width = 0
    while width < max_length:
        width = padded(width + 1)
        texts = 1
        while texts <= largest_batch(width):
            yield texts, width
            texts *= 2
