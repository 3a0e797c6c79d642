"""Sentences from templates: the one small grammar that behavioural tests and training augmentation share.

A template is a sentence with slots. ``{thing}`` takes a word from the lexicon's list ``thing``. Alternatives make two
sides with opposite labels: ``{good|bad}`` takes from the list ``good`` on the first side and from ``bad`` on the
second; ``[gladly|never]`` takes the words as they stand. A digit makes another slot of the same list (``{good}`` and
``{good2}``); a slot named twice says the same word twice.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import cycle, islice
from random import Random

Lexicon = Mapping[str, Sequence[str]]

_SLOT = re.compile(r"\{([^{}]+)\}|\[([^\[\]]+)\]")
_A_BEFORE_VOWEL = re.compile(r"\b([Aa]) (?=[aeiouAEIOU](?!uropean|ne\b|ne-|se|ni))")
_SENTENCE_START = re.compile(r"(^|[.!?] )(?!https?:|www)([a-z])")
_TRIES_PER_SENTENCE = 30


@dataclass(frozen=True)
class Template:
    """A sentence with slots.

    Attributes:
        text: The sentence; see the module for its grammar.
        label: Label of the first side (0 negative, 1 positive). A template with alternatives has a second side with the
            other label; one without has this side only.
    """

    text: str
    label: int

    @property
    def sides(self) -> tuple[int, ...]:
        """``(0, 1)`` where the template offers alternatives, ``(0,)`` where it does not."""
        return (0, 1) if any("|" in first + second for first, second in _SLOT.findall(self.text)) else (0,)

    def label_of(self, side: int) -> int:
        """Label of a side."""
        return self.label if side == 0 else 1 - self.label


@dataclass(frozen=True)
class Sentence:
    """A filled template and its label."""

    text: str
    label: int


def templates(label: int, *texts: str) -> tuple[Template, ...]:
    """Templates whose first side has the same label."""
    return tuple(Template(text, label) for text in texts)


def fill(template: Template, lexicon: Lexicon, rng: Random, *, side: int = 0) -> Sentence:
    """Fills every slot of one side of a template.

    Raises:
        KeyError: A slot names a list that the lexicon does not have.
    """
    chosen: dict[str, str] = {}

    def word(match: re.Match[str]) -> str:
        slots, literals = match.groups()
        options = (slots or literals).split("|")
        option = options[side % len(options)]
        if literals:
            return option
        if option not in chosen:
            taken = set(chosen.values())
            words = lexicon[option.rstrip("0123456789")]
            chosen[option] = rng.choice([w for w in words if w not in taken] or list(words))
        return chosen[option]

    text = _A_BEFORE_VOWEL.sub(r"\1n ", _SLOT.sub(word, template.text))
    return Sentence(capitalised(text), template.label_of(side))


def capitalised(text: str) -> str:
    """The text with every sentence's first letter in upper case (addresses of pages stay)."""
    return _SENTENCE_START.sub(lambda start: start[1] + start[2].upper(), text)


def generate(
    choices: Sequence[Template], lexicons: Sequence[Lexicon], rng: Random, *, label: int | None = None
) -> Iterator[Sentence]:
    """Distinct sentences, every side of every template in turn, until the templates have no new ones left.

    Args:
        choices: The templates.
        lexicons: One is drawn for each sentence, so that its nouns belong together (a film has actors, a hotel rooms).
        rng: Where all randomness comes from.
        label: Leave out the sides with the other label.

    Yields:
        Sentences, no text twice.
    """
    sides = [
        (template, side)
        for template in rng.sample(choices, len(choices))
        for side in template.sides
        if label in (None, template.label_of(side))
    ]
    seen: set[str] = set()
    failures = 0
    for template, side in cycle(sides):
        sentence = fill(template, rng.choice(lexicons), rng, side=side)
        if sentence.text not in seen:
            seen.add(sentence.text)
            failures = 0
            yield sentence
        else:
            failures += 1
            if failures > _TRIES_PER_SENTENCE * len(sides):
                return


def take(choices: Sequence[Template], lexicons: Sequence[Lexicon], rng: Random, count: int) -> list[Sentence]:
    """At most ``count`` distinct sentences; see :func:`generate`."""
    return list(islice(generate(choices, lexicons, rng), count))
