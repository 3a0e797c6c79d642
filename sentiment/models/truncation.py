"""Texts to token ids of a bounded length: defined once, used by training, export and serving alike."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tokenizers import Tokenizer

CHUNK = 1000  # texts tokenised at once: bounds the memory that the tokenizer's offsets take


def truncate(ids: Sequence[int], max_length: int, head_share: float = 1 / 3, *, cls_id: int, sep_id: int) -> list[int]:
    """Frames token ids and, if they are too many, keeps the start and the end.

    Reviews open with their subject and close with the verdict; the middle retells the plot (head+tail
    truncation: Sun et al. 2019, "How to Fine-Tune BERT for Text Classification?", doi:10.1007/978-3-030-32381-3_16).

    Args:
        ids: Token ids of a text without special tokens.
        max_length: Maximum tokens of the result, both special tokens included; at least 3.
        head_share: Share in [0, 1] of the kept content tokens that is taken from the start; the rest is from the end.
        cls_id: Id of the token that opens a text.
        sep_id: Id of the token that closes a text.

    Returns:
        ``[cls_id, ..., sep_id]``, at most ``max_length`` long.
    """
    room = max_length - 2
    if len(ids) > room:
        head = int(room * head_share)
        ids = [*ids[:head], *ids[len(ids) - (room - head) :]]
    return [cls_id, *ids, sep_id]


def encode(
    tokenizer: Tokenizer, texts: Sequence[str], max_length: int, head_share: float, *, cls_id: int, sep_id: int
) -> list[list[int]]:
    """Token ids of every text, truncated by :func:`truncate`; ``tokenizer`` must not truncate or pad by itself."""
    return [
        truncate(encoding.ids, max_length, head_share, cls_id=cls_id, sep_id=sep_id)
        for start in range(0, len(texts), CHUNK)
        for encoding in tokenizer.encode_batch_fast(list(texts[start : start + CHUNK]), add_special_tokens=False)
    ]
