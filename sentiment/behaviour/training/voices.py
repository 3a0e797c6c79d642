"""Whose opinion counts, and questions with their answers."""

from __future__ import annotations

from sentiment.behaviour.templates import templates
from sentiment.behaviour.training.clauses import ACTS_OF_OTHERS, OF_OTHERS, PAST, PRESENT
from sentiment.behaviour.training.compose import combine, opposite, second
from sentiment.reviews.table import NEGATIVE, POSITIVE

_OTHERS = (*OF_OTHERS, *ACTS_OF_OTHERS)
_OWN = (*PAST, *PRESENT)
OPINION_HOLDER = (
    *templates(
        POSITIVE,
        # the others see it the other way
        *combine(
            "<theirs>, but <own>.",
            "<theirs>. Not me: <own>.",
            "<theirs>. I disagree: <own>.",
            "<theirs>, whereas <own>.",
            "<theirs>. As for me, <own>.",
            "<theirs>. Who cares? <own>.",
            "<theirs>. It is my money, and <own>.",
            "<theirs>. My own judgement decides, and <own>.",
            "<theirs>. I trust my own eyes and ears: <own>.",
            "<theirs>. I went and judged for myself: <own>.",
            "<theirs>; {so_what}, <own>.",
            "<own>, even though <theirs>.",
            "<own>. <theirs>, which is nonsense.",
            "<own>, no matter that <theirs>.",
            "<own>. <theirs>, but that is their view and not mine.",
            "<own>. I know that <theirs>. So what.",
            "<theirs>. Maybe I am strange, but <own>.",
            "my view hardly counts, as <theirs>, but <own>.",
            "<own>, but what do I know: <theirs>.",
            limit=17,
            theirs=opposite(_OTHERS),
            own=_OWN,
        ),
        # the others see it the same way
        *combine(
            "<theirs>, and <own> too.",
            "<theirs>, and rightly so: <own>.",
            "<theirs>. I can only agree, <own>.",
            "<own>, and I am not alone: <theirs>.",
            limit=20,
            theirs=_OTHERS,
            own=second(_OWN),
        ),
        # agreement without an own opinion
        *combine(
            "<theirs>, <agree>.",
            "<theirs>. <agree>.",
            limit=26,
            theirs=_OTHERS,
            agree=("and I agree", "and that is how I see it too", "I would sign that", "my words exactly",
                   "and they are right", "true enough"),
        ),
        # disagreement without an own opinion
        *combine(
            "<theirs>, <disagree>.",
            "<theirs>. <disagree>.",
            limit=40,
            theirs=opposite(_OTHERS),
            disagree=(
                "which is not how I see it", "and I could not disagree more", "which is wrong", "and that is a lie",
                "I beg to differ", "I don't share this view", "my own verdict is the opposite", "that is plain wrong",
                "I see it quite differently", "nothing could be more wrong",
            ),
        ),
        *combine(
            "<dismissed>: <own>.",
            limit=70,
            dismissed=(
                "don't listen to {other}", "forget what {name} wrote", "never mind the reviews", "ignore {other}",
                "whatever the papers say", "let them talk", "you may laugh at me", "call me a fool",
                "my friends think I am odd", "everyone may see it differently", "I am no expert",
                "one opinion among many", "I speak only for myself", "I do not care what {other} thinks",
                "it is up to me to decide", "my own impression is what I go by", "others can think what they want",
            ),
            own=_OWN,
        ),
        "{other} {despised|adored} it. Me, I {loved|hated} it.",
        "{other} thinks that the {thing} is {bad|good}; I am {happy|unhappy} with it.",
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
        "{name} [hates|loves] it, {name2} [hates|loves] it, I don't.",
        "{other} said I would [walk out|love it]. Wrong: I {loved|hated} it.",
        "How can {other} call this {thing} {bad|good}? It is {good|bad}.",
        "{other} [regrets it|is over the moon]. I am {happy|unhappy}.",
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
)  # fmt: skip

# Questions that both yes and no answer.
_QUESTIONS = (
    *combine(
        "<start>?",
        start=(
            "is the {thing} {good_plain|bad_plain}", "was the {part} {good_plain|bad_plain}", "is it {hit|flop}",
            "was it {hit|flop}", "do I {love|hate} the {thing}", "did we {love|hate} the {part}",
            "did the {part} make me {glad|cross}", "am I {happy|unhappy} with it", "were we {happy|unhappy}",
            "would I call it {hit|flop}", "does it have a {good_plain|bad_plain} {part}",
            "has the {part} been {good_plain|bad_plain}", "can one call the {thing} {good_plain|bad_plain}",
            "would I [recommend it|warn people about it]", "should you [buy it|avoid it]", "did I [enjoy|regret] it",
            "is this {thing} {good_plain|bad_plain}",
            "will I [come back|stay away]", "was it [worth the|a waste of] money",
        ),
    ),
    *combine("{good_plain|bad_plain}, <subject>?", subject=("this {thing}", "the {part}", "that {thing} of theirs")),
    "a {good_plain|bad_plain} {thing}?",
    "{hit|flop}, this {thing}?",
)  # fmt: skip
_ASKED = (
    "<question> <answer>",
    "so, <question> <answer>",
    "{name} asks: <question> <answer>",
    "people keep asking me: <question> <answer>",
    "{so_what}: <question> <answer>",
    "you want to know: <question> <answer>",
    "the survey asks: <question> <answer>",
    "Q: <question> A: <answer>",
    "after {number} days, <question> <answer>",
)
_YES = (
    "{yes}",
    "{yes}",
    "yes, {so_what}.",
    "yes, and {name2} would say the same.",
    "yes, {interlude}.",
    "{yes} ask {name2}.",
)
_NO = ("{no}", "{no}", "no, {so_what}.", "no, and {name2} would say the same.", "no, {interlude}.", "{no} ask {name2}.")
# The answer stays open: yes or no.
_WHETHER = combine(
    "<ask> <clause><then>",
    ask=("{name} asked whether", "you ask me if", "{other} wanted to know if", "if you wonder whether", "they ask if"),
    clause=("the {thing} is {good_plain|bad_plain}", "I {love|hate} it", "the {part} was {good_plain|bad_plain}",
            "it was {hit|flop}", "I was {happy|unhappy}"),
    then=(": <answer>.", ", and the answer is <answer>."),
)  # fmt: skip
_YOU_THINK = combine(
    "<think> <clause>? <reply>.",
    think=("you think that", "they claim that", "so you believe", "you heard that", "{other} told you that"),
    clause=("the {thing} is {good_plain|bad_plain}", "the {part} is {good_plain|bad_plain}", "it is {hit|flop}"),
    reply=("<reply>",),
)
QUESTIONS_ANSWERS = (
    *templates(NEGATIVE, *combine(*_ASKED, limit=24, question=_QUESTIONS, answer=_NO)),
    *templates(POSITIVE, *combine(*_ASKED, limit=24, question=_QUESTIONS, answer=_YES)),
    *templates(NEGATIVE, *combine(*_WHETHER, answer=("no",))),
    *templates(POSITIVE, *combine(*_WHETHER, answer=("yes",))),
    *templates(
        NEGATIVE,
        *combine(*_YOU_THINK, limit=2, reply=("wrong", "think again", "that is false", "not true", "far from it")),
    ),
    *templates(
        POSITIVE,
        *combine(*_YOU_THINK, limit=2, reply=("right", "exactly", "correct", "true", "quite so", "yes")),
    ),
    # open questions
    *templates(
        POSITIVE,
        *combine(
            "<what>? <clause>.",
            limit=60,
            what=("what did I think of the {thing}", "how was it", "what do I say when {name} asks", "and the verdict",
                  "why am I writing this", "what stayed with me", "what can I say", "how did it go in {place}"),
            clause=(*PAST, *PRESENT),
        ),
        *combine(
            "<how>? {good|bad}.",
            how=("what about the {part}", "and the {part}", "how is the {thing}", "how was the {part}", "my {thing}",
                 "the {thing} in a word"),
        ),
        "{nice|poor} or {poor|nice}? {nice|poor}, clearly.",
        "Is the {thing} {good_plain|bad_plain} or {bad_plain|good_plain}? The former.",
        "Is the {part} {bad_plain|good_plain} or {good_plain|bad_plain}? The latter.",
        "Who would not {love|hate} this {thing}?",
        "Is there a [better|worse] {thing} in {place}? No.",
        "Could the {part} be any [better|worse]? I don't see how.",
        "Have you ever seen such a {nice|poor} {part}? I haven't.",
        "How can one not {love|hate} this {part}?",
        "Did you know how {nice|poor} this {thing} is?",
    ),
    *templates(
        NEGATIVE,
        "Why would anybody {love|hate} this {thing}?",
        "Who could {love|hate} such a {part}? Not me.",
        "Is the {thing} {good_plain|bad_plain} or {bad_plain|good_plain}? The latter.",
        "Is the {part} {bad_plain|good_plain} or {good_plain|bad_plain}? The former.",
        "Am I {happy|unhappy} with the {thing}? No, I am not.",
        "Is the {part} {good_plain|bad_plain}? No, it isn't.",
        "Was it {hit|flop}? No way.",
        "Have I ever been {happy|unhappy} with it? Never.",
        "A {good_plain|bad_plain} {thing}? Hardly.",
        "You want to know if the {thing} is {good_plain|bad_plain}? It isn't.",
        "Could one call it {hit|flop}? I would not.",
        "Would I say that I {loved|hated} it? By no means.",
    ),
    *templates(
        POSITIVE,
        "Am I {happy|unhappy} with the {thing}? Yes, I am.",
        "Is the {part} {good|bad}? Yes, it is.",
        "Was it {hit|flop}? Of course.",
        "Have I ever been {happy|unhappy} with it? All the time.",
        "A {nice|poor} {thing}? Certainly.",
        "You want to know if the {thing} is {good|bad}? It is.",
        "Could one call it {hit|flop}? I would.",
        "Would I say that I {loved|hated} it? By all means.",
        "Should you [get|skip] it? You should.",
        "Do I want [more of it|my time back]? Yes please.",
        "Was I wrong to [buy|distrust] it? No.",
        "Any [regrets|joy]? None.",
        "Would I go [again|home early]? In a heartbeat.",
        "Any [complaints|praise]? Not from me.",
    ),
)  # fmt: skip
