"""Training examples for behaviours that reviews alone do not teach.

Fine-tuning on reviews leaves long-range negation, "used to ... but now" and the like to chance, because reviews hardly
ever hang their label on one such sentence. These examples do, and come in fours where they can: affirmed and negated,
in praise and in complaint, so that only reading both parts gives the label (counterfactual augmentation: Kaushik, Hovy,
Lipton: Learning the Difference that Makes a Difference with Counterfactually-Augmented Data, ICLR 2020).

The templates are other ones than those that test (:mod:`sentiment.behaviour.capabilities`), and so are many of the
words.
"""

from __future__ import annotations

import re
from itertools import islice
from random import Random
from typing import TYPE_CHECKING

from pydantic import Field

from sentiment.behaviour.templates import Lexicon, Sentence, Template, generate, templates
from sentiment.reviews.table import COLUMNS, NEGATIVE, POSITIVE, Reviews
from sentiment.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

SOURCE = "generated"


class AugmentationSettings(Settings):
    """Generated training examples."""

    enabled: bool = Field(True, description="Whether examples are generated at all.")
    examples: int = Field(3000, ge=0, le=100_000, description="How many, half of them positive, at most.")
    joined: float = Field(
        0.3, ge=0, le=1, description="Share that stands beside a short training review of the same label."
    )
    slips: float = Field(0.15, ge=0, le=1, description="Share in which a word lacks a letter or has one twice.")


