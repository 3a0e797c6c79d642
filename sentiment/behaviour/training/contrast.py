"""Two opinions in one text: which one counts? Concessions, comparisons and changes over time."""

from __future__ import annotations

from sentiment.behaviour.templates import templates
from sentiment.behaviour.training.clauses import PAST, PRESENT
from sentiment.behaviour.training.compose import combine, opposite
from sentiment.reviews.table import NEGATIVE, POSITIVE

# What is admitted concerns a part; the main clause concerns the whole.
_ADMITTED = (
    "the {part} is {bad|good}",
    "the {part} was {bad|good}",
    "the {part} could be [better|worse]",
    "I {hated|loved} the {part}",
    "the {part} has its [faults|good moments]",
    "I was {unhappy|happy} with the {part}",
    "they got the {part} [wrong|right]",
    "the {part} [took some getting used to|looked promising]",
    "not all of it [worked|failed]",
    "[some details annoyed|some details impressed] me",
)
_MAIN = (
    "the {thing} as a whole is {good|bad}",
    "the {thing} itself was {good|bad}",
    "I {loved|hated} the {thing}",
    "it is {hit|flop}",
    "all in all it was {hit|flop}",
    "the {thing} made me {glad|cross} in the end",
    "I am {happy|unhappy} overall",
    "I [will come back|will never come back]",
    "I [would recommend it to anyone|would not recommend it to anyone]",
    "the rest makes this {hit|flop}",
    "on balance I am {happy|unhappy} with my {thing}",
)
BUT_CLAUSES = templates(
    POSITIVE,
    *combine(
        "<admitted>, but <main>.",
        "<admitted>; however, <main>.",
        "<admitted>. Still, <main>.",
        "<admitted>, and yet <main>.",
        "although <admitted>, <main>.",
        "even if <admitted>, <main>.",
        "sure, <admitted>. None of that matters: <main>.",
        "<main>, although <admitted>.",
        "<main>, even though <admitted>.",
        "<main>. True, <admitted>, but that changes nothing.",
        "granted, <admitted>, yet <main>.",
        "yes, <admitted>. But <main>.",
        "{so_what}, <admitted> but <main>.",
        limit=16,
        admitted=_ADMITTED,
        main=_MAIN,
    ),
    *combine(
        "<despite>, <main>.",
        "<main> <despite>.",
        limit=24,
        despite=("in spite of the {poor|nice} {part}", "despite the {poor|nice} {part}",
                 "for all its [faults|strengths]",
                 "notwithstanding the {bad_plain|good_plain} {part}", "even with a {poor|nice} {part}"),
        main=_MAIN,
    ),
    "[Many grumble|Many rave] about the {part}, but to me the {thing} is {hit|flop}.",
    "A {poor|nice} {part}, but what {hit|flop} in the end.",
    "It starts [badly|well] but ends as {hit|flop}.",
    "{bad|good} {part}, but {good|bad} {thing}.",
    "The trailer made it look {bad|good}; the {thing}, however, is {good|bad}.",
    "I expected {flop|hit} but got {hit|flop}.",
    "It has its [weak|strong] points, the {part} above all, but it is {hit|flop}.",
    "Much as I {hate|love} the {part}, the {thing} is {good|bad}.",
    "I wanted to {hate|love} this {thing}, but I couldn't.",
    "It is {hit|flop} with a {poor|nice} {part}, and I am {happy|unhappy}.",
)  # fmt: skip

_THIS = ("this {thing}", "this one", "my {thing}", "the {thing} I have now")
_THAT = ("the last one", "{name}'s", "any other {thing} I have tried", "what I had before", "its rivals",
         "the {thing} next door", "the one from {place}", "everything else on the market")  # fmt: skip
