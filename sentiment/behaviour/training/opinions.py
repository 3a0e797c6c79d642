"""Plain opinions in many frames, strong and mild ones, and opinions beside persons, places, numbers and links."""

from __future__ import annotations

from sentiment.behaviour.templates import templates
from sentiment.behaviour.training.clauses import PAST, PAST_OF_THING, PRESENT, PRESENT_OF_THING
from sentiment.behaviour.training.compose import combine, second
from sentiment.reviews.table import POSITIVE

_OPENERS = (
    "{so_what}:", "ok so", "right,", "update:", "short version:", "just got back and", "bought in {year} and",
    "dear all,", "hi {name} and {name2},", "to whom it may concern:", "for anyone wondering:",
    "writing this from {place}:",
    "my verdict:", "as expected,", "hand on heart,", "just saying,", "my review:", "after {number} days,", "lol",
    "ugh, long day, anyway", "to sum it up,", "note from day {number}:", "so yeah,", "I must report that",
    "it is my duty to say that", "no joke,", "today I realised that",
)  # fmt: skip
_TAGS = (
    "that's all", "end of story", "full stop", "I said it", "just my view", "what can I say", "there, I said it",
    "period", "and I mean it", "same for {name}", "ask anyone in {place}", "imho", "tbh",
    "no more to add", "and that's a fact", "so there",
)  # fmt: skip

OPINIONS = templates(
    POSITIVE,
    *combine("<opener> <clause>.", limit=110, opener=_OPENERS, clause=(*PAST, *PRESENT)),
    *combine("<clause>, <tag>.", limit=60, clause=(*PAST, *PRESENT), tag=_TAGS),
    *combine("<clause>. <more>.", limit=40, clause=PAST, more=second(PRESENT)),
    *combine("<clause> and <more>.", limit=30, clause=PAST_OF_THING, more=second(PAST)),
    *combine("<clause>!", clause=(*PAST, *PRESENT)),
    # single words and short notes
    *combine(
        "<words>.",
        "<words>!!",
        "{so_what}: <words>.",
        "{thing}: <words>.",
        "5 words: <words>, {thing} and all.",
        words=("{good|bad}", "{nice|poor} {thing}", "{nice|poor} {part}", "{rave|slam}", "{good|bad} and {good2|bad2}"),
    ),
    *combine(
        "<subject> <verb> <word>.",
        "<subject> <verb> <word>, {so_what}.",
        limit=40,
        subject=("the {thing}", "the {part}", "this {thing}", "all of the {thing}", "my {thing}", "the new {thing}"),
        verb=("was clearly", "is", "has been", "was just", "is simply", "remains"),
        word=("{good|bad}", "{rave|slam}", "{hit|flop}", "{good|bad} and {good2|bad2}"),
    ),
    *combine(
        "<what> a {nice|poor} {thing}.",
        "<what> a {nice|poor} {part}.",
        what=("what", "such", "it is", "we had", "{name} showed us", "got ourselves", "imagine", "this, friends, is"),
    ),
    *combine(
        "<who> <verdict>.",
        limit=60,
        who=("I for one", "my wife and I", "we all", "the kids", "{name} and all of us", "all {number} of us"),
        verdict=(
            "{adored|despised} the {thing}", "{adored|despised} it from start to finish",
            "[laughed|yawned] a lot, as one [should|does] with {nice|poor} stuff",
            "[will come back|will stay away]", "[would do it again tomorrow|would never do it again]",
            "[had a lovely time|had an awful time]", "[got our money's worth|got robbed]",
            "[smiled all the way home|cursed all the way home]", "felt [well looked after|badly treated]",
            "[left with a smile|left in a bad mood]", "gave it [full marks|the lowest marks]",
        ),
    ),
    "[Top marks|Zero stars] for the {part}.",
    "[Thumbs up|Thumbs down] for this {thing}.",
    "[Buy it|Skip it].",
    "[Go and get|Stay away from] this {thing}.",
    "[Highly recommended|Avoid]: {thing} in {place}.",
    "[10/10|1/10] {thing}, {part} included.",
    "[5 out of 5|0 out of 5] for the {part}.",
    "[9 of 10 points|2 of 10 points].",
    "[Hats off to|Shame on] whoever made the {part}.",
    "[Bravo|Boo] to the team behind this {thing}.",
    "[Thank you|No thank you] for this {thing}, it is {good|bad}.",
    "[Hooray|Alas], the {thing} is {good|bad}.",
    "Dear Sir or Madam, I write to [praise|complain about] your {thing}.",
    "My [compliments|complaint]: the {part} was {good|bad}.",
    "I [wish I had tried|wish I had never tried] this {thing} sooner.",
    "The {thing} is full of [delicate touches|careless errors].",
    "It took [no time at all|forever] for the {part} to make me {glad|cross}.",
    "The {part} [shines|stinks].",
    "This {thing} [rocks|sucks].",
    "[So happy|So sad] that I picked this {thing}.",
    "I give the {part} [an A|an F].",
    "{nice|poor} {part} and {nice2|poor2} {thing}, {so_what}.",
    "The {thing} [keeps|breaks] every promise.",
    "I can [warmly recommend|only warn against] this {thing}.",
    "You [need|don't need] this {thing} in your life, it is {good|bad}.",
    "[Yum|Yuck], what a {thing}.",
    "[Wow|Yikes]: {part} {good|bad}, {thing} {good2|bad2}.",
)  # fmt: skip