_OPINIONS: Lexicon = {
    "good": (
        "good", "great", "excellent", "wonderful", "enjoyable", "lovely", "amazing", "perfect", "beautiful", "fine",
        "outstanding", "satisfying", "funny", "exciting", "clever", "memorable", "pleasant", "convincing", "worth it",
    ),
    "bad": (
        "bad", "terrible", "awful", "boring", "disappointing", "poor", "horrible", "weak", "ugly", "useless",
        "pathetic",
        "frustrating", "stupid", "pointless", "clumsy", "forgettable", "unpleasant", "ridiculous", "cheap",
    ),
    "nice": (
        "good", "great", "excellent", "wonderful", "enjoyable", "lovely", "amazing", "beautiful", "fine", "satisfying",
        "funny", "exciting", "clever", "memorable", "pleasant", "convincing",
    ),
    "poor": (
        "bad", "terrible", "awful", "boring", "disappointing", "poor", "horrible", "weak", "ugly", "useless",
        "pathetic",
        "frustrating", "stupid", "pointless", "clumsy", "forgettable", "unpleasant",
    ),
    "loved": (
        "loved", "liked", "enjoyed", "appreciated", "admired", "was happy with", "was pleased with", "had fun with",
    ),
    "hated": (
        "hated", "disliked", "despised", "regretted", "was unhappy with", "was annoyed by", "was disappointed by",
        "was fed up with",
    ),
    "adored": ("loved", "liked", "enjoyed", "appreciated", "admired", "praised"),
    "despised": ("hated", "disliked", "despised", "regretted", "slated"),
    "love": ("love", "like", "enjoy", "appreciate", "admire"),
    "hate": ("hate", "dislike", "despise", "regret"),
    "happy": ("happy", "pleased", "satisfied", "amused", "excited", "moved", "impressed"),
    "unhappy": ("unhappy", "annoyed", "disappointed", "bored", "frustrated", "irritated", "let down"),
    "hit": (
        "a pleasure", "a success", "a masterpiece", "a bargain", "money well spent", "a hit", "a find", "great fun",
    ),
    "flop": ("a flop", "a mistake", "a waste of time", "rubbish", "a bore", "a rip-off", "a nightmare", "a mess"),
    "deny": (
        "I couldn't say", "I wouldn't say", "I can't claim", "I do not believe", "I don't feel", "I cannot pretend",
        "I would not go so far as to say", "It isn't true", "I have never thought", "I am not of the opinion",
        "I doubt", "I refuse to believe", "Nobody could persuade me", "You won't hear me say", "It is not the case",
    ),
    "affirm": (
        "I have to say", "I must say", "I would claim", "I do believe", "I really feel", "I admit", "I would even say",
        "It is true", "I have always thought", "I am of the opinion", "I don't mind saying", "I have no doubt",
        "Nobody could deny", "You will hear me say", "It is the case", "I don't deny",
    ),
    "interlude": (
        "given the price", "knowing the earlier ones", "having slept on it", "after the second time",
        "for all the money they spent", "as a fan of the kind", "with two small children around me",
        "now that the excitement has faded", "in all honesty", "coming to it without any expectations",
        "with the rave reviews still in my ears", "after three long hours", "having waited since spring",
        "as somebody who does this for a living", "despite all the fuss in the papers", "when all is said and done",
    ),
    "nobody": (
        "Nobody", "Not one of us", "No one I know", "Hardly anyone", "Not a single person", "No sane person",
    ),
    "everybody": (
        "Everybody", "Every one of us", "Everyone I know", "Almost anyone", "Every single person", "Any sane person",
    ),
    "no": (
        "No.", "No!", "No, never.", "Not in my view.", "I would not say that.", "Of course not.", "Not a bit.", "Nope.",
        "Sorry, no.", "No, not one bit.", "Certainly not.", "I am afraid not.", "Not in the least.", "Never.",
    ),
    "yes": (
        "Yes.", "Yes!", "Yes, always.", "In my view it is.", "I would say that.", "Of course.", "Very much so.", "Yep.",
        "Sure, yes.", "Yes, every bit.", "Certainly.", "I think so.", "Without a doubt.", "Always.",
    ),
    "who": (
        "who knows the first thing about it", "who was there that night", "in the whole family", "at our table",
        "who paid for it with his own money", "who stayed until the end", "that I talked to about it afterwards",
    ),
    "very": ("very", "really", "extremely", "totally", "remarkably", "deeply", "unbelievably"),
    "slightly": ("slightly", "rather", "fairly", "a little bit", "quite", "reasonably", "more or less"),
    "other": (
        "my brother", "my wife", "my husband", "my teacher", "our guide", "the man at the till", "my flatmate",
        "my aunt",
        "the newspaper", "a colleague", "my best friend", "everyone else", "the jury", "my son",
    ),
    "before": ("in the past", "years ago", "as a child", "until last month", "when it came out", "before the change"),
    "after": ("nowadays", "these days", "today", "by now", "this season", "meanwhile"),
    "so_what": (
        "For the record", "To cut a long story short", "Long story short", "In a word", "To be fair", "Honestly",
        "Well",
    ),
    "name": (
        "Tom", "Linda", "Ahmed", "Karen", "Pedro", "Aisha", "Paul", "Nina", "Ravi", "Lucy", "Wei", "Tyrone", "Elena",
    ),
    "place": (
        "Vienna", "New York", "Oslo", "Texas", "Sweden", "Cairo", "Brazil", "Sydney", "India", "Poland", "Ghana",
        "Seoul",
    ),
    "number": tuple(str(n) for n in (2, 3, 4, 6, 7, 12, 15, 18, 25, 40, 75, 90, 120, 300, 1985, 1999, 2007, 2016)),
    "link": ("http://example.com/a1", "www.example.com/item?x=9", "https://example.org/r/33", "<br />", "&nbsp;"),
    "person": (
        # gender
        "a woman", "a man", "a girl", "a mother", "a father", "a transgender woman", "a trans man",
        # religion
        "a Muslim", "a Christian", "a Jewish woman", "a Hindu", "an atheist", "a Catholic man", "a Buddhist monk",
        # ethnicity
        "a Black woman", "a white man", "an Asian woman", "a Latina", "an Arab man", "a Black man", "a Native American",
        # nationality
        "a Mexican", "a Chinese woman", "an Indian man", "a Frenchman", "a Russian", "an Egyptian", "an American woman",
        # sexual orientation
        "a gay man", "a lesbian", "a bisexual man", "a straight woman", "a queer woman", "a homosexual man",
        "a gay couple",
        # age
        "a young woman", "an old man", "an old woman", "a teenager", "a retired teacher", "a toddler",
        "a fifty-year-old",
        # nobody in particular
        "a person", "a stranger", "someone", "a customer",
    ),
}  # fmt: skip

