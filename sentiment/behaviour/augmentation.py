"""Generated training examples for behaviours that reviews alone do not teach.

Fine-tuning on reviews leaves long-range negation, "used to ... but now" and similar sentences to chance, because the
label of a review hardly ever depends on one of them. The label of these examples does. Most come in fours, affirmed and
negated, praise and complaint, so that only both parts together give the label (counterfactual augmentation: Kaushik,
Hovy, Lipton: Learning the Difference that Makes a Difference with Counterfactually-Augmented Data, ICLR 2020).

A share of the examples holds no opinion ("My neighbour is gay."). The model learns one probability for all of them
(:func:`learned_probabilities`), so that it is unsure about them instead of judging a person by a group.

The templates are disjoint from those that test (:mod:`sentiment.behaviour.capabilities`), and many words differ.
"""

from __future__ import annotations

import re
from itertools import islice
from random import Random
from typing import TYPE_CHECKING

from pydantic import Field

from sentiment.behaviour.templates import Sentence, Template, generate
from sentiment.behaviour.training.families import FAMILIES
from sentiment.behaviour.training.no_opinion import WITH_IDENTITY, WITH_NAME_OR_PLACE, WITHOUT
from sentiment.behaviour.training.opinions import COMPANIONS
from sentiment.behaviour.training.words import LEXICONS
from sentiment.reviews.table import COLUMNS, NEGATIVE, POSITIVE, Reviews
from sentiment.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

SOURCE = "generated"
NO_OPINION = "generated, no opinion"


class AugmentationSettings(Settings):
    """Generated training examples."""

    enabled: bool = Field(True, description="Whether examples are generated at all.")
    examples: int = Field(8_000, ge=0, le=100_000, description="Maximum number of examples.")
    neutral: float = Field(0.35, ge=0, le=1, description="Share without an opinion. The rest is half positive.")
    neutral_positive: float = Field(
        0.4,
        ge=0,
        le=1,
        description="P(positive) to learn for texts without an opinion: not 0.5, where a small difference turns the "
        "label; calibration moves it into the middle of the range where the service abstains, 0.4 to 0.5",
    )
    joined: float = Field(
        0.3, ge=0, le=1, description="Share of opinions that is joined to a short training review of the same label."
    )
    slips: float = Field(0.2, ge=0, le=1, description="Share with a typo: a missing, doubled or neighbouring letter.")
    links: float = Field(0.1, ge=0, le=1, description="Share with a link, a handle or a hashtag before or after.")


# Relative numbers of examples; a family without an entry has 1.
_SHARES = {
    "opinions": 4,
    "idioms": 4,
    "negation_far": 4,
    "details": 5,
    "opinion_holder": 6,
    "temporal_change": 4,
    "comparatives": 7,
    "questions_answers": 5,
    "negation_near": 2,
    "negated_negatives": 2,
    "but_clauses": 2,
}
# Relative numbers of sentences without an opinion.
_NEUTRAL_SHARES = ((WITH_IDENTITY, 2), (WITH_NAME_OR_PLACE, 1), (WITHOUT, 3))
LOWER_CASE = 0.12  # share of all examples; these have no full stop either
MAX_JOINED_WORDS = 30

_KEYBOARD = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
_NEIGHBOUR_KEYS = {
    key: row[max(at - 1, 0) : at] + row[at + 1 : at + 2] for row in _KEYBOARD for at, key in enumerate(row)
}


def augment(train: Reviews, settings: AugmentationSettings, *, seed: int) -> Reviews:
    """Generates labelled examples to train on beside the reviews.

    Args:
        train: The training split; some examples are joined to one of its short reviews (at most 30 words) of the same
            label. No review is returned alone.
        settings: The number of examples, and the shares of their kinds.
        seed: Seed of all choices.

    Returns:
        Generated examples alone, distinct, shuffled. Those with an opinion have the source ``"generated"`` and are half
        positive. Those without have the source ``"generated, no opinion"``; their label, negative, means nothing: see
        :func:`learned_probabilities`. Fewer than asked for if the templates are exhausted; none if augmentation is
        not enabled.
    """
    import pandas as pd

    rng = Random(f"{seed}:augmentation")
    total = settings.examples if settings.enabled else 0
    neutral = round(total * settings.neutral)
    style = _styles(settings, rng)
    rows = [(text, label, SOURCE) for text, label in _opinions(train, total - neutral, settings.joined, style, rng)]
    taken = {text for text, _, _ in rows}
    rows += [(text, NEGATIVE, NO_OPINION) for text in _neutral(neutral, style, rng) if text not in taken]
    rng.shuffle(rows)
    frame = pd.DataFrame(rows, columns=list(COLUMNS))
    return Reviews(frame.astype({"text": "str", "label": "int64", "source": "str"}))


