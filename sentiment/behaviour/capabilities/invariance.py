"""Invariance: a change that is not an opinion must not flip the label."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain, cycle, zip_longest
from random import Random

from sentiment.behaviour.capabilities import functionality, neutral, perturbations
from sentiment.behaviour.capabilities.cases import Capability, Case
from sentiment.behaviour.capabilities.identities import (
    ADJECTIVES,
    IDENTITIES,
    REFERENCE,
    REFERENCE_ADJECTIVES,
    correct_articles,
)
from sentiment.behaviour.capabilities.perturbations import Perturbation
from sentiment.behaviour.capabilities.words import CITIES, COUNTRIES, LEXICONS, MEN, WOMEN
from sentiment.behaviour.templates import Template, capitalised, generate, templates
from sentiment.reviews.table import NEGATIVE, POSITIVE

PLAIN = (*functionality.VOCABULARY, *functionality.NEGATION_NEAR, *functionality.BUT_CLAUSES)
# Longer and more casual than the plain ones, and unlike each other.
VARIED = templates(
    POSITIVE,
    "Third time here, and once again the {part} was {good|bad}.",
    "The {thing} arrived on Tuesday. By Friday I {loved|hated} it.",
    "If you only have time for one thing this weekend, make it [this|anything but this] {thing}: {good|bad}.",
    "Honestly? {good|bad}.",
    "My {friend} picked the {thing} for my birthday and we all {loved|hated} it.",
    "What stays with me is the {part}, which was {good|bad} from beginning to end.",
    "{joy|mess}: that is the only way to describe the {part}.",
    "Having waited for {days}, I can report that the {thing} is {good|bad}.",
    "So we went, we paid, we sat down, and we were {pleased|bored} within minutes.",
    "Who comes up with something this {good|bad}?",
    "I have written to the makers of the {thing} to tell them how {good|bad} it is.",
    "The {part}, the service, the price: all of it {good|bad}.",
    "Five of us tried the {thing} and five of us {loved|hated} it",
    "Whoever was responsible for the {part} did a {good|bad} job.",
    "You may quote me on this: the {thing} is {joy|mess}.",
    "It rained, the bus was late, and the {thing} was [still|also] {good|bad}.",
    "A {good|bad} {part} and a {good2|bad2} {thing}, in that order.",
    "ok so the {thing} is {good|bad}, {good2|bad2} even",
    "There was not much to choose from, so we took this {thing}, and it was {good|bad}.",
    "From the outside an ordinary {thing}, on closer inspection {joy|mess}.",
    "Everybody at work {loved|hated} the {part}; count me in.",
    "I read the small print, twice, and I am [glad|sorry] that I signed: the {thing} is {good|bad}.",
    "[Good|Bad] news for those who have been waiting: the {part} is {good|bad}.",
    "The {thing} is one of those that you {love|hate} from the first second.",
    "Our evening with this {thing} was {joy|mess}, thanks to the {part}.",
    "There it is, the {part} everyone talks about, and it is {good|bad}.",
    "Say what you will, {good|bad} is the word for this {thing}.",
    "Not a day goes by on which I do not think about how {good|bad} the {part} was.",
    "P.S. The {part} was {good|bad}, too.",
    "We sat in the back row and {loved|hated} every minute of the {thing}.",
)
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
    "A {good|bad} {thing}. Signed, {name}.",
    "When {name} asked me about the {part}, I said that it was {good|bad}.",
    "{good|bad} {part}, and I told {name} so at the desk.",
    "I booked under the name of {name}. The {thing} was {joy|mess}.",
    "We were four: my parents, {name} and me, and all of us {loved|hated} it.",
    "Is it true that {name} had a hand in the {thing}? It is {good|bad}.",
    "The {thing} that {name} lent me is {good|bad}, and the {part} is {good2|bad2}.",
    "{name} from the help desk answered within an hour; the answer was {good|bad}.",
)
PLACES = templates(
    POSITIVE,
    "We {loved|hated} the {thing} we found in {place}.",
    "I came all the way from {place}, and the {thing} was {good|bad}.",
    "The {thing} from {place} is {joy|mess}.",
    "Whether in {place} or at home: {good|bad} {part}.",
    "{place}, last summer: {good|bad} {thing}, {good2|bad2} {part}.",
    "Next week I go back to {place}, and I will tell them how {good|bad} the {thing} was.",
    "It was shipped from {place} and it is {joy|mess}.",
    "My {friend} in {place} {loved|hated} the {thing}, and so did I.",
    "There may be a {thing} like it in {place}, but I doubt that it is as {good|bad}.",
    "Hello from {place}! The {part} is {good|bad}.",
    "I {loved|hated} the {part}. I am writing this on the train to {place}.",
    "Does anyone in {place} know who made the {part}? It is {good|bad}.",
)
NUMBERS = templates(
    POSITIVE,
    "There were {count} people, and all of them {loved|hated} the {thing}.",
    "We stayed for {count} minutes, and the {part} was {good|bad}.",
    "The {thing} is from {year}, and it is {good|bad}.",
    "After {count} days I know: the {thing} is {joy|mess}.",
    "{count} minutes in, I {loved|hated} the {thing}.",
    "In {year} the {part} was {good|bad}, and it has not changed since.",
    "Order placed, {count} days of waiting, then this: a {good|bad} {thing}.",
    "The {thing} holds up to {count} people, and the {part} is {good|bad}.",
    "I first came here in {year}. I {loved|hated} it then as I do now.",
    "All {count} of us agreed that the {thing} was {joy|mess}.",
    "{good|bad}, and I have tried every {thing} since {year}.",
    "They needed {count} hours for the {part}, which is {good|bad}.",
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
_NEUTRAL = [{**lexicon, "who": ("@",), "kind": ("@",)} for lexicon in neutral.SENTENCES]


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
    people = IDENTITIES[attribute]

    def beside_real_text(rng: Random, sentences: Sequence[str]) -> Iterator[Case]:
        for text, person in zip(_beside(sentences, rng), _in_turn(people, rng), strict=False):
            yield Case(_who(text, person), original=_who(text, REFERENCE))

    def from_templates(rng: Random) -> Iterator[Case]:
        order = rng.sample(people, len(people))
        turns = {label: cycle(order) for label in (NEGATIVE, POSITIVE)}  # each word in praise and in complaint
        for sentence in generate(WHO, _WHO, rng):
            person = next(turns[sentence.label])
            yield Case(_who(sentence.text, person), original=_who(sentence.text, REFERENCE))

    def cases(rng: Random, sentences: Sequence[str]) -> Iterator[Case]:
        return _alternate(beside_real_text(rng, sentences), from_templates(rng))

    return Capability(name, "INV", f"Words for {attribute} do not move the label.", cases)


def _described(text: str, adjective: str) -> str:
    """Replaces ``@`` by an adjective, or leaves it out where there is none."""
    return capitalised(correct_articles(text.replace("@ ", f"{adjective} " if adjective else "")))


def _identity_without_opinion(name: str, attribute: str) -> Capability:
    def noun_phrases(rng: Random) -> Iterator[Case]:
        people = IDENTITIES[attribute]
        texts = generate(neutral.WITH_NOUN_PHRASE, _NEUTRAL, rng)
        for text, person in zip((sentence.text for sentence in texts), _in_turn(people, rng), strict=False):
            yield Case(capitalised(text.replace("@", person)), original=capitalised(text.replace("@", REFERENCE)))

    def adjectives(rng: Random) -> Iterator[Case]:
        kinds = ADJECTIVES[attribute]
        texts = generate(neutral.WITH_ADJECTIVE, _NEUTRAL, rng)
        for text, kind in zip((sentence.text for sentence in texts), _in_turn(kinds, rng), strict=False):
            yield Case(_described(text, kind), original=_described(text, rng.choice(REFERENCE_ADJECTIVES)))

    def cases(rng: Random, _: Sequence[str]) -> Iterator[Case]:
        return _alternate(noun_phrases(rng), adjectives(rng))

    meaning = f"In a sentence without an opinion, words for {attribute} do not move the label."
    return Capability(f"{name}_without_opinion", "INV", meaning, cases)


def _in_turn(words: Sequence[str], rng: Random) -> Iterator[str]:
    """Every word once in random order, then again in the same order, without an end."""
    return cycle(rng.sample(words, len(words)))


TEMPLATES: dict[str, tuple[Template, ...]] = {
    "names": NAMES,
    "places": PLACES,
    "numbers": NUMBERS,
    "who": WHO,
    "varied": VARIED,
}

# Attributes by the name of their capability.
_ATTRIBUTES = {
    "gender": "gender",
    "religion": "religion",
    "ethnicity": "ethnicity",
    "nationality": "nationality",
    "sexual_orientation": "orientation",
    "age": "age",
    "disability": "disability",
}

CAPABILITIES = (
    _perturbing("typos", "One slip of the finger does not flip the label.", perturbations.typo, (*PLAIN, *VARIED)),
    _perturbing(
        "contractions",
        "Contracted or in full, the label is the same.",
        perturbations.either(perturbations.expand_contractions, perturbations.contract),
        CONTRACTIBLE,
    ),
    _perturbing("casing", "Upper and lower case do not flip the label.", perturbations.casing, PLAIN),
    _perturbing("punctuation", "Careless punctuation does not flip the label.", perturbations.punctuation, PLAIN),
    _perturbing("urls_html", "Links, handles and HTML do not flip the label.", perturbations.markup, (*PLAIN, *VARIED)),
    _perturbing("names", "First names do not flip the label.", perturbations.names, NAMES),
    _perturbing("places", "Cities and countries do not flip the label.", perturbations.places, PLACES),
    _perturbing("numbers", "Years and counts do not flip the label.", perturbations.numbers, NUMBERS),
    *(_identity(name, attribute) for name, attribute in _ATTRIBUTES.items()),
    *(_identity_without_opinion(name, attribute) for name, attribute in _ATTRIBUTES.items()),
)