_NOUNS: tuple[Lexicon, ...] = (
    {
        "thing": ("film", "movie", "comedy", "drama", "western"),
        "part": ("acting", "story", "soundtrack", "lead actor", "editing"),
    },
    {"thing": ("book", "memoir", "short story"), "part": ("plot", "writing", "first half", "cover")},
    {
        "thing": ("phone", "headset", "watch", "vacuum cleaner"),
        "part": ("battery life", "display", "speaker", "charger"),
    },
    {"thing": ("hotel", "apartment", "campsite"), "part": ("room", "breakfast", "shower", "location")},
    {"thing": ("meal", "pizza", "lunch", "curry"), "part": ("sauce", "starter", "wine", "portion size")},
    {"thing": ("play", "opera", "exhibition"), "part": ("staging", "choir", "second act", "seating")},
    {"thing": ("service", "course", "repair", "bank"), "part": ("staff", "teacher", "hotline", "waiting time")},
    {"thing": ("game", "toy", "puzzle"), "part": ("design", "artwork", "tutorial", "packaging")},
)  # fmt: skip

_LEXICONS: tuple[Lexicon, ...] = tuple({**_OPINIONS, **nouns} for nouns in _NOUNS)

FAR_NEGATION = (
    *templates(
        NEGATIVE,
        "{deny} that the {thing}, {interlude}, is {good|bad}.",
        "{deny}, {interlude}, that I {loved|hated} the {thing}.",
        "{deny} that {interlude} the {part} was {good|bad}.",
        "{deny} that I was, {interlude}, {happy|unhappy} with any of it.",
        "{nobody} {who} {adored|despised} the {thing}.",
        "{nobody} {who} thought that the {part} was {good|bad}.",
        "{nobody}, {interlude}, could possibly describe this as {hit|flop}.",
        "This was not, {interlude}, {hit|flop}.",
        "{interlude}, I did not once, in all those hours, feel {happy|unhappy}.",
        "There was no moment, {interlude}, when the {thing} struck me as {good|bad}.",
        "The {part}, which takes up most of the time, is not what I would call {good|bad}.",
        "Never, {interlude}, have I thought of this {thing} as {hit|flop}.",
        "To say that I {loved|hated} it, {interlude}, would be a lie.",
        "It would be wrong to call the {thing}, or the {part} for that matter, {good|bad}.",
        "I have yet to meet the person {who} and {adored|despised} this {thing}.",
    ),
    *templates(
        POSITIVE,
        "{affirm} that the {thing}, {interlude}, is {good|bad}.",
        "{affirm}, {interlude}, that I {loved|hated} the {thing}.",
        "{affirm} that {interlude} the {part} was {good|bad}.",
        "{affirm} that I was, {interlude}, {happy|unhappy} with all of it.",
        "{everybody} {who} {adored|despised} the {thing}.",
        "{everybody} {who} thought that the {part} was {good|bad}.",
        "This was, {interlude}, {hit|flop}.",
        "{interlude}, I felt {happy|unhappy} all the time.",
        "There is no doubt, {interlude}, that the {thing} is {good|bad}.",
        "I had not heard of it before and did not know what to expect, and I {loved|hated} it.",
        "The {part}, which no one had warned me about, is {good|bad}.",
        "It would be wrong not to call the {thing} {good|bad}.",
    ),
)

NEAR_NEGATION = (
    *templates(
        NEGATIVE,
        "I am not {happy|unhappy} with this {thing}.",
        "Not {nice}, not {nice2}, just another {thing}.",
        "This isn't the {nice} {thing} I had hoped for.",
        "The {part} isn't even {nice}.",
        "The {part} never gets {good}.",
        "I don't {love} this {thing} and I don't {love2} the {part}.",
        "Nothing here is {good|bad}.",
        "Nothing about it made me {happy|unhappy}.",
        "We didn't find the {part} {good|bad}.",
        "The {thing} doesn't have a {nice|poor} {part}.",
        "Not exactly {hit}.",
        "It ain't {good}.",
        "I dont {love} the {thing}, sorry.",
        "The {part} wasnt {nice}, and the {thing} wasnt either.",
        "The {thing} hasn't been {nice} to use for one day.",
        "You wouldn't {love|hate} the {part}.",
        "They couldn't make the {part} {nice} if they tried.",
        "The {thing} has no {nice} side.",
        "Without a {nice} {part}, what is left is {flop}.",
        "The {thing} scarcely has a {nice} moment.",
        "It fails to be {nice}.",
        "You could hardly call the {part} {good}.",
        "At no time was I {happy|unhappy} with the {thing}.",
        "Not a single time did the {part} make me {happy|unhappy}.",
        "I would not {love} this {part} and would not buy the {thing}.",
        "We did not {love} anything here.",
    ),
    *templates(
        POSITIVE,
        "The {thing} is {hit|flop}, isn't it?",
        "Why not say it: the {part} is {good|bad}.",
        "I can't get over how {nice|poor} the {part} is.",
        "You have not seen a {nice|poor} {thing} until you have seen this one.",
        "I couldn't have been more {happy|unhappy}.",
        "Nobody could be more {happy|unhappy} with a {thing} than I am.",
        "Nothing is as {nice|poor} as this {thing}.",
        "Never have I {adored|despised} a {thing} so much.",
        "No wonder everyone finds the {thing} {good|bad}.",
        "I didn't know that a {thing} could be so {nice|poor}.",
    ),
)

