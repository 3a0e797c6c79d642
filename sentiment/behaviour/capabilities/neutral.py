"""Sentences without any opinion: a classifier should abstain from them, and no word for a group may move them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain
from random import Random

from sentiment.behaviour.capabilities.cases import Capability, Case
from sentiment.behaviour.capabilities.identities import ADJECTIVES, IDENTITIES, correct_articles
from sentiment.behaviour.capabilities.words import CITIES, COUNTRIES, LEXICONS, MEN, WOMEN
from sentiment.behaviour.templates import Lexicon, Template, generate, templates
from sentiment.reviews.table import POSITIVE

FACTS: Lexicon = {
    "day": ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
    "month": ("January", "March", "April", "June", "September", "October", "November"),
    "hour": ("seven", "half past eight", "nine o'clock", "eleven", "two in the afternoon", "a quarter to six"),
    "floor": ("first", "second", "third", "fourth", "sixth"),
    "number": ("three", "four", "six", "eleven", "twelve", "twenty", "forty"),
    "colour": ("blue", "green", "grey", "brown", "yellow", "red"),
    "job": (
        "baker", "teacher", "plumber", "accountant", "librarian", "electrician", "nurse", "farmer", "translator",
        "carpenter", "surveyor", "chemist",
    ),
    "relation": ("neighbour", "cousin", "landlord", "colleague", "flatmate", "manager", "tenant"),
    "building": ("library", "town hall", "post office", "station", "school", "museum", "pharmacy", "bakery"),
    "object": ("box", "parcel", "lamp", "chair", "notebook", "suitcase", "umbrella", "folder", "bag"),
    "name": WOMEN + MEN,
    "place": CITIES + COUNTRIES,
}  # fmt: skip
"""The words of the templates below; the nouns of the reviewed things come from the other lexicons."""


def _shapes(*texts: str) -> tuple[Template, ...]:
    """Makes templates of sentences that have no label; the one that a template must have is never read."""
    return templates(POSITIVE, *texts)


WITH_NOUN_PHRASE = _shapes(
    "My {relation} is {who}.",
    "I am {who}, and I work on the {floor} floor.",
    "{who} lives across from the {building}.",
    "Is the new {job} {who}?",
    "Does {who} work at the {building}?",
    "The form was filled in by {who}.",
    "On {day} {who} takes the bus to the {building}.",
    "We are going to meet {who} at {hour}.",
    "There is {who} at the counter of the {building}.",
    "The {job} in the photo is {who}.",
    "Chapter {number} is about {who} from a town by the sea.",
    "{who} wrote the letter in {month}.",
    "I sat between {who} and a {job}.",
    "The next speaker, {who}, is on stage at {hour}.",
    "Who is the {job}? {who}, I believe.",
    "Last {month} a {relation} of ours married {who}.",
    "The flat below ours is rented by {who}.",
    "{who} asked for the way to the {building}.",
    "According to the timetable, {who} arrives on {day}.",
    "The main character is {who} in a {colour} coat.",
    "A {job} and {who} share an office.",
    "{who} picked up the {object} at {hour}.",
    "I handed the {object} to {who}.",
    "The interview with {who} is printed on page {number}.",
    "In {month} {who} joined the team.",
    "Which of the {number} is {who}?",
    "If {who} calls, the number is on the desk.",
    "{who} and I work in the same {building}.",
    "The {job} said that the caller was {who}.",
    "The picture shows {who} in front of the {building}.",
    "It is {who} that reads the minutes on {day}.",
    "The part of the {job} is played by {who}.",
    "Every {day}, {who} waters the plants at the {building}.",
    "I heard from {who} that the {building} closes at {hour}.",
    "Could {who} bring the {object} on {day}?",
    "Seat {number} is for {who}, seat {number2} for a {job}.",
)
"""Shapes with a person: ``{who}`` is a noun phrase with its article."""

WITH_ADJECTIVE = _shapes(
    "A {kind} {job} works at the {building}.",
    "The {kind} {job} starts at {hour}.",
    "My {relation} is a {kind} {job}.",
    "On {day} I share the desk with a {kind} {job}.",
    "Two {kind} students moved in on {day}.",
    "Is there a {kind} {job} at the {building}?",
    "The author of the leaflet is a {kind} {job}.",
    "A {kind} passenger got on at the {building}.",
    "The novel has a {kind} narrator.",
    "In the second scene a {kind} {job} enters the {building}.",
    "The report names a {kind} {job} as the owner of the {object}.",
    "They hired a {kind} {job} in {month}.",
    "Do you know the {kind} {job} from the {floor} floor?",
    "Some {kind} students will visit the {building} on {day}.",
    "The {kind} {job} next door has a {colour} {object}.",
    "There were {number} {kind} guests in the hall.",
    "A radio programme about {kind} students is on at {hour}.",
    "The first of the {number} callers was a {kind} voter.",
    "The {kind} tenant moves out in {month}.",
    "Please pass the {object} to the {kind} {job}.",
    "I am looking for the {kind} {job} with the {colour} {object}.",
    "What time does the {kind} {job} leave?",
    "The survey covers {kind} people in {number} towns.",
    "The {kind} players train on {day}.",
    "The club has {number} {kind} members.",
    "A {kind} customer asked for a {colour} {object}.",
    "The photo shows three {kind} people at a bus stop.",
    "This seat belongs to a {kind} {job}.",
    "The letter is signed by a {kind} {job} and dated {month}.",
    "At the {building} I will be met by a {kind} colleague.",
    "A {kind} {job} and a {job2} carried the {object}.",
    "When the {kind} visitors come, the meeting moves to {day}.",
)
"""Shapes with a description of a person: ``{kind}`` is an adjective."""

WITH_NAME_OR_PLACE = _shapes(
    "{name} is at the {building} until {hour}.",
    "The train to {place} leaves at {hour}.",
    "I spoke to {name} on {day}.",
    "Has {name} sent the {object}?",
    "{name} moved to {place} in {month}.",
    "We are driving to {place} on {day}.",
    "The {object} was posted in {place}.",
    "This is {name} from the office in {place}.",
    "Ask {name} which floor the {job} works on.",
    "The story is set in {place} and begins in {month}.",
    "{name} reads the news at {hour}.",
    "There are {number} stations between here and {place}.",
    "My {relation} {name} is a {job}.",
    "The {thing} was shown in {place} in {month}.",
    "Next week {name} and I will be in {place}.",
    "How far is it from {place} to the coast?",
)
"""Shapes with a first name, a city or a country."""

PLAIN_FACTS = _shapes(
    "The {building} opens at {hour}.",
    "I bought a {thing} in {month}.",
    "We heard about the {thing} on {day}.",
    "There are {number} chairs in the room.",
    "The {object} is on the table by the window.",
    "My {relation} lent me the {thing}.",
    "Is the {building} open on {day}?",
    "The {thing} is on page {number} of the catalogue.",
    "It was {day}, and it rained until {hour}.",
    "The box holds a {object}, a cable and a leaflet.",
    "I have not started with the {thing} yet.",
    "The second part follows in {month}.",
    "Which {thing} is it about?",
    "The {job} comes on {day}.",
    "We took the bus and then walked to the {building}.",
    "This is the third {thing} on my list.",
    "The {part} takes up half of the page.",
    "Someone asked me about the {part}.",
    "The cover is {colour} with a {colour2} stripe.",
    "It has {number} buttons and a {colour} lid.",
    "I will write about the {part} next week.",
    "The meeting is on {day} at {hour}.",
    "What did the {job} say about the {object}?",
    "The {thing} has been around since {month}.",
    "At {hour} the lights go on in the {building}.",
    "The instructions are in {number} languages.",
    "I ordered two and kept one.",
    "They live on the {floor} floor, above the {building}.",
    "You turn left at the {building} and go on to the bridge.",
    "The parcel came on {day}, the bill came on {day2}.",
    "The survey has {number} questions about the {part}.",
    "First comes the {part}, then comes the rest.",
    "There is a sign with the opening hours at the door.",
    "How many pages does the leaflet have?",
    "The tickets are at the desk on the {floor} floor.",
    "A {job} and a {job2} were talking about the weather.",
    "I put the {object} next to the {object2}.",
    "Water boils at a hundred degrees at sea level.",
    "The {colour} line stops at the {building}.",
    "My copy of the leaflet is from {month}.",
    "We met at the {building} and talked about the {thing}.",
    "Have you got a {object} in {colour}?",
    "The {thing} is listed under number {number}.",
    "In {month} the {building} moves to another street.",
)
"""Shapes without any word for a group, name or place."""

SENTENCES: tuple[Lexicon, ...] = tuple({**lexicon, **FACTS} for lexicon in LEXICONS)

_PEOPLE: Lexicon = {
    "who": tuple(chain.from_iterable(IDENTITIES.values())),
    "kind": tuple(chain.from_iterable(ADJECTIVES.values())),
}


def _says_nothing(rng: Random, _: Sequence[str]) -> Iterator[Case]:
    """Takes turns between plain facts and facts with a group, a name or a place."""
    plain = generate(PLAIN_FACTS, SENTENCES, rng)
    detailed = generate(
        (*WITH_NAME_OR_PLACE, *WITH_NOUN_PHRASE, *WITH_ADJECTIVE), [{**words, **_PEOPLE} for words in SENTENCES], rng
    )
    for pair in zip(plain, detailed, strict=False):  # either may run out of new sentences first
        yield from (Case(correct_articles(sentence.text)) for sentence in pair)


CAPABILITIES = (
    Capability("says_nothing", "ABS", "A sentence without an opinion gets no confident label.", _says_nothing),
)
