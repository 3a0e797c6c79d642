"""Which words pushed a score: by occlusion, so for every kind of servable, with nothing but its answers.

Occlusion (Zeiler and Fergus 2014, doi:10.1007/978-3-319-10590-1_53): leave a part out and measure the change.
"""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass

from sentiment.models.classifier import Classifier

MARKUP_OR_WORD = re.compile(r"(?P<markup></?[a-zA-Z][^<>]*>)|[^\s<]+|<[^\s<]*")


@dataclass(frozen=True)
class WordEffect:
    """A word of a text, or a few neighbours in a long one, and its effect on the score.

    Attributes:
        word: As in the text.
        start: Its first character in the text.
        end: The character after its last one.
        effect: How much lower the calibrated log-odds of the positive label are without it; negative where it speaks
            for the negative label.
    """

    word: str
    start: int
    end: int
    effect: float


@dataclass(frozen=True)
class Explanation:
    """A prediction and the words behind it.

    Attributes:
        label: The label.
        score: Its calibrated probability, in [0, 1].
        words: Every word, in the order of the text.
    """

    label: str
    score: float
    words: tuple[WordEffect, ...]


def explain(classifier: Classifier, text: str, *, max_words: int = 64) -> Explanation:
    """Computes the effect of each word of a text on its score.

    Costs at most ``max_words`` + 2 predictions: neighbours in longer texts are left out together. Effects
    are of single parts and do not add up: each of two synonymous words may have none.

    Args:
        classifier: The classifier that scored the text.
        text: The text.
        max_words: Maximum number of parts that are left out in turn, at least 1.
    """
    spans = _grouped(_words(text), max_words)
    without = [f"{text[:start]} {text[end:]}" for start, end in spans]
    (answer,) = classifier.predict([text])
    whole, *rest = classifier.calibrated_logits([text, *without]).tolist()
    words = [
        WordEffect(text[start:end], start, end, whole - part) for (start, end), part in zip(spans, rest, strict=True)
    ]
    return Explanation(answer.label, answer.score, tuple(words))


def _words(text: str) -> list[tuple[int, int]]:
    """Returns start and end of the parts between white space and markup."""
    return [match.span() for match in MARKUP_OR_WORD.finditer(text) if not match["markup"]]


def _grouped(spans: list[tuple[int, int]], most: int) -> list[tuple[int, int]]:
    """Neighbouring spans joined, in groups of like size, so that at most ``most`` are left."""
    groups = min(len(spans), most)
    edges = [len(spans) * i // groups for i in range(groups + 1)] if groups else []
    return [(spans[first][0], spans[last - 1][1]) for first, last in itertools.pairwise(edges)]