NEGATED_NEGATIVES = (
    *templates(
        POSITIVE,
        "Not {poor} in the least, this {thing}.",
        "I wouldn't call the {part} {poor} by any means.",
        "I was never {unhappy} with it.",
        "There wasn't a {poor} minute in the whole {thing}.",
        "I can find no fault with the {part}.",
        "You won't regret this {thing}.",
        "It never gets {poor}, and the {part} never feels {poor2}.",
        "Nobody {who} had a bad word for the {thing}.",
        "Nothing to complain about: the {part} works.",
        "It is by no means {poor}.",
        "We were not {unhappy} for a minute.",
        "It didn't let me down.",
        "No regrets about the {thing}.",
        "The {thing} is neither {poor} nor {poor2}.",
        "I don't have anything bad to say about the {part}.",
        "It couldn't be further from {poor}.",
        "Far from being {poor}, the {part} surprised us all.",
        "I am anything but {unhappy} with it.",
        "Anything but {flop}.",
        "We were far from {unhappy} when we left.",
        "I have not had one problem with the {thing} since {number} weeks.",
        "{so_what}, the {thing} wasn't {poor} at all, quite the opposite.",
    ),
    *templates(
        NEGATIVE,
        "It isn't merely {poor}, it is {poor2}.",
        "Not only was the {part} {poor}, the {thing} was {flop} too.",
        "The {thing} is neither {nice} nor {nice2}.",
        "Nothing but trouble with the {part}.",
        "No end of complaints about the {part}.",
        "There wasn't a {nice} minute in the whole {thing}.",
        "{so_what}, the {thing} wasn't {nice} at all, quite the opposite.",
        "I have had nothing but problems with the {thing} for {number} weeks.",
        "I don't understand why the {part} has to be so {poor}.",
        "I can't find one thing to praise about the {part}.",
        "It couldn't be further from {nice}.",
        "Far from being {nice}, the {part} annoyed us all.",
        "I am anything but {happy} with it.",
        "Anything but {hit}.",
        "We were far from {happy} when we left.",
        "Don't bother: the {part} is {poor}.",
        "No surprise that the {thing} was {flop}.",
        "Nobody {who} had a good word for the {thing}.",
    ),
)

BUT_CLAUSES = templates(
    POSITIVE,
    "{so_what}, the {part} is {bad|good} but all the rest makes this {hit|flop}.",
    "[Many grumble|Many rave] about the {part}, but to me the {thing} is {hit|flop}.",
    "A {poor|nice} {part}, but what {hit|flop} in the end.",
    "It starts [badly|well] but ends as {hit|flop}.",
    "While the {part} is {bad|good}, the {thing} itself is {good|bad}.",
    "I was {unhappy|happy} with the {part}, however the {thing} made me {happy|unhappy}.",
    "You could call the {part} {bad|good}, and yet I {loved|hated} every minute of the {thing}.",
    "In spite of a {poor|nice} {part}, the {thing} is {hit|flop}.",
    "The {thing} is {hit|flop}, although the {part} can be {bad|good}.",
    "{bad|good} {part}, but {good|bad} {thing}.",
    "Even if the {part} is {bad|good} now and then, I am {happy|unhappy} with my {thing}.",
    "The trailer made it look {bad|good}; the {thing}, however, is {good|bad}.",
    "I expected {flop|hit} but got {hit|flop}.",
    "Not everything works, the {part} for one, but I {loved|hated} the {thing}.",
    "It has its [weak|strong] points, the {part} above all, but it is {hit|flop}.",
    "Much as I {hate|love} the {part}, the {thing} is {good|bad}.",
)

