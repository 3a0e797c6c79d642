"""Generated training examples for behaviours that reviews alone do not teach.

Fine-tuning on reviews leaves long-range negation, "used to ... but now" and similar sentences to chance, because the
label of a review hardly ever depends on one of them. The label of these examples does. Most come in fours, affirmed and
negated, praise and complaint, so that only both parts together give the label (counterfactual augmentation: Kaushik,
Hovy, Lipton: Learning the Difference that Makes a Difference with Counterfactually-Augmented Data, ICLR 2020).

The templates are disjoint from those that test (:mod:`sentiment.behaviour.capabilities`), and many words differ.
"""

from __future__ import annotations

import re
from itertools import islice
from random import Random
from typing import TYPE_CHECKING

from pydantic import Field

from sentiment.behaviour.templates import Sentence, Template, generate
from sentiment.behaviour.training_templates import CAPABILITIES, COMPANIONS
from sentiment.behaviour.training_words import LEXICONS
from sentiment.reviews.table import COLUMNS, NEGATIVE, POSITIVE, Reviews
from sentiment.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

SOURCE = "generated"


class AugmentationSettings(Settings):
    """Generated training examples."""

    enabled: bool = Field(True, description="Whether examples are generated at all.")
    examples: int = Field(3000, ge=0, le=100_000, description="Maximum number of examples, half of them positive.")
    joined: float = Field(
        0.3, ge=0, le=1, description="Share that is joined to a short training review of the same label."
    )
    slips: float = Field(0.15, ge=0, le=1, description="Share with a typo: a letter of one word is missing or doubled.")


# Relative numbers of examples; a capability without an entry has 1.
_SHARES = {
    "negation_far": 4,
    "neutral": 3,
    "questions_answers": 2,
    "temporal_change": 2,
    "comparatives": 2,
    "negation_near": 2,
    "negated_negatives": 2,
    "opinion_holder": 2,
}
MAX_JOINED_WORDS = 30


def augment(train: Reviews, settings: AugmentationSettings, *, seed: int) -> Reviews:
    """Generates labelled examples to train on beside the reviews.

    Args:
        train: The training split; some examples are joined to one of its short reviews (at most 30 words) of the same
            label. No review is returned alone.
        settings: The number of examples, and the share that is joined to a review.
        seed: Seed of all choices.

    Returns:
        Generated examples alone, source ``"generated"``, distinct, shuffled, half of them positive. Fewer than asked
        for if the templates are exhausted; none if augmentation is not enabled.
    """
    import pandas as pd

    rng = Random(f"{seed}:augmentation")
    pools = _short_reviews(train, rng)
    companions = generate(COMPANIONS, LEXICONS, rng)
    total = settings.examples if settings.enabled else 0
    texts: dict[int, dict[str, None]] = {NEGATIVE: {}, POSITIVE: {}}  # ordered sets
    for name, count in _counts(total // 2).items():
        for sentence in _balanced(CAPABILITIES[name], count, rng):
            text = sentence.text
            if rng.random() < settings.joined and pools[sentence.label]:
                review = pools[sentence.label][rng.randrange(len(pools[sentence.label]))]
                beside = next(companions, sentence).text if name == "neutral" else text
                text = " ".join(rng.sample((beside, review), 2))
            texts[sentence.label][_slip(text, rng) if rng.random() < settings.slips else text] = None
    size = min(map(len, texts.values()))
    rows = [(text, label, SOURCE) for label, distinct in texts.items() for text in list(distinct)[:size]]
    rng.shuffle(rows)
    frame = pd.DataFrame(rows, columns=list(COLUMNS))
    return Reviews(frame.astype({"text": "str", "label": "int64", "source": "str"}))


def _counts(total: int) -> dict[str, int]:
    """Divides the examples of each label among the capabilities by their shares."""
    shares = {name: _SHARES.get(name, 1) for name in CAPABILITIES}
    whole = sum(shares.values())
    ends, done = [], 0
    for share in shares.values():
        done += share
        ends.append(total * done // whole)
    return {name: end - start for name, start, end in zip(shares, [0, *ends], ends, strict=False)}


def _balanced(choices: Sequence[Template], count: int, rng: Random) -> Iterator[Sentence]:
    """Yields at most ``count`` sentences of each label."""
    for label in (NEGATIVE, POSITIVE):
        yield from islice(generate(choices, LEXICONS, rng, label=label), count)


def _slip(text: str, rng: Random) -> str:
    """Removes or doubles an inner letter of one longer word; the behavioural tests swap two letters instead."""
    inner = [range(word.start() + 1, word.end() - 1) for word in re.finditer(r"[A-Za-z]{5,}", text)]
    if not inner:
        return text
    at = rng.choice(rng.choice(inner))
    return text[:at] + rng.choice(("", text[at] * 2)) + text[at + 1 :]


def _short_reviews(train: Reviews, rng: Random) -> dict[int, list[str]]:
    """Returns the short reviews of each label, shuffled."""
    short = train.frame[train.frame["text"].str.count(" ") < MAX_JOINED_WORDS]
    pools = {label: list(short.loc[short["label"] == label, "text"]) for label in (NEGATIVE, POSITIVE)}
    for pool in pools.values():
        rng.shuffle(pool)
    return pools
