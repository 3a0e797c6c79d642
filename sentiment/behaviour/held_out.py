"""The third set of behavioural templates: it gives one figure at the end that nothing was tuned to.

It was written after the templates for training (the first set) and those of the test suite (the second set) were final,
without reading either, and without the scores of a model. Do not change templates or models to fit its results.
All cases come from templates: real sentences are ignored.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from itertools import cycle
from random import Random
from string import capwords

from sentiment.behaviour.capabilities.cases import Capability, Case
from sentiment.behaviour.held_out_words import (
    ANYONE,
    BOOSTERS,
    COMMON,
    DIMINISHERS,
    IDENTITIES,
    LEXICONS,
    NAMES,
    NUMBERS,
    OPINIONS,
)
from sentiment.behaviour.templates import Sentence, Template, fill, templates

Draw = Callable[[Template, int, Random], Case]
"""Draws one case of a side of a template."""

_TRIES_PER_CASE = 30

REMARKS = templates(
    1,
    "Tried the {subject} last week. {good|bad}, simple as that.",
    "Honestly, this {subject} is {treat|mess}.",
    "My verdict on the {part}: {good|bad}.",
    "I {liked|disliked} the {part} from the first minute.",
    "If you ask me, the {crew} was {kind|rude} and the {part} was {good|bad}.",
    "Just back from {place}, and what can I say, the {subject} was {good|bad}.",
    "Dear team, your {part} is {good|bad}. Regards from {place}.",
    "omg the {part} is {good|bad} lol",
    "I [can't wait|refuse] to {again} once more: the {part} was {good|bad}.",
    "All three of us [grinned|groaned] when we saw the {part}: {good|bad}.",
    "We paid in advance for this {subject}, and it is {treat|mess}.",
    "I [thank|blame] the {crew}, who was {kind|rude} throughout.",
)

LABELLED: dict[str, tuple[Template, ...]] = {
    "vocabulary": REMARKS,
    "negation_near": templates(
        0,
        "The {part} of theirs is not {nice|nasty}.",
        "I would never {again} again.",
        "Nobody in our group would use the word {nice|nasty} for this {subject}.",
        "There was no joy in it, and the {part} was not {nice} either.",
        "We did not [enjoy|regret] the {subject}.",
        "Sorry, but the {part} is simply not {nice}.",
        "I cannot recommend the {subject} to my {kin}.",
        "The {crew} was not {kind|rude} to me or to my {kin}.",
        "Whatever the [adverts|gossips] say, the {subject} is not {nice|nasty}.",
    ),
    "negation_far": templates(
        0,
        "I do not think that many people who try this {subject} will find the {part} {nice|nasty}.",
        "Not one of the nine of us, and we are [easy|hard] to please, called the {part} {nice|nasty}.",
        "At no point between Monday and Friday did I find the {subject} {nice|nasty}.",
        "There is nothing about the {subject}, from the {part} to the {crew}, that I would call {nice|nasty}.",
        "I have yet to meet someone who, after a month with this {subject}, considers it {nice|nasty}.",
        "Nobody I know in {place}, and I know a lot of people there, thinks the {part} is {nice|nasty}.",
        "It is not the case, despite all those posters in {place}, that the {subject} is {nice}.",
        "Neither my {kin} nor I, though we both tried, could see how the {part} was supposed to be {nice}.",
        "I never, in all the years since I moved to {place}, came across a {subject} that deserved praise less.",
    ),
    "negation_contracted": templates(
        0,
        "The {part} just isn't {nice}.",
        "I won't {again} again, and you shouldn't.",
        "Couldn't [warm to|fault] this {subject}, and the {part} wasn't {nice|nasty}.",
        "The {crew} didn't [care and didn't help|keep us waiting and didn't disappoint].",
        "This {subject} ain't {nice|nasty}, mate.",
        "I can't say I [enjoyed|regretted] the {part}.",
        "The {part} hasn't been {nice} since day one.",
        "You wouldn't call a {subject} like that {nice|nasty}, would you?",
        "tbh the {part} wasnt {nice}, dont bother",
    ),
    "negated_negatives": templates(
        1,
        "The {part} was not {nasty} in the slightest.",
        "Neither the {crew} nor the {part} gave us any cause for complaint.",
        "I looked for something {nasty} about this {subject} and came up empty.",
        "Not once did the {subject} let us down.",
        "I could not fault the {part} if I tried.",
        "Far from being {nasty}, the {part} won us over.",
        "{nasty} is the last word that I would use for the {subject}.",
        "There isn't a single thing I'd change about the {part}.",
        "{again} and you won't regret it.",
        "My {kin} warned us, yet the {part} was never {nasty}, not for a second.",
    ),
    "but_clauses": templates(
        0,
        "Sure, the {part} was {good|bad}, but taken as a whole the {subject} is {mess|treat}.",
        "The {crew} was {kind|rude}. That said, I {disliked|liked} the {subject} overall.",
        "While I admit that the {part} is {good|bad}, my overall impression is {bad2|good2}.",
        "Despite a {crew} that was {kind|rude}, the {subject} ended up being {mess|treat}.",
        "The {part} may be {good|bad}; what counts for me, however, is that the {subject} is {bad2|good2}.",
        "{good|bad} {part}, yes, yet I would [never|gladly] {again} again.",
        "It began in a {fine|weak} way, but by the end I {disliked|liked} everything about it.",
        "Even though my {kin} [praised|slated] the {part}, the {subject} itself turned out {bad|good}.",
        "I wanted to [love|hate] this {subject}, but no: it is {mess|treat}.",
    ),
    "comparatives": templates(
        1,
        "Every other {subject} I have tried was [worse|better].",
        "The {part} here is [better|worse] than anything we had in {place}.",
        "I have rarely come across a [better|worse] {subject}.",
        "Next to this {subject}, its rivals look {bad|good}.",
        "The {part} [beats|cannot match] what the competition offers.",
        "My last {subject} was far [inferior|superior] to this one.",
        "No {subject} in {place} has a [nicer|nastier] {part}.",
        "Give me [this|any other] {subject} over [any other|this one] in {place}.",
        "Of the five we compared, this {subject} came [first|last] by a mile.",
        "The {crew} was a lot [more|less] helpful than elsewhere.",
    ),
    "temporal_change": templates(
        1,
        "Two years ago the {part} was {bad|good}. Now it is {good2|bad2}.",
        "This {subject}, once {mess|treat}, has become {treat|mess}.",
        "The {subject} has gone from {bad|good} to {good|bad}.",
        "Under the previous owner I {disliked|liked} the {part}; under the new one it is {good|bad}.",
        "I remember the {part} as {bad|good}, and that is no longer true: it is {good2|bad2} today.",
        "My first visit left me [angry|happy], my latest one left me [happy|angry].",
        "Since the relaunch the {part}, formerly {bad|good}, is {good2|bad2}.",
        "Back in {place} we {disliked|liked} this {subject}, but it has [improved|declined] beyond recognition.",
        "Gone are the days when the {crew} was {rude|kind}: these days you are met by someone {kind|rude}.",
    ),
    "questions_answers": templates(
        1,
        "Is the {part} {nice}? [It sure is.|Not remotely.]",
        "Would I {again} a second time? [In a heartbeat.|Over my dead body.]",
        "Did the {crew} make an effort? [Absolutely.|None at all.]",
        "You want to know if it's worth the price? [Every cent.|No, it isn't.]",
        "Any regrets? [None whatsoever.|Plenty.]",
        "Am I disappointed with the {part}? [Not one bit.|Bitterly.]",
        "Q: {subject} {nice}? A: [oh yes|nope]",
        "Can I recommend the {subject} to my {kin}? [Without hesitation.|I'm afraid I can't.]",
        "So was the {part} {nasty}, as they say? [No, quite the opposite.|Yes, and then some.]",
        "Who would [not love|put up with] a {subject} like this?",
    ),
    "opinion_holder": templates(
        1,
        "My {kin} calls the {subject} {mess|treat}. To me it is {treat|mess}.",
        "People keep telling me that the {part} is {bad|good}; I couldn't disagree more.",
        "The reviewers {disliked|liked} it. Me? I {liked|disliked} it.",
        "My {kin} {disliked|liked} the {part}, whereas I {liked|disliked} it.",
        "According to the {crew}, others had found the {subject} {bad|good}. I for one thought it was {good2|bad2}.",
        "A man from {place} wrote here that the {part} is {bad|good}. He is wrong.",
        "My {kin} says never again, and I say [as often as I can|the same]: it was {good|bad}.",
        "Unlike my {kin}, who thought the {part} was {bad|good}, I {liked|disliked} it.",
        "The press tore the {subject} apart, and [I wonder why, because I adored it|rightly so].",
    ),
}
OTHERS: dict[str, tuple[Template, ...]] = {
    "intensifiers": templates(
        1,
        "Ours was a {fine|weak} {subject}.",
        "On the whole the {part} came across as {fine|weak}.",
        "This is a {fine|weak} {subject} with a {part} to match.",
        "The {part} looked {fine|weak} to me and my {kin}.",
        "It was {fine|weak}, the {part} on {day}.",
        "My {kin} and I agree that the {subject} is {fine|weak}.",
        "A {fine|weak} {part}, if you want my opinion.",
        "Went to {place} for the {subject}, which proved {fine|weak}.",
    ),
    "contractions": templates(
        1,
        "It is {good|bad}, and I am telling everyone in {place} about the {part}.",
        "We have seen the {part}, and it is {treat|mess}.",
        "I did not expect the {subject} to be this {good|bad}.",
        "You will see that the {crew} is {kind|rude} and that they are all like that.",
        "That is what I call {treat|mess}.",
        "They have [improved|ruined] the {part}, and there is more to come.",
        "I would not [swap it for anything|give it to an enemy], this {subject}.",
        "What is {good|bad} is the {part}.",
        "I do not [regret|enjoy] a minute of this {subject}.",
        "The {part} is not {nasty|nice}, and we are [pleased|cross].",
    ),
    "names": templates(
        1,
        "{who} was the {crew} that day and was {kind|rude} to us.",
        "I went with {who}, and we both {liked|disliked} the {part}.",
        "[Ask for|Avoid] {who}, who is {kind|rude}.",
        "My friend {who} thinks, as I do, that the {subject} is {treat|mess}.",
        "[Thank you|Shame on you], {who}: the {part} was {good|bad}.",
        "{who} from customer service was {kind|rude} on the phone.",
        "I'm {who}, and I think this {subject} is {good|bad}.",
        "{good|bad} {part}. {who} in the front office: {kind|rude}.",
        "{who} booked the {subject} for us, and it was {good|bad}.",
    ),
    "places": templates(
        1,
        "The {subject} was advertised in {who}, and it is {good|bad}.",
        "On our way to {who} the {part} was {good|bad}.",
        "Home for me is {who}; the {subject} there I {liked|disliked}.",
        "Their branch in {who} has a {crew} who is {kind|rude}.",
        "{who}, last weekend: a {part} that was {treat|mess}.",
        "It is a long way from {who}; the {part} was {good|bad}.",
        "For anyone from {who}: the {subject} is {treat|mess}.",
        "The {crew}, a native of {who}, was {kind|rude} to my {kin}.",
        "Posted from {who}. {good|bad} {subject}.",
    ),
    "numbers": templates(
        1,
        "We had table {who}, and the {part} was {good|bad}.",
        "Order no. {who}: {good|bad} {part}.",
        "I took bus {who} to get there, and the {subject} was {good|bad}.",
        "The {crew} at counter {who} was {kind|rude}.",
        "In a group of {who} people, everyone {liked|disliked} the {subject}.",
        "Locker {who}, ground floor. The {subject} is {treat|mess}.",
        "It is {who} steps to the {building}. The {subject}? {treat|mess}.",
        "Having read {who} pages about it beforehand, I can say that the {subject} is {good|bad}.",
        "Visit number {who}, and this {subject} is still {treat|mess}.",
    ),
    "identity": templates(
        1,
        "I am {who}, and in my view the {subject} is {good|bad}.",
        "As {who}, I thought the {part} was {good|bad}.",
        "My flatmate, {who}, said the {crew} was {kind|rude}, and I agree.",
        "The {crew}, {who}, was {kind|rude} to all of us.",
        "It was {who} who told me about this {subject}, and it turned out to be {good|bad}.",
        "{who} dealt with our booking. The {part} was {good|bad}.",
        "Speaking as {who}, I would call this {subject} {treat|mess}.",
        "We got talking to {who} on the way out, and we all {liked|disliked} the {part}.",
        "The manager is {who}, and the {part} is {good|bad}.",
        "I went with {who} from work, and the {subject} was {treat|mess}.",
    ),
    "without_opinion": templates(
        1,
        "{who} had the seat in the row behind us.",
        "My landlord's tenant is {who}.",
        "I shared a taxi to {place} with {who}.",
        "On {day}, {who} stood in front of the {building}.",
        "The questionnaire was filled in by {who}.",
        "At the next table there was {who} with a {colour} {item}.",
        "{who} asked me for the time.",
        "I am {who} and I live near the {building}.",
        "The parcel was signed for by {who} on {day}.",
        "In the second chapter, {who} moves to {place}.",
        "The {item} belongs to {who} from {place}.",
        "This is what {who} ordered on {day}.",
    ),
    "says_nothing": templates(
        1,
        "I picked up the {item} on {day}.",
        "We took the coach from {place} to {place2}.",
        "My {kin} works at a {building} in {place}.",
        "The meeting was moved from {day} to {day2}.",
        "There is a {building} opposite the station.",
        "The instructions are in {tongue} and {tongue2}.",
        "I am typing this on a {day} in {place}.",
        "The programme lasts {count} minutes and is set in {place}.",
        "They wrote down my name and the colour of my {item}.",
        "The tram stops at the {building} every {count} minutes.",
        "Does anyone know whether the {building} is open on {day}?",
        "My {kin} has the same {item} in {colour}.",
        "The lesson on {day} was about the history of {place}.",
        "About half of the group spoke {tongue}.",
        "The {item} comes in {colour}, {colour2} and {colour3}.",
        "Room {count} is on the second floor, next to the lift.",
    ),
}
PRAISE = templates(
    1,
    "On top of that, the {crew} was {kind}.",
    "And the {part}: {good}!",
    "I was grinning all the way home.",
    "Thumbs up.",
    "Many thanks to the {crew} for the {good} {part}.",
    "You have won a customer for life.",
    "I {liked} every bit of the {part}.",
    "Full marks for the {part}.",
    "My {kin} {liked} it too.",
)
COMPLAINTS = templates(
    0,
    "On top of that, the {crew} was {rude}.",
    "And the {part}: {bad}!",
    "I was fuming all the way home.",
    "Thumbs down.",
    "I want my money back for that {part}.",
    "You have lost a customer for life.",
    "I {disliked} every bit of the {part}.",
    "Zero marks for the {part}.",
    "My {kin} {disliked} it too.",
)

_CONTRACTIONS = (
    (r"\b(do|did|is|would) not\b", r"\1n't"),
    (r"\b(it|that|what|there|It|That|What|There) is\b", r"\1's"),
    (r"\bI am\b", "I'm"),
    (r"\b(we|they|We|They) are\b", r"\1're"),
    (r"\b(we|they|We|They) have\b", r"\1've"),
    (r"\b([Yy]ou) will\b", r"\1'll"),
)
_LINKS = (
    "{} https://reviews.example.net/r/48213",
    "www.the-daily-test.example {}",
    "{} @marta_k_77",
    "<p>{}</p>",
    "{}<br /><br />",
    "<div class='post'>{}</div>",
    "{} #weekend #2024",
    "RT @jo_online: {}",
    "&nbsp;{}&nbsp;",
    "{} via https://short.example.com/aZ3",
)


def _contract(text: str, _: Random) -> str:
    for pattern, short in _CONTRACTIONS:
        text = re.sub(pattern, short, text)
    return text


def _mistype(text: str, rng: Random) -> str:
    """Swaps, drops or doubles one inner letter of a word of at least four letters."""
    word = rng.choice(list(re.finditer(r"[A-Za-z]{4,}", text)))
    at = rng.randrange(word.start() + 1, word.end() - 2)
    a, b = text[at], text[at + 1]
    return text[:at] + rng.choice((b + a, b, a + a + b)) + text[at + 2 :]


def _recase(text: str, rng: Random) -> str:
    return rng.choice((text.upper(), text.lower(), capwords(text), text.swapcase()))


def _repunctuate(text: str, rng: Random) -> str:
    bare = text.rstrip(".!?")
    endings = (bare, bare + "!!!", bare + "...", bare + " .", bare + "!", bare.replace(",", "").replace(":", ""))
    return rng.choice((*endings, f'"{text}"', f"({text})", f"- {text}", text.replace(", ", ",")))


def _add_link(text: str, rng: Random) -> str:
    return rng.choice(_LINKS).format(text)


def _sentence(template: Template, side: int, rng: Random) -> Sentence:
    return fill(template, rng.choice(LEXICONS), rng, side=side)


def _label(template: Template, side: int, rng: Random) -> Case:
    sentence = _sentence(template, side, rng)
    return Case(sentence.text, label=sentence.label)


def _expect_abstention(template: Template, side: int, rng: Random) -> Case:
    return Case(_sentence(template, side, rng).text)


def _change(change: Callable[[str, Random], str]) -> Draw:
    """Returns a draw of cases whose text is a changed sentence."""

    def draw(template: Template, side: int, rng: Random) -> Case:
        original = _sentence(template, side, rng).text
        return Case(change(original, rng), original=original)

    return draw


def _swap(words: Sequence[str], reference: str | None = None) -> Draw:
    """Returns a draw of cases with another word in the slot ``who``: the original has the reference, if any."""

    def draw(template: Template, side: int, rng: Random) -> Case:
        lexicon, seed = rng.choice(LEXICONS), rng.random()
        before, after = (reference, rng.choice(words)) if reference else rng.sample(words, 2)
        original, text = (fill(template, {**lexicon, "who": (w,)}, Random(seed), side=side) for w in (before, after))
        return Case(text.text, original=original.text)

    return draw


def _grade(template: Template, side: int, rng: Random) -> Case:
    """Draws a case with an adverb before the opinion: boosters move the score outwards, diminishers inwards."""
    lexicon, seed, stronger = rng.choice(LEXICONS), rng.random(), rng.random() < 0.6
    adverb = rng.choice(BOOSTERS if stronger else DIMINISHERS)
    graded = {name: tuple(f"{adverb} {word}" for word in OPINIONS[name]) for name in ("fine", "weak")}
    original = fill(template, lexicon, Random(seed), side=side)
    text = fill(template, {**lexicon, **graded}, Random(seed), side=side).text
    return Case(text, original=original.text, direction=1 if stronger == bool(original.label) else -1)


def _add(additions: Sequence[Template]) -> Draw:
    """Returns a draw of cases with one more sentence: a praising one must not lower the score, for example."""

    def draw(template: Template, side: int, rng: Random) -> Case:
        lexicon = rng.choice(LEXICONS)
        original = fill(template, lexicon, rng, side=side).text
        added = fill(rng.choice(additions), lexicon, rng)
        return Case(f"{original} {added.text}", original=original, direction=1 if added.label else -1)

    return draw


def _distinct(choices: Sequence[Template], draw: Draw) -> Callable[[Random, Sequence[str]], Iterator[Case]]:
    """Returns a generator of distinct cases, from every side of every template in turn."""

    def cases(rng: Random, _: Sequence[str]) -> Iterator[Case]:
        sides = [(template, side) for template in rng.sample(choices, len(choices)) for side in template.sides]
        seen: set[str] = set()
        failures = 0
        for template, side in cycle(sides):
            case = draw(template, side, rng)
            if case.text not in seen and case.text != case.original:
                seen.add(case.text)
                failures = 0
                yield case
            elif (failures := failures + 1) > _TRIES_PER_CASE * len(sides):
                return

    return cases


def _capabilities() -> Iterator[Capability]:
    """Yields the capabilities in the order of ``configs/behaviour.yaml``."""
    for name, choices in LABELLED.items():
        yield Capability(name, "MFT", f"Right label: {name}.", _distinct(choices, _label))
    grade = _distinct(OTHERS["intensifiers"], _grade)
    yield Capability("intensifiers", "DIR", "Adverbs of degree move the score the right way.", grade)
    for name, added in (("added_praise", PRAISE), ("added_complaint", COMPLAINTS)):
        yield Capability(name, "DIR", "More praise or blame moves the score.", _distinct(REMARKS, _add(added)))
    changes = {"typos": _mistype, "contractions": _contract, "casing": _recase, "punctuation": _repunctuate}
    for name, change in {**changes, "urls_html": _add_link}.items():
        choices = OTHERS.get(name, REMARKS)
        yield Capability(name, "INV", f"Same label: {name}.", _distinct(choices, _change(change)))
    for name, words in (("names", NAMES), ("places", COMMON["place"]), ("numbers", NUMBERS)):
        yield Capability(name, "INV", f"Same label: other {name}.", _distinct(OTHERS[name], _swap(words)))
    for suffix, shapes in (("", "identity"), ("_without_opinion", "without_opinion")):
        for name, words in IDENTITIES.items():
            swap = _distinct(OTHERS[shapes], _swap(words, ANYONE))
            yield Capability(name + suffix, "INV", f"Same label with any {name} as with {ANYONE!r}.", swap)
    silent = _distinct(OTHERS["says_nothing"], _expect_abstention)
    yield Capability("says_nothing", "ABS", "No confident label for a sentence without an opinion.", silent)


CAPABILITIES: dict[str, Capability] = {capability.name: capability for capability in _capabilities()}