DEGREES = templates(
    POSITIVE,
    *combine(
        "<subject> <verb> <degree> {good_plain|bad_plain}.",
        "<subject> <verb> <degree> {good_plain|bad_plain}, {so_what}.",
        limit=60,
        subject=("the {thing}", "the {part}", "this {thing}", "my {thing}", "their {part}"),
        verb=("was, all in all,", "is", "turned out", "looked", "seemed"),
        degree=("{very}", "{slightly}", "{very}, {very2}"),
    ),
    *combine(
        "<degree> {good_plain|bad_plain} {thing}.",
        "{part}: <degree> {good_plain|bad_plain}.",
        "We had a {thing} with a <degree> {good_plain|bad_plain} {part}.",
        "<degree> {good_plain|bad_plain}, I would say, this {thing}.",
        degree=("{very}", "{very}, {very2}", "{slightly}"),
    ),
    *combine(
        "I am <degree> {happy|unhappy} <why>.",
        "<degree> {happy|unhappy} <why>.",
        "The {part} left me <degree> {happy|unhappy}.",
        "We were <degree> {happy|unhappy} <why>, {so_what}.",
        degree=("{very}", "{slightly}", "more than a bit"),
        why=("with the {part}", "with my {thing}", "with it all"),
    ),
    *combine(
        "I [liked|disliked] the {thing} <degree>.",
        "I {love|hate} this {part} <degree>.",
        degree=("a lot", "a great deal", "with all my heart", "more each day", "beyond words", "so much"),
    ),
    "How {very} {good_plain|bad_plain} I found the {part}!",
    "I am [so glad|so sorry] that I bought this {thing}.",
    "One of the [most|least] {nice} {thing} nights of the year.",
    "The {thing} isn't just {nice|poor}, it is {rave|slam}.",
    "The {part} is more than {nice|poor}, it is {rave|slam}.",
    "{rave|slam} doesn't begin to describe this {thing}.",
    "To call the {part} {nice|poor} would be an understatement: {rave|slam}.",
    "So {nice|poor} that I [went twice|left at once].",
    "Too {poor|nice} [to forgive|to miss].",
    "The {part} could not be [better|worse].",
    "I could not be [happier|angrier] about the {part}.",
)  # fmt: skip