_IS_BETTER = (
    "is clearly [better|worse] than", "is a lot [better|worse] than", "is [nicer|uglier] than",
    "is [superior|inferior] to",
    "is far [better|worse] than",
    "is [a big step up from|a big step down from]", "is [a clear improvement on|a step back from]",
    "is [way ahead of|way behind]", "[beats|loses to]", "[outshines|falls short of]", "[outdoes|cannot match]",
    "has [the edge over|no chance against]", "[shines beside|looks pale beside]",
    "gives me [more joy|less joy] than", "is [worth more|worth less] than", "made me [happier|angrier] than",
    "has [fewer faults|more faults] than", "[does more for me|does less for me] than",
)  # fmt: skip
_MORE = ("enjoyable", "convincing", "helpful", "memorable", "reliable", "entertaining", "pleasant")
_LESS = ("boring", "annoying", "frustrating", "disappointing", "clumsy", "irritating", "sloppy")
COMPARATIVES = templates(
    POSITIVE,
    *combine("<this> <better> <that>.", limit=70, this=_THIS, better=_IS_BETTER, that=_THAT),
    # the other one is worse: praise for this one
    *combine(
        "<that> <worse> <this>.",
        limit=70,
        this=_THIS,
        worse=opposite([text for text in _IS_BETTER if text.startswith(("[", "has"))]),
        that=("the last one", "{name}'s {thing}", "what I had before", "the {thing} next door", "the one from {place}"),
    ),
    *combine(
        "<that> is [worse|better] than <this>.",
        "<that> was [nothing compared to|so much nicer than] <this>.",
        "<that> is [inferior|superior] to <this>.",
        "compared with <this>, <that> is {bad|good}.",
        "next to <this>, <that> looks {bad|good}.",
        "beside <this>, <that> was {flop|hit}.",
        "compared with <that>, <this> is {good|bad}.",
        "set against <that>, <this> looks {good|bad}.",
        "after <that>, <this> is {hit|flop}.",
        "if <that> is {nice|poor}, then <this> is [even better|even worse].",
        limit=12,
        this=_THIS,
        that=("the last one", "{name}'s {thing}", "my old {thing}", "the {thing} next door", "the one from {place}"),
    ),
    *combine(
        "<this> is [more|less] <nice> than <that>.",
        "<this> is [less|more] <poor> than <that>.",
        "<that> is [less|more] <nice> than <this>.",
        "<that> is [more|less] <poor> than <this>.",
        limit=16,
        this=_THIS,
        nice=_MORE,
        poor=_LESS,
        that=("the last one", "{name}'s {thing}", "my old {thing}", "the {thing} next door"),
    ),
    *combine(
        "<prefer>.",
        prefer=(
            "I prefer [this|any other] {thing} to [any other|this one]",
            "I would take [this|any other] {thing} over [any other|this one]",
            "give me [this|any other] {thing} any day",
            "I would rather have [this|any other] {thing} than {name}'s [old|new] one",
            "I [keep|do not keep] coming back to this {thing} when I have the choice",
            "had I the choice between this and the old {thing}, I would take [this|the old one]",
            "of the {number} I tried, this {thing} is the [best|worst]",
            "I traded {name}'s {thing} for this one and am [glad|sorry] I did",
            "I switched from the old {thing} to this and [never looked back|went straight back]",
        ),
    ),
    "A much [better|worse] {thing} than its predecessor.",
    "My old {thing} was {flop|hit} compared to this one.",
    "Beside it the {thing} that {name} has seems {bad|good}.",
    "All the others I tried were {poor|nice} in comparison.",
    "I have seen [worse|better] every week, so I am {happy|unhappy}.",
    "This is [by far the best|by far the worst] {thing} I have tried in {number} years.",
    "[Superior|Inferior] to every {thing} in its class.",
    "The {part} of the others may be fine, this one is [way ahead|way behind].",
    "It [improves on|cannot compete with] the older {thing} in every respect.",
    "[Few|Most] makers offer a better {part} than this one.",
    "Compared to {name}'s {thing}, mine is {good|bad}.",
    "It does not get [better|worse] than this {thing}.",
    "[Nothing|Everything] on the market is better than this {thing}.",
    "The {part} is the [best|worst] in {place}.",
    "There is no [better|worse] {thing} in {place}.",
    "I know of no [better|worse] {part}.",
    "You will have a hard time finding a [better|worse] {thing}.",
    "[Everyone else should learn from|They should learn from others about] this {part}.",
    "For half the price you get something [much worse|much better].",
    "The sequel is [even better|even worse], and I {loved|hated} the first one.",
    "The older {thing} is [no match for|still ahead of] this one.",
    "Every other {thing} now seems [dull|exciting] to me after this one.",
    "Other {thing} makers [can only dream of|would be ashamed of] this {part}.",
)  # fmt: skip
COMPARATIVES += templates(
    NEGATIVE,
    *combine(
        "<this> is not as {good_plain|bad_plain} as <that>.",
        "<this> isn't half as {good_plain|bad_plain} as <that>.",
        limit=10,
        this=_THIS,
        that=("the last one", "{name}'s", "my old one", "the {thing} next door"),
    ),
)
COMPARATIVES += templates(
    POSITIVE,
    *combine(
        "<that> is not as {good_plain|bad_plain} as <this>.",
        "<that> isn't half as {good_plain|bad_plain} as <this>.",
        limit=10,
        this=_THIS,
        that=("the last one", "{name}'s {thing}", "my old one", "the {thing} next door"),
    ),
    *combine("<this> is every bit as {nice|poor} as <that>.", this=_THIS, that=("the last one", "{name}'s",
    "the original")),
)  # fmt: skip

