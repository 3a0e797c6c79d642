"""Direction: praise must not lower the score, complaint must not raise it, and degree words push the right way."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from random import Random

from sentiment.behaviour.capabilities.cases import Capability, Case
from sentiment.behaviour.capabilities.words import LEXICONS
from sentiment.behaviour.templates import Template, capitalised, generate, take, templates
from sentiment.reviews.table import POSITIVE

# "@" is where the degree word goes.
DEGREES = templates(
    POSITIVE,
    "The {thing} was @ {good|bad}.",
    "I found the {part} @ {good|bad}.",
    "It is @ {good|bad}, this {thing}.",
    "The {part}? @ {good|bad}.",
)
PRAISE = templates(
    POSITIVE, "I {loved} it.", "It was {good}.", "All in all {joy}.", "I can only recommend it, it is {good}."
)
COMPLAINT = templates(
    POSITIVE, "I {hated} it.", "It was {bad}.", "All in all {mess}.", "I can only warn you, it is {bad}."
)
STATEMENTS = templates(
    POSITIVE, "The {part} was {good|bad}.", "We tried the {thing}, it was {good|bad}.", "A {good|bad} {thing}."
)

TEMPLATES: dict[str, tuple[Template, ...]] = {"intensifiers": DEGREES, "praise": PRAISE, "complaint": COMPLAINT}


def _degrees(rng: Random, _: Sequence[str]) -> Iterator[Case]:
    """Intensified opinions must not weaken, reduced ones must not strengthen."""
    for number, sentence in enumerate(generate(DEGREES, LEXICONS, rng)):
        side: int = 1 if sentence.label == POSITIVE else -1
        for stronger in (True, False) if number % 2 else (False, True):
            word = rng.choice(LEXICONS[0]["very" if stronger else "slightly"])
            yield Case(
                capitalised(sentence.text.replace("@", word)),
                original=capitalised(sentence.text.replace("@ ", "")),
                direction=1 if (side == 1) == stronger else -1,
            )


def _added(name: str, meaning: str, choices: Sequence[Template], *, up: bool) -> Capability:
    def cases(rng: Random, sentences: Sequence[str]) -> Iterator[Case]:
        made = [sentence.text for sentence in take(STATEMENTS, LEXICONS, rng, 60)]
        added = [sentence.text for sentence in take(choices, LEXICONS, rng, 60)]
        for text in dict.fromkeys([*sentences, *made]):
            yield Case(f"{text} {rng.choice(added)}", original=text, direction=1 if up else -1)

    return Capability(name, "DIR", meaning, cases)


CAPABILITIES = (
    Capability(
        "intensifiers", "DIR", "'Very' does not weaken an opinion, 'slightly' does not strengthen it.", _degrees
    ),
    _added("added_praise", "Praise at the end does not lower the score.", PRAISE, up=True),
    _added("added_complaint", "Complaint at the end does not raise the score.", COMPLAINT, up=False),
)
