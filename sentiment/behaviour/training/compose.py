"""Builds templates from parts: every part is a list of texts, and a frame says how they stand together.

A frame is a template with places for parts, ``<clause>``. The parts are templates too; see
:mod:`sentiment.behaviour.templates` for their slots.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import product
from random import Random

_PLACE = re.compile(r"<(\w+)>")
_ALTERNATIVES = re.compile(r"(?<=[{\[])([^{}\[\]|]+)\|([^{}\[\]|]+)(?=[}\]])")
_SLOT = re.compile(r"\{([^{}]+)\}")


def combine(*frames: str, limit: int | None = None, **parts: Sequence[str]) -> tuple[str, ...]:
    """Puts every combination of parts into every frame.

    Args:
        frames: The frames.
        limit: The largest number of results for one frame. They are drawn at random, the same ones each time.
        parts: The texts for each place. An empty text leaves its place out.

    Returns:
        The results, each once.
    """
    made: dict[str, None] = {}  # an ordered set
    for frame in frames:
        places = list(dict.fromkeys(_PLACE.findall(frame)))
        choices = list(product(*(parts[place] for place in places)))
        if limit is not None and limit < len(choices):
            choices = Random(frame).sample(choices, limit)
        made.update(dict.fromkeys(_put(frame, dict(zip(places, texts, strict=True))) for texts in choices))
    return tuple(made)


def _put(frame: str, texts: dict[str, str]) -> str:
    """Replaces every place by its text, without the double spaces that an empty text leaves."""
    return " ".join(_PLACE.sub(lambda place: texts[place[1]], frame).split())


def opposite(texts: Sequence[str]) -> tuple[str, ...]:
    """Swaps the sides of all alternatives: praise becomes complaint."""
    return tuple(_ALTERNATIVES.sub(r"\2|\1", text) for text in texts)


def second(texts: Sequence[str]) -> tuple[str, ...]:
    """Numbers the slots of opinions, so that two parts of one sentence may say different words."""
    return tuple(
        _SLOT.sub(lambda slot: "{" + slot[1].replace("|", "2|") + "2}" if "|" in slot[1] else slot[0], text)
        for text in texts
    )