_THEN = (
    *opposite(PAST),
    "I [had no time for|swore by] the {thing}",
    "the {part} [was a reason to stay away|was the reason to come]",
    "nothing [worked|went wrong] with the {part}",
)
_NOW = (
    *PRESENT,
    "the {thing} has become {good|bad}",
    "the {part} has turned {good_plain|bad_plain}",
    "it has grown into {hit|flop}",
)
_USED_TO = (
    "I used to {hate|love} the {thing}",
    "I used to {hate|love} the {part}",
    "the {part} used to be {bad|good}",
    "it used to be {flop|hit}",
    "the {thing} used to make me {cross|glad}",
    "we used to [complain about|praise] the {part}",
    "they used to have a {poor|nice} {part}",
)
TEMPORAL_CHANGE = templates(
    POSITIVE,
    *combine(
        "{before} <then>, but {after} <now>.",
        "{before}, <then>. But {after}, <now>.",
        "<then> {before}; {after} <now>.",
        "at first <then>, then things changed and now <now>.",
        "once <then>. Now <now>.",
        "there was a time when <then>. That has changed: <now>.",
        "{year}: <then>. {after}: <now>.",
        # the present first
        "{after} <now>, although <then> {before}.",
        "<now> {after}. {before} <then>.",
        "<now>, and to think that <then> {before}.",
        "now <now>; {number} months ago <then>.",
        limit=20,
        then=_THEN,
        now=_NOW,
    ),
    *combine(
        "<used>, but <now> {after}.",
        "<used>. {after} <now>.",
        "<used>, yet since {month} <now>.",
        "for {number} years <used>, until things changed. <now>.",
        "<now> {after}, though <used>.",
        "<now>. Strange, as <used>.",
        limit=18,
        used=_USED_TO,
        now=_NOW,
    ),
    *combine(
        "my <first> impression was {bad|good}, my <last> one is {good|bad}.",
        "the <first> {part} was {flop|hit}, the <last> one is {hit|flop}.",
        "my <last> visit made me {glad|cross}, unlike my <first> one.",
        "the <last> version is {good|bad}, the <first> one was {bad|good}.",
        first=("first", "early"),
        last=("last", "latest", "final", "most recent"),
    ),
    "I was a [sceptic|fan] of the {thing} once. {after} I {love|hate} it.",
    "It was {bad|good} when they opened and has become {good|bad} since.",
    "I [didn't|did] {love} it at the start. I [do|don't] {after}.",
    "They used to make {poor|nice} stuff; this new {thing} is {hit|flop}.",
    "After a {poor|nice} beginning the {thing} turned {good_plain|bad_plain}.",
    "What was once {flop|hit} is {hit|flop} {after}.",
    "From {flop|hit} to {hit|flop}: how the {part} has changed.",
    "Within {number} months they turned a {poor|nice} {part} into a {nice|poor} {part}.",
    "I was {unhappy|happy} with the old {part}. I am {happy|unhappy} with the new one.",
    "I no longer {hate|love} the {thing}: the {part} has become {good|bad}.",
    "The {part} is no longer {bad_plain|good_plain}.",
    "I stopped [complaining about|recommending] the {thing} when the {part} became {good|bad}.",
    "First I found it {bad|good}. Then I gave it time, and I ended up {happy|unhappy}.",
    "Was {bad|good}, is {good|bad}.",
    "{after} the {thing} is {good|bad}; {before} it wasn't.",
    "It is {hit|flop} {after}, even if it used to be {flop|hit}.",
    "My [dislike|love] of the {thing} is gone. {after} I am {happy|unhappy} with it.",
    "It grew [on me|old fast]: {good|bad} after {number} days.",
    "It gets [better|worse] with every {day}.",
    "The {part} has gone [uphill|downhill] since {year}.",
    "They have [fixed|ruined] the {part} since {month}.",
    "[Finally good again|Sadly not good any more], this {thing}.",
    "The {thing} has gone from [bad to good|good to bad].",
    "I [changed my mind and now|was a fan but no longer] {love} this {thing}.",
)  # fmt: skip
_STILL = (
    "the {part} used to be {good_plain|bad_plain}", "I used to {love|hate} the {thing}", "it used to be {hit|flop}",
    "the {thing} used to make me {glad|cross}", "{before} the {thing} was {good_plain|bad_plain}",
    "{before} I {loved|hated} the {part}",
)  # fmt: skip
TEMPORAL_CHANGE += templates(
    NEGATIVE,
    *combine("<used>. <no>.", "<used>, but <no>.", used=_STILL,
             no=("not any more", "no longer", "not these days", "those days are over")),
)  # fmt: skip
TEMPORAL_CHANGE += templates(
    POSITIVE,
    *combine("<used>. <yes>.", "<used>, and <yes>.", used=_STILL,
             yes=("nothing has changed", "it has stayed that way", "to this day that is so",
                  "I still feel the same")),
)  # fmt: skip
