"""Clauses that most families share. The first alternative is praise, the second is complaint."""

from __future__ import annotations

from sentiment.behaviour.training.compose import combine

PAST_OF_THING = (
    "the {thing} was {good|bad}",
    "the {part} was {good|bad}",
    "it was {hit|flop}",
    "the {thing} turned out to be {hit|flop}",
    "the {part} seemed {good|bad} to us",
    "it made me {glad|cross}",
    "the {part} left me {happy|unhappy}",
    "they gave us a {nice|poor} {thing}",
    "it had a {nice|poor} {part}",
    "the whole {thing} struck me as {good|bad}",
    "the {part} [impressed|annoyed] all of us",
    "the {thing} [won me over|put me off]",
    "they [took great care of|messed up] the {part}",
    "the {part} [exceeded|fell short of] all my hopes",
)
PAST_OF_SPEAKER = (
    "I {loved|hated} the {thing}",
    "I {loved|hated} the {part}",
    "we {adored|despised} the {thing}",
    "I was {happy|unhappy} with the {part}",
    "I found the {part} {good|bad}",
    "I thought it was {good|bad}",
    "I [had a good time|had a bad time] with it",
    "we [praised|complained about] the {part}",
    "I [told everyone to try|told everyone to avoid] the {thing}",
)
PAST = (*PAST_OF_THING, *PAST_OF_SPEAKER)

PRESENT_OF_THING = (
    "the {thing} is {good|bad}",
    "the {part} is {good|bad}",
    "it is {hit|flop}",
    "the {part} makes me {glad|cross}",
    "it has a {nice|poor} {part}",
    "the {part} [works well|lets me down]",
    "this {thing} [deserves five stars|deserves one star at most]",
    "the {thing} [impresses me|annoys me]",
)
PRESENT_OF_SPEAKER = (
    "I {love|hate} the {thing}",
    "I {love|hate} the {part}",
    "I am {happy|unhappy} with it",
    "I find the {part} {good|bad}",
    "we {love|hate} it",
    "I think it is {good|bad}",
    "I [recommend|advise against] the {thing}",
    "I [would buy it again|want my money back]",
)
PRESENT = (*PRESENT_OF_THING, *PRESENT_OF_SPEAKER)

# Clauses whose denial is surely the opposite opinion. No raves: what is not perfect may still be good.
DENIABLE = (
    "the {thing} is {good_plain|bad_plain}",
    "the {part} I got was {good_plain|bad_plain}",
    "it was {hit|flop}",
    "the {thing} turned out to be {hit|flop}",
    "the {part} made us {glad|cross}",
    "this is a {good_plain|bad_plain} {thing}",
    "the {thing} has a {good_plain|bad_plain} {part}",
    "we {adored|despised} the {thing}",
    "I {loved|hated} the {part}",
    "I was {happy|unhappy} with the {thing}",
    "the {part} struck me as {good_plain|bad_plain}",
    "the {thing} deserves [praise|blame]",
)  # fmt: skip

# The opinion of another person.
OF_OTHERS = combine(
    "<person> <says> <clause>",
    person=("{other}", "{name}", "the reviews", "most people", "the critics"),
    says=(
        "said that", "thought that", "claimed that", "wrote that", "told me that", "insisted that", "swore that",
        "kept saying that", "announced that", "shouted that",
    ),
    clause=(
        "the {thing} was {good|bad}",
        "the {part} was {good|bad}",
        "it was {hit|flop}",
        "the {thing} had a {nice|poor} {part}",
        "it was [a must|a must to avoid]",
    ),
)  # fmt: skip
ACTS_OF_OTHERS = combine(
    "<person> <act>",
    person=("{other}", "{name}", "the reviews", "most people", "the critics", "the guests before us"),
    act=(
        "{adored|despised} the {thing}",
        "{adored|despised} the {part}",
        "found the {thing} {good|bad}",
        "called it {hit|flop}",
        "described the {part} as {good|bad}",
        "gave it [five stars|one star]",
        "[praised|tore apart] the {thing}",
        "[could not stop praising|could not stop moaning about] the {part}",
        "[sang its praises|ran it down]",
        "[raved|grumbled] about the {thing}",
    ),
)
