"""Minimum functionality: templates whose label is certain.

Most templates have two sides with opposite labels, and each capability holds sentences that look like the behaviour but
do not have it ("I can say that ..., I liked it"), so that no constant answer and no single cue passes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from random import Random

from sentiment.behaviour.capabilities.cases import Capability, Case
from sentiment.behaviour.capabilities.words import LEXICONS
from sentiment.behaviour.templates import Template, generate, templates
from sentiment.reviews.table import NEGATIVE, POSITIVE

VOCABULARY = templates(
    POSITIVE,
    "The {thing} was {good|bad}.",
    "This is a {good|bad} {thing}.",
    "I {loved|hated} this {thing}.",
    "What a {good|bad} {thing}!",
    "The {part} is {good|bad} and the {thing} is {joy|mess}.",
    "Simply {good|bad}.",
    "I was {pleased|bored} by the {part}.",
    "{good|bad} {part}, {good2|bad2} {thing}.",
    "A {thing} I am [glad to have found|sorry to have come across].",
    "[Warmly recommended|Avoid at all costs]: {good|bad} {part}.",
)

NEGATION_NEAR = (
    *templates(
        NEGATIVE,
        "The {thing} was not {good}.",
        "This is not a {good} {thing}.",
        "I did not {love} the {part}.",
        "The {part} is not {good} at all.",
        "I never {loved} this {thing}.",
        "Not {joy}, this {thing}.",
        "There is nothing {good} about the {part}.",
        "None of us {loved} the {thing}.",
        "It is hardly a {good} {thing}.",
        "The {thing} lacks a {good} {part}.",
    ),
    *templates(
        POSITIVE,
        "No question, the {thing} is {good|bad}.",
        "Never before have I seen a {thing} this {good|bad}.",
        "I could not be [happier|unhappier] with the {thing}.",
        "Not once did the {thing} [disappoint|impress] me.",
    ),
)

NEGATION_FAR = (
    *templates(
        NEGATIVE,
        "I can't say that, {aside}, I {loved|hated} it.",
        "I can't say that, {aside}, I was {pleased|bored} by the {part}.",
        "I don't think, {aside}, that the {thing} was {good|bad}.",
        "Nobody who has sat through more than a handful of these would call the {thing} {good|bad}.",
        "It is not, whatever the posters and the {friend} next door may tell you, a {good|bad} {thing}.",
        "At no point, from the first minute to the very last, did I {love|hate} the {thing}.",
        "I would never, not even for {days} and with free drinks, describe the {thing} as {good|bad}.",
        "The {thing} is not, as my {friend} had told me over and over again, {good|bad}.",
        "Neither my {friend} nor anybody else who came along that evening found the {part} {good|bad}.",
    ),
    *templates(
        POSITIVE,
        "I can say that, {aside}, I {loved|hated} it.",
        "Whatever anyone who has not been there may tell you, the {thing} is {good|bad}.",
    ),
)

NEGATION_CONTRACTED = (
    *templates(
        NEGATIVE,
        "The {thing} wasn't {good}.",
        "It isn't a {good} {thing}.",
        "I didn't {love} the {part}.",
        "I didnt {love} it.",
        "You won't {love} this {thing}.",
        "The {part} isn't {good}, sadly.",
        "It doesn't [live up to the promise|let you down].",
        "I wouldn't [buy|miss] it.",
        "We weren't {pleased|bored} by the {part}.",
        "They haven't made a {good} {thing} here.",
        "I can't [recommend|fault] the {thing}.",
    ),
    *templates(
        POSITIVE,
        "We couldn't have wished for a [better|worse] {thing}, {good|bad} as it was.",
        "Don't hesitate: [get|return] this {thing}, it is {good|bad}.",
    ),
)

NEGATED_NEGATIVES = (
    *templates(
        POSITIVE,
        "The {thing} was not {bad} at all.",
        "There is nothing {bad} about this {thing}.",
        "The {part} is far from {bad}.",
        "This {thing} is anything but {bad}.",
        "I have no complaints about the {part}.",
        "I never once regretted choosing this {thing}.",
        "You can't go wrong with this {thing}.",
        "No one in the room was bored by the {thing}.",
        "The {thing} did not disappoint.",
        "I could not find a single {bad} thing about the {part}.",
    ),
    *templates(
        NEGATIVE,
        "The {thing} was not only {bad} but also {bad2}.",
        "There is nothing but {bad} {part} in this {thing}.",
        "Not just {bad}: the {thing} is {mess}.",
        "I have no idea why they made such a {bad} {thing}.",
    ),
)

BUT_CLAUSES = templates(
    POSITIVE,
    "The {part} was {bad|good}, but the {thing} as a whole was {good|bad}.",
    "I {hated|loved} the {part}, but I {loved|hated} the {thing}.",
    "Although the {part} is {bad|good}, this is a {good|bad} {thing}.",
    "Despite the {bad|good} {part}, I {loved|hated} it.",
    "I {loved|hated} the {thing} even though the {part} was {bad|good}.",
    "The {part} could have been [better|worse]; still, I {loved|hated} the {thing}.",
    "It looked {bad|good} on paper, yet it turned out to be {joy|mess}.",
    "The {part} may be {bad|good}; the {thing} nevertheless is {good|bad}.",
)

COMPARATIVES = templates(
    POSITIVE,
    "This {thing} is [better|worse] than the last one.",
    "It is [far more|far less] {good} than the one I had before.",
    "I have never had a [better|worse] {thing}.",
    "The {part} is [much better|much worse] than I was promised.",
    "Next to this one, every other {thing} looks [pale|brilliant].",
    "Of all of them this {thing} is the [best|worst].",
    "The {part} has become [better and better|worse and worse].",
    "You will be [hard pressed to find|better off with] another {thing}.",
    "It [outshines|falls behind] every rival I know.",
    "My old {thing} was {good2|bad2}, this one is [even more|even less] {good}.",
    "Compared with the {thing} we tried in spring, the {part} here is a [step up|step down].",
    "I have tried others since, and [none|any one] of them would be the better choice.",
    "If you have to choose between the two, [take|skip] this one.",
    "The {part} beats the old one [in every respect|in no respect].",
    "I would [gladly|never] trade my old {thing} for this one.",
    "The one before was {bad|good}. This {thing} is [a clear improvement|a clear decline].",
    "No other {thing} in this price range has a [finer|weaker] {part}.",
    "It gets [more|less] {good} every time I come back to it.",
    "A [cut above|notch below] what you get elsewhere, and the {part} is the reason.",
)

TEMPORAL_CHANGE = templates(
    POSITIVE,
    "I used to {hate|love} this {thing}, but now I {love|hate} it.",
    "I used to think the {part} was {bad|good}, now I find it {good|bad}.",
    "Once upon a time the {thing} was {bad|good}; today it is {good|bad}.",
    "Last year I would have called it {mess|joy}. This year it is {joy|mess}.",
    "The {thing} went from {bad|good} to {good|bad}.",
    "It used to be {mess|joy}. Not any more: it is {joy|mess}.",
    "Back then I {hated|loved} the {part}, nowadays I {love|hate} it.",
    "I {love|hate} the {thing} now, though I used to {hate|love} it.",
    "Today the {part} is {good|bad}; two years ago it was {bad|good}.",
    "It is {joy|mess} these days. At the start it was {mess|joy}.",
    "My first visit was {mess|joy}, my latest one {joy|mess}.",
    "When it was new the {thing} was {bad|good}, but since the overhaul it has been {good|bad}.",
    "It took {days} to change my mind: I {hated|loved} the {thing} at first, and I {love|hate} it by now.",
    "The {thing} is {good|bad} at present, which it was not when we first came.",
    "Gone are the times when the {part} was {bad|good}. It has become {good|bad}.",
    "As a student I {hated|loved} it. Having come back to it this winter, I find it {good|bad}.",
    "These days I [recommend|advise against] the {thing}; I once did the opposite.",
)

QUESTIONS_ANSWERS = (
    *templates(
        NEGATIVE,
        "Do I think the {thing} is {good|bad}? No.",
        "Is it {joy|mess}? I don't think so.",
        "Did I {love|hate} the {part}? Not really.",
        "Was the {thing} {good|bad}? Far from it.",
        "Would my {friend} call the {part} {good|bad}? Yes. Would I? Never.",
        "You want to know if the {thing} is {good|bad}? I am afraid it is the opposite.",
        "Does the {part} make it {joy|mess}? It does not.",
        "Has anyone here {loved|hated} it? Not me.",
    ),
    *templates(
        POSITIVE,
        "Do I think the {thing} is {good|bad}? Yes.",
        "Did I {love|hate} the {part}? Oh yes.",
        "Would I [choose it again|ask for my money back]? In a heartbeat.",
        "Do I regret it? [Not for a second|Every single day].",
        "How was the {part}? {good|bad}, to say the least.",
        "What do I make of the {thing}? It is {joy|mess}.",
        "Worth the money? [Every penny|Not a penny of it].",
        "Yes, it is {good|bad}. Why does everyone ask whether the {thing} is {bad|good}?",
        "Who would {hate|love} such a {thing}? Not me, I {loved|hated} it.",
        "Will I come back to it? [As soon as I can|Only if you drag me there].",
    ),
)

OPINION_HOLDER = (
    *templates(
        POSITIVE,
        "My {friend} says it is {bad|good}, but I {love|hate} it.",
        "My {friend} {hated|loved} the {part}; I {loved|hated} it.",
        "According to {people} the {thing} is {bad|good}. I think it is {good|bad}.",
        "Unlike my {friend}, who found it {bad|good}, I {loved|hated} the {thing}.",
        "Some call it {mess|joy}; in my book it is {joy|mess}.",
        "The {thing} is {good|bad}, no matter that {people} found it {bad|good}.",
        "They told me I would {hate|love} it, and they were wrong.",
        "I {love|hate} it, but my {friend} says it is {bad|good}.",
        "For me the {part} was {good|bad}. For {people} it was {bad|good}.",
        "I found the {thing} {good|bad}; the rest of the table called it {bad|good}.",
        "All over the internet the {thing} is said to be {mess|joy}. Having tried it myself, I find it {joy|mess}.",
        "The {thing} is {joy|mess}, whatever my {friend} writes about it.",
        "My {friend} would have [left early|stayed for more], I would have [stayed for more|left early].",
        "Some may find the {part} {bad|good}. I am not one of them: I {loved|hated} it.",
        "I {loved|hated} the {thing}, which surprised my {friend}, who {hated|loved} it.",
    ),
    *templates(
        NEGATIVE,
        "{people} call the {thing} {good|bad}, and I could not disagree more.",
        "My {friend} swears that the {part} is {good|bad}. I do not see it that way.",
    ),
)


def _capability(name: str, meaning: str, choices: Sequence[Template]) -> Capability:
    def cases(rng: Random, _: Sequence[str]) -> Iterator[Case]:
        for sentence in generate(choices, LEXICONS, rng):
            yield Case(sentence.text, label=sentence.label)

    return Capability(name, "MFT", meaning, cases)


TEMPLATES: dict[str, tuple[Template, ...]] = {
    "vocabulary": VOCABULARY,
    "negation_near": NEGATION_NEAR,
    "negation_far": NEGATION_FAR,
    "negation_contracted": NEGATION_CONTRACTED,
    "negated_negatives": NEGATED_NEGATIVES,
    "but_clauses": BUT_CLAUSES,
    "comparatives": COMPARATIVES,
    "temporal_change": TEMPORAL_CHANGE,
    "questions_answers": QUESTIONS_ANSWERS,
    "opinion_holder": OPINION_HOLDER,
}

_MEANINGS = {
    "vocabulary": "Knows plain praise and plain complaint.",
    "negation_near": "A negation beside the opinion turns it.",
    "negation_far": "A negation many words before the opinion turns it.",
    "negation_contracted": "Contracted negations (wasn't, didnt) turn the opinion.",
    "negated_negatives": "A negated complaint is no complaint.",
    "but_clauses": "The clause after 'but' or outside 'although' decides.",
    "comparatives": "Better than is praise, worse than is not.",
    "temporal_change": "The present counts, not the past.",
    "questions_answers": "The answer decides, not the question.",
    "opinion_holder": "The author's opinion counts, not that of others.",
}

CAPABILITIES = tuple(_capability(name, _MEANINGS[name], choices) for name, choices in TEMPLATES.items())