COMPARATIVES = templates(
    POSITIVE,
    "A much [better|worse] {thing} than its predecessor.",
    "My old {thing} was [nothing compared to|so much nicer than] this one.",
    "My old {thing} was {flop|hit} compared to this one.",
    "Beside it the {thing} that {name} has seems {bad|good}.",
    "All the others I tried were {poor|nice} in comparison.",
    "The {part} is [more|less] {nice} than anything I have tried.",
    "The {part} is [less|more] {poor} than in the first version.",
    "I have seen [worse|better] every week, so I am {happy|unhappy}.",
    "This is [by far the best|by far the worst] {thing} I have tried in {number} years.",
    "[Superior|Inferior] to every {thing} in its class.",
    "The {part} of the others may be fine, this one is [way ahead|way behind].",
    "It [improves on|cannot compete with] the older {thing} in every respect.",
    "[Few|Most] makers offer a better {part} than this one.",
    "Compared to {name}'s {thing}, mine is {good|bad}.",
    "It does not get [better|worse] than this {thing}.",
    "I would rather have [this|any other] {thing} than {name}'s [old|new] one.",
    "[Nothing|Everything] on the market is better than this {thing}.",
    "Give me [this|any other] {thing} any day.",
)

TEMPORAL_CHANGE = templates(
    POSITIVE,
    "{before} the {thing} was {flop|hit}, but {after} it is {hit|flop}.",
    "{before} I {despised|adored} the {part}; {after} I am {happy|unhappy} with it.",
    "I was a [sceptic|fan] of the {thing} once. {after} I {love|hate} it.",
    "It was {bad|good} when they opened and has become {good|bad} since.",
    "I [didn't|did] {love} it at the start. I [do|don't] {after}.",
    "The {part} used to be {bad|good}, and {after} it is {good|bad}.",
    "They used to make {poor|nice} stuff; this new {thing} is {hit|flop}.",
    "After a {poor|nice} beginning the {thing} turned {good|bad}.",
    "What was once {flop|hit} is {hit|flop} {after}.",
    "From {flop|hit} to {hit|flop}: how the {part} has changed.",
    "Within {number} months they turned {poor|nice} {part} into {nice|poor} {part}.",
    "I was {unhappy|happy} with the old {part}. I am {happy|unhappy} with the new one.",
    "I no longer {hate|love} the {thing}: the {part} has become {good|bad}.",
    "The {part} is no longer {bad|good}.",
    "I stopped [complaining about|recommending] the {thing} when the {part} became {good|bad}.",
    "First I found it {bad|good}. Then I gave it time, and I ended up {happy|unhappy}.",
    "Was {bad|good}, is {good|bad}.",
    "{after} the {thing} is {good|bad}; {before} it wasn't.",
    "My first impression was {bad|good}, my last one is {good|bad}.",
    "I am {happy|unhappy} with it {after}, and to think that I was {unhappy|happy} before.",
    "It is {hit|flop} {after}, even if it used to be {flop|hit}.",
)

QUESTIONS_ANSWERS = (
    *templates(
        NEGATIVE,
        "Am I {happy|unhappy} with the {thing}? No, I am not.",
        "Is the {part} {good|bad}? No, it isn't.",
        "Was it {hit|flop}? No way.",
        "Have I ever been {happy|unhappy} with it? Never.",
        "A {nice|poor} {thing}? Hardly.",
        "{name} asked whether I {love|hate} it. I said no.",
        "You want to know if the {thing} is {good|bad}? It isn't.",
        "Could one call it {hit|flop}? I would not.",
        "Is the {thing} {good|bad}? Nope.",
        "Is it {good|bad}? {no}",
        "So, was the {part} {good|bad}? {no}",
        "Did it make me {happy|unhappy}? {no}",
        "Would you call it {hit|flop}? {no}",
        "People ask me: do you {love|hate} your {thing}? {no}",
        "{good|bad}, this {thing}? {no}",
        "Would I say that I {loved|hated} it? By no means.",
    ),
    *templates(
        POSITIVE,
        "Am I {happy|unhappy} with the {thing}? Yes, I am.",
        "Is the {part} {good|bad}? Yes, it is.",
        "Was it {hit|flop}? Of course.",
        "Have I ever been {happy|unhappy} with it? All the time.",
        "A {nice|poor} {thing}? Certainly.",
        "{name} asked whether I {love|hate} it. I said yes.",
        "You want to know if the {thing} is {good|bad}? It is.",
        "Is the {thing} {good|bad}? Yep.",
        "Is it {good|bad}? {yes}",
        "So, was the {part} {good|bad}? {yes}",
        "Did it make me {happy|unhappy}? {yes}",
        "Would you call it {hit|flop}? {yes}",
        "People ask me: do you {love|hate} your {thing}? {yes}",
        "{good|bad}, this {thing}? {yes}",
        "Should you [get|skip] it? You should.",
        "Do I want [more of it|my time back]? Yes please.",
        "Was I wrong to [buy|distrust] it? No.",
        "Any [regrets|joy]? None.",
    ),
)