def learned_probabilities(reviews: Reviews, settings: AugmentationSettings) -> list[float]:
    """Returns the P(positive) to learn for every review: its label, or one value for all texts without an opinion."""
    labels = reviews.frame["label"].astype("float64")
    return labels.mask(reviews.frame["source"] == NO_OPINION, settings.neutral_positive).tolist()


def _opinions(
    train: Reviews, count: int, joined: float, style: Callable[[str], str], rng: Random
) -> Iterator[tuple[str, int]]:
    """Yields texts with an opinion and their labels, as many positive as negative ones."""
    pools = _short_reviews(train, rng)
    companions = generate(COMPANIONS, LEXICONS, rng)
    texts: dict[int, dict[str, None]] = {NEGATIVE: {}, POSITIVE: {}}  # ordered sets
    for name, of_label in _counts(count // 2).items():
        for sentence in _balanced(FAMILIES[name], of_label, rng):
            text = style(sentence.text)
            if rng.random() < joined and pools[sentence.label]:
                review = rng.choice(pools[sentence.label])
                beside = next(companions, sentence).text if name == "details" else text
                text = " ".join(rng.sample((beside, review), 2))
            texts[sentence.label][text] = None
    size = min(map(len, texts.values()))
    for label, distinct in texts.items():
        yield from ((text, label) for text in islice(distinct, size))


def _neutral(count: int, style: Callable[[str], str], rng: Random) -> Iterator[str]:
    """Yields distinct texts without an opinion."""
    whole = sum(share for _, share in _NEUTRAL_SHARES)
    texts: dict[str, None] = {}  # an ordered set
    for choices, share in _NEUTRAL_SHARES:
        sentences = islice(generate(choices, LEXICONS, rng), round(count * share / whole))
        texts.update(dict.fromkeys(style(sentence.text) for sentence in sentences))
    yield from texts


def _counts(total: int) -> dict[str, int]:
    """Divides the examples of each label among the families by their shares."""
    shares = {name: _SHARES.get(name, 1) for name in FAMILIES}
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


def _styles(settings: AugmentationSettings, rng: Random) -> Callable[[str], str]:
    """Returns a function that writes a share of the texts in another style: typos, lower case, links."""
    words = LEXICONS[0]

    def style(text: str) -> str:
        if rng.random() < settings.slips:
            text = _slip(text, rng)
        if rng.random() < LOWER_CASE:
            text = text.lower().rstrip(".")
        if rng.random() < settings.links:
            handle, tag, link = (rng.choice(words[name]) for name in ("handle", "tag", "link"))
            before, after = rng.choice(((handle, ""), ("", tag), ("", link), (handle, tag), ("", f"{tag} {link}")))
            text = f"{before} {text} {after}".strip()
        return text

    return style


def _slip(text: str, rng: Random) -> str:
    """Makes a typo in one longer word: an inner letter is missing, doubled or replaced by its neighbour key.

    The behavioural tests swap two letters instead.
    """
    inner = [range(word.start() + 1, word.end() - 1) for word in re.finditer(r"(?<![\w/@#.])[A-Za-z]{4,}", text)]
    if not inner:
        return text
    at = rng.choice(rng.choice(inner))
    letter = text[at]
    neighbours = _NEIGHBOUR_KEYS.get(letter, letter)
    return text[:at] + rng.choice(("", letter * 2, rng.choice(neighbours))) + text[at + 1 :]


def _short_reviews(train: Reviews, rng: Random) -> dict[int, list[str]]:
    """Returns the short reviews of each label, shuffled."""
    short = train.frame[train.frame["text"].str.count(" ") < MAX_JOINED_WORDS]
    pools = {label: list(short.loc[short["label"] == label, "text"]) for label in (NEGATIVE, POSITIVE)}
    for pool in pools.values():
        rng.shuffle(pool)
    return pools
