"""Which words pushed a score: by occlusion, so for every kind of servable, with nothing but its answers.

Occlusion (Zeiler and Fergus 2014, doi:10.1007/978-3-319-10590-1_53): leave a part out and see what changes.
"""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass

from sentiment.models.classifier import Classifier

MARKUP_OR_WORD = re.compile(r"(?P<markup></?[a-zA-Z][^<>]*>)|[^\s<]+|<[^\s<]*")


@dataclass(frozen=True)
class WordEffect:
    """A word of a text, or a few neighbours in a long one, and what it did to the score.

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
    """An answer and what it rests on.

    Attributes:
        label: The more probable label.
        score: Its calibrated probability, in [0.5, 1].
        words: Every word, in the order of the text.
    """

    label: str
    score: float
    words: tuple[WordEffect, ...]


def explain(classifier: Classifier, text: str, *, most_words: int = 64) -> Explanation:
    """Says which words pushed the score of a text, and how far.

    Costs as much as ``most_words`` + 2 predictions at most: neighbours in longer texts are left out together. Effects
    are of single parts and do not add up: of two words that say the same, each may have none.

    Args:
        classifier: What scored the text.
        text: The text.
        most_words: Parts that are left out in turn, at least 1.
    """
    spans = _grouped(_words(text), most_words)
    without = [f"{text[:start]} {text[end:]}" for start, end in spans]
    (answer,) = classifier.predict([text])
    whole, *rest = classifier.calibrated_logits([text, *without]).tolist()
    words = [
        WordEffect(text[start:end], start, end, whole - part) for (start, end), part in zip(spans, rest, strict=True)
    ]
    return Explanation(answer.label, answer.score, tuple(words))


def _words(text: str) -> list[tuple[int, int]]:
    """Start and end of what stands between white space and markup."""
    return [match.span() for match in MARKUP_OR_WORD.finditer(text) if not match["markup"]]


def _grouped(spans: list[tuple[int, int]], most: int) -> list[tuple[int, int]]:
    """Neighbouring spans joined, in groups of like size, so that at most ``most`` are left."""
    groups = min(len(spans), most)
    edges = [len(spans) * i // groups for i in range(groups + 1)] if groups else []
    return [(spans[first][0], spans[last - 1][1]) for first, last in itertools.pairwise(edges)]