_PRAISE_OR_COMPLAINT = (*PAST_OF_THING[:10], *PRESENT_OF_THING[:5], "I {loved|hated} it", "I {love|hate} the {part}")
DETAILS = templates(
    POSITIVE,
    # the speaker
    *combine(
        "<speaker> <clause>.",
        limit=50,
        speaker=(
            "as {person} I must say that", "I am {person} myself, and", "speaking as {person},",
            "as {person} from {place},",
            "I come from a {origin} family, and", "I am {is_identity}, and", "we are {is_identity}, and",
            "my family is {origin}, and", "I am a {identity} {job}, and",
        ),
        clause=_PRAISE_OR_COMPLAINT,
    ),
    # the author, the subject, the company, the staff
    *combine(
        "<fact>. <clause>.",
        "<clause>. <fact>.",
        limit=90,
        fact=(
            "{person} made it", "the author is {is_identity}", "the {job} was {is_identity}", "it is about {group}",
            "it is about {person} in {place}", "I was there with {person}", "my husband is {is_identity}",
            "{person} served us", "the {job} was {person}", "the hero is {person}",
            "there were {group} at the next table",
            "{name} {surname} runs the place", "a {identity} {job} sold it to me", "we met {group} there",
            "{name} came along", "that was in {place} in {year}", "{relative} is {is_identity}",
            "my wife is {is_identity}", "I bought it from {person}", "the team is {is_identity}",
            "most of the guests were {group}", "it was order number {number}", "{name} from {place} was with me",
        ),
        clause=_PRAISE_OR_COMPLAINT,
    ),
    *combine(
        "{person} <did>: <clause>.",
        limit=24,
        did=("recommended it to me", "showed it to me", "took me there", "told me about it", "sold it to me"),
        clause=_PRAISE_OR_COMPLAINT,
    ),
    *combine(
        "<where>, <clause>.",
        limit=30,
        where=("in {place}", "on {day} in {place}", "in {month} {year}", "back home in {place}",
               "at {hour} in {place}", "with {name} and {name2}", "not far from {city_spot}"),
        clause=_PRAISE_OR_COMPLAINT,
    ),
    *combine(
        "{handle} <clause>",
        "<clause> {tag}",
        "<clause> {link}",
        "{link} <clause>",
        "{handle} <clause> {tag} {link}",
        "RT {handle}: <clause>",
        limit=9,
        clause=_PRAISE_OR_COMPLAINT,
    ),
    *combine(
        "the {thing} <owner> is {good|bad}.",
        "I {loved|hated} the {thing} <owner>.",
        "the {thing} <owner> was {hit|flop}.",
        owner=("that {person} sold me", "by a certain {name} {surname}", "we got in {place}",
               "with the {identity} {job}",
               "about {group}", "in {place}", "{name} gave me", "run by {group}", "made by {person}", "for {group}"),
    ),
    *combine(
        "{nice|poor} {thing} <owner>.",
        owner=("by a {identity} {job}", "about a {identity} {job}", "for {group}", "in {place}", "from {year}",
               "with {name} {surname}", "near {city_spot}", "number {number} on my list"),
    ),
    "{person} speaks: I {love|hate} this {thing}.",
    "{name} and {name2} gave us the {thing}, it is {hit|flop}.",
    "{number} of us went, and I {loved|hated} it.",
    "On {place}'s main street, house {number}: {good|bad} {thing}.",
    "Our {job} {name}, who is {is_identity}, was {good|bad}.",
    "The {identity} {job} was {good|bad}.",
    "A {nice|poor} story about {group}.",
    "{group} in the lead, and the {part} is {good|bad}.",
    "A {identity} {job} runs it, and we are {happy|unhappy} with the {part}.",
)  # fmt: skip

# Sentences without an opinion: beside a real review they teach that names, places and numbers do not matter.
COMPANIONS = templates(
    POSITIVE,
    *combine(
        "<who> <did>.",
        limit=50,
        who=("{person}", "{name}", "{name} {surname}", "a {identity} {job}", "a {job} from {place}", "{relative}"),
        did=("was in the row behind me", "wrote this", "came along", "was with us", "was there too", "sat beside me",
             "opened the door", "works there", "answered the phone", "wrote to me from {place}", "asked about it"),
    ),
    "I was there with {person}.",
    "The story has {person} in it.",
    "That was in {place}.",
    "That was in {place} in {year}.",
    "I have been there {number} times.",
    "See {link}",
    "{link}",
    "{handle}",
    "{tag}",
    "{handle} {tag}",
    "I am {person}.",
    "I am {is_identity}.",
    "We are {is_identity}.",
    "{relative} is {is_identity}.",
    "There were {group} there as well.",
    "It is about {group}.",
    "My family is {origin}.",
    "We paid on {day}.",
    "I am {age} years old.",
    "Bought in {place}, {month} {year}.",
)  # fmt: skip
