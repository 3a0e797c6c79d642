"""Invariance: a change that is not an opinion must not flip the label."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain, zip_longest
from random import Random

from sentiment.behaviour.capabilities import functionality, perturbations
from sentiment.behaviour.capabilities.cases import Capability, Case
from sentiment.behaviour.capabilities.perturbations import Perturbation
from sentiment.behaviour.capabilities.words import CITIES, COUNTRIES, IDENTITIES, LEXICONS, MEN, WOMEN
from sentiment.behaviour.templates import Template, generate, templates
from sentiment.reviews.table import POSITIVE

PLAIN = (*functionality.VOCABULARY, *functionality.NEGATION_NEAR, *functionality.BUT_CLAUSES)
CONTRACTIBLE = (
    *functionality.NEGATION_CONTRACTED,
    *functionality.NEGATION_NEAR,
    *templates(
        POSITIVE, "I'm [glad|sorry] that we're here: {good|bad} {part}.", "We're all [fans|fed up], it is {good|bad}."
    ),
)
NAMES = templates(
    POSITIVE,
    "{name} and I {loved|hated} the {thing}.",
    "{name} had picked the {thing}, and the {part} was {good|bad}.",
    "We went with {name}: a {good|bad} {thing}.",
    "The {part} by {name} is {good|bad}.",
    "Dear {name}, your {thing} is {joy|mess}.",
)
PLACES = templates(
    POSITIVE,
    "We {loved|hated} the {thing} we found in {place}.",
    "I came all the way from {place}, and the {thing} was {good|bad}.",
    "The {thing} from {place} is {joy|mess}.",
    "Whether in {place} or at home: {good|bad} {part}.",
)
NUMBERS = templates(
    POSITIVE,
    "There were {count} people, and all of them {loved|hated} the {thing}.",
    "We stayed for {count} minutes, and the {part} was {good|bad}.",
    "The {thing} is from {year}, and it is {good|bad}.",
    "After {count} days I know: the {thing} is {joy|mess}.",
)
WHO = templates(
    POSITIVE,
    "As {who}, I {loved|hated} the {thing}.",
    "I am {who}, and I think the {thing} is {good|bad}.",
    "{who} told us about this {thing}. The {part} was {good|bad}.",
    "The {thing} was made by {who}, and the {part} is {good|bad}.",
    "We were served by {who}; the {thing} was {joy|mess}.",
)
# Sentences without an opinion, put beside real ones.
COMPANIONS = (
    "I am {who}.",
    "The author is {who}.",
    "I saw it with {who}.",
    "{who} sat beside me.",
    "It is about {who}.",
)

REFERENCE = "a person"
_WHO = [{**lexicon, "who": ("@",)} for lexicon in LEXICONS]
_DETAILS = [
    {
        **lexicon,
        "name": WOMEN + MEN,
        "place": CITIES + COUNTRIES,
        "count": tuple(map(str, range(3, 60))),
        "year": tuple(map(str, range(1960, 2025))),
    }
    for lexicon in LEXICONS
]


def _alternate(*sources: Iterator[Case]) -> Iterator[Case]:
    """Takes one case from each source in turn, then the rest of the longer sources."""
    return (case for case in chain.from_iterable(zip_longest(*sources)) if case is not None)


def _perturbed(texts: Iterator[str], perturb: Perturbation, rng: Random) -> Iterator[Case]:
    return (Case(changed, original=text) for text in texts if (changed := perturb(text, rng)) is not None)


def _perturbing(name: str, meaning: str, perturb: Perturbation, choices: Sequence[Template]) -> Capability:
    def cases(rng: Random, sentences: Sequence[str]) -> Iterator[Case]:
        made = (sentence.text for sentence in generate(choices, _DETAILS, rng))
        return _alternate(_perturbed(iter(sentences), perturb, rng), _perturbed(made, perturb, rng))

    return Capability(name, "INV", meaning, cases)


def _who(text: str, who: str) -> str:
    """Replaces ``@`` by a person; the real text after it stays unchanged."""
    start = who[:1].upper() + who[1:] if text.startswith("@") else who
    return text.replace("@", start)


def _beside(sentences: Sequence[str], rng: Random) -> Iterator[str]:
    """Real sentences with a companion before them."""
    return (rng.choice(COMPANIONS).format(who="@") + " " + sentence for sentence in sentences if "@" not in sentence)


def _identity(name: str, attribute: str) -> Capability:
    def swapped(texts: Iterator[str], rng: Random) -> Iterator[Case]:
        order = rng.sample(IDENTITIES[attribute], len(IDENTITIES[attribute]))
        for number, text in enumerate(texts):  # two at a time: the praise and the complaint of a template
            yield Case(_who(text, order[number // 2 % len(order)]), original=_who(text, REFERENCE))

    def cases(rng: Random, sentences: Sequence[str]) -> Iterator[Case]:
        made = (sentence.text for sentence in generate(WHO, _WHO, rng))
        return _alternate(swapped(_beside(sentences, rng), rng), swapped(made, rng))

    return Capability(name, "INV", f"Words for {attribute} do not move the label.", cases)


TEMPLATES: dict[str, tuple[Template, ...]] = {"names": NAMES, "places": PLACES, "numbers": NUMBERS, "who": WHO}

CAPABILITIES = (
    _perturbing("typos", "One slip of the finger does not flip the label.", perturbations.typo, PLAIN),
    _perturbing(
        "contractions",
        "Contracted or in full, the label is the same.",
        perturbations.either(perturbations.expand_contractions, perturbations.contract),
        CONTRACTIBLE,
    ),
    _perturbing("casing", "Upper and lower case do not flip the label.", perturbations.casing, PLAIN),
    _perturbing("punctuation", "Careless punctuation does not flip the label.", perturbations.punctuation, PLAIN),
    _perturbing("urls_html", "Links, handles and HTML do not flip the label.", perturbations.markup, PLAIN),
    _perturbing("names", "First names do not flip the label.", perturbations.names, NAMES),
    _perturbing("places", "Cities and countries do not flip the label.", perturbations.places, PLACES),
    _perturbing("numbers", "Years and counts do not flip the label.", perturbations.numbers, NUMBERS),
    _identity("gender", "gender"),
    _identity("religion", "religion"),
    _identity("ethnicity", "ethnicity"),
    _identity("nationality", "nationality"),
    _identity("sexual_orientation", "orientation"),
    _identity("age", "age"),
)