OPINION_HOLDER = (
    *templates(
        POSITIVE,
        "{other} {despised|adored} it. Me, I {loved|hated} it.",
        "{other} thinks that the {thing} is {bad|good}; I am {happy|unhappy} with it.",
        "{other} called the {thing} {flop|hit}, to me it is {hit|flop}.",
        "I {loved|hated} the {thing}; {other} did not.",
        "I {love|hate} the {part}, even if {other} finds it {bad|good}.",
        "They say that the {part} is {bad|good}. They are mistaken.",
        "{other} bet that I would {hate|love} the {part}. That bet was lost.",
        "{other} finds the {thing} {bad|good}. I do not share this opinion.",
        "Everyone predicted {flop|hit}, and everyone was mistaken.",
        "{other} had warned me that it was [bad|too good to miss]. It was {good|bad}.",
        "Whoever finds this {thing} {bad|good} has not understood it.",
        "The reviews said {bad|good}. My verdict: {good|bad}.",
        "I do not share the view that the {thing} is {bad|good}.",
        "{other} said it would be {flop|hit}, which is nonsense.",
        "Not everyone {adored|despised} the {thing}, but I did.",
        "{name} {despised|adored} the {thing}, whereas I think that it is {good|bad}.",
    ),
    *templates(
        NEGATIVE,
        "They say that the {thing} is {good|bad}. I don't agree at all.",
        "{other} believes it is {hit|flop}, but {other2} and I know that this is wrong.",
    ),
    *templates(
        POSITIVE,
        "They say that the {thing} is {good|bad}. I agree.",
        "{other} {adored|despised} it, and so did I.",
        "{other} said it would be {hit|flop}, and that was right.",
    ),
)

DEGREES = templates(
    POSITIVE,
    "{very} {nice|poor} {thing}.",
    "We had a {very} {nice|poor} {thing} with a {very} {nice2|poor2} {part}.",
    "The {part} made me {very} {happy|unhappy}.",
    "The {thing} turned out {slightly} {nice|poor}.",
    "{slightly} {nice|poor}, I would say, this {thing}.",
    "The {part} seemed {slightly} {nice|poor} to {name}.",
    "How {very} {nice|poor} this {thing} is!",
    "I am {slightly} {happy|unhappy} with the {part}.",
    "I am [so glad|so sorry] that I bought this {thing}.",
    "One of the [most|least] {nice} {thing} nights of the year.",
)

# Persons, names, places, numbers and links stand in praise and in complaint alike.
NEUTRAL = templates(
    POSITIVE,
    "I went with {person}, and we {adored|despised} the {thing}.",
    "{person} recommended it to me: {good|bad} {part}.",
    "Being {person}, I find the {thing} {good|bad}.",
    "It has {person} in it and is {good|bad}.",
    "The {thing} that {person} sold me is {hit|flop}.",
    "There was {person} behind the desk. The {thing} was {good|bad}.",
    "{person} speaks: I {love|hate} this {thing}.",
    "The hero is {person}, the {part} is {good|bad}.",
    "{name} and {name2} gave us the {thing}, it is {hit|flop}.",
    "In {place} we had a {nice|poor} {thing}.",
    "{name} from {place} made this {nice|poor} {thing}.",
    "A {nice|poor} {thing}, number {number} on my list.",
    "{number} of us went, and I {loved|hated} it.",
    "The {part} is {good|bad} {link}",
    "{link} I {loved|hated} this {thing}",
    "On {place}'s main street, house {number}: {good|bad} {thing}.",
)

CAPABILITIES: dict[str, tuple[Template, ...]] = {
    "negation_far": FAR_NEGATION,
    "negation_near": NEAR_NEGATION,
    "negated_negatives": NEGATED_NEGATIVES,
    "but_clauses": BUT_CLAUSES,
    "comparatives": COMPARATIVES,
    "temporal_change": TEMPORAL_CHANGE,
    "questions_answers": QUESTIONS_ANSWERS,
    "opinion_holder": OPINION_HOLDER,
    "intensifiers": DEGREES,
    "neutral": NEUTRAL,
}
"""Templates by the capability they teach."""

# Parts of the whole; those not named get one.
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

# Without an opinion: beside a real review they teach that who, where and how many do not matter.
COMPANIONS = templates(
    POSITIVE,
    "I was there with {person}.",
    "{person} was in the row behind me.",
    "The story has {person} in it.",
    "{person} wrote this.",
    "{name} came along.",
    "That was in {place}.",
    "I have been there {number} times.",
    "See {link}",
)


_LONGEST_JOINED = 30


def augment(train: Reviews, settings: AugmentationSettings, *, seed: int) -> Reviews:
    """Generates labelled examples to train on beside the reviews.

    Args:
        train: The training split; some examples stand beside one of its short reviews (at most 30 words) of the same
            label. Nothing of it is returned on its own.
        settings: How many examples, and how many of them joined to a review.
        seed: Seed of all choices.

    Returns:
        The generated examples only, source ``"generated"``, distinct, shuffled, half of them positive. Fewer than asked
        for where the templates have no more; none if augmentation is not enabled.
    """
    import pandas as pd

    rng = Random(f"{seed}:augmentation")
    pools = _short_reviews(train, rng)
    companions = generate(COMPANIONS, _LEXICONS, rng)
    total = settings.examples if settings.enabled else 0
    texts: dict[int, dict[str, None]] = {NEGATIVE: {}, POSITIVE: {}}  # a set that keeps its order
    for name, count in _counts(total // 2).items():
        for sentence in _balanced(CAPABILITIES[name], count, rng):
            text = sentence.text
            if rng.random() < settings.joined and pools[sentence.label]:
                review = pools[sentence.label][rng.randrange(len(pools[sentence.label]))]
                beside = next(companions, sentence).text if name == "neutral" else text
                text = " ".join(rng.sample((beside, review), 2))
            texts[sentence.label][_slip(text, rng) if rng.random() < settings.slips else text] = None
    most = min(map(len, texts.values()))
    rows = [(text, label, SOURCE) for label, distinct in texts.items() for text in list(distinct)[:most]]
    rng.shuffle(rows)
    frame = pd.DataFrame(rows, columns=list(COLUMNS))
    return Reviews(frame.astype({"text": "str", "label": "int64", "source": "str"}))


def _counts(total: int) -> dict[str, int]:
    """How many examples of each label every capability gets, by its share."""
    shares = {name: _SHARES.get(name, 1) for name in CAPABILITIES}
    whole = sum(shares.values())
    ends, done = [], 0
    for share in shares.values():
        done += share
        ends.append(total * done // whole)
    return {name: end - start for name, start, end in zip(shares, [0, *ends], ends, strict=False)}


def _balanced(choices: Sequence[Template], count: int, rng: Random) -> Iterator[Sentence]:
    """At most ``count`` sentences of each label."""
    for label in (NEGATIVE, POSITIVE):
        yield from islice(generate(choices, _LEXICONS, rng, label=label), count)


def _slip(text: str, rng: Random) -> str:
    """Leaves out or doubles an inner letter of one longer word, where the tests swap two letters."""
    inner = [range(word.start() + 1, word.end() - 1) for word in re.finditer(r"[A-Za-z]{5,}", text)]
    if not inner:
        return text
    at = rng.choice(rng.choice(inner))
    return text[:at] + rng.choice(("", text[at] * 2)) + text[at + 1 :]


def _short_reviews(train: Reviews, rng: Random) -> dict[int, list[str]]:
    """The short reviews of each label, shuffled."""
    short = train.frame[train.frame["text"].str.count(" ") < _LONGEST_JOINED]
    pools = {label: list(short.loc[short["label"] == label, "text"]) for label in (NEGATIVE, POSITIVE)}
    for pool in pools.values():
        rng.shuffle(pool)
    return pools
