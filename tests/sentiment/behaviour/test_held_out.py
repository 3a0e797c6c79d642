"""The third set of behavioural templates: complete, clean, and different from the first two sets."""

import re
from itertools import chain

import pytest

from benchmarks.behaviour import CONFIG, load_set
from sentiment.behaviour import capabilities, held_out
from sentiment.behaviour.checks import BehaviourSettings, draw_cases
from sentiment.settings import read_settings
from tests.sentiment.behaviour.test_augmentation import TESTING_TEMPLATES, TRAINING_TEMPLATES, nested, trigrams

HELD_OUT = {t for value in vars(held_out).values() for t in nested(value, held_out.Template)}
CASES = {c.name: draw_cases(c, [], seed=4, count=400) for c in held_out.CAPABILITIES.values()}


def test_names_and_kinds_are_those_of_the_second_set():
    configured = read_settings(BehaviourSettings, CONFIG).capabilities
    assert list(held_out.CAPABILITIES) == list(configured)
    for name, capability in held_out.CAPABILITIES.items():
        assert capability.kind == capabilities.CAPABILITIES[name].kind, name
    assert load_set("third") == list(held_out.CAPABILITIES.values())


@pytest.mark.parametrize("name", held_out.CAPABILITIES)
def test_every_capability_has_enough_distinct_cases_the_same_for_the_same_seed(name):
    capability = held_out.CAPABILITIES[name]
    assert len({case.text for case in CASES[name]}) == len(CASES[name]) >= 120
    assert CASES[name] == draw_cases(capability, ["A real sentence is ignored."], seed=4, count=400)
    assert CASES[name][:40] != draw_cases(capability, [], seed=5, count=40)


@pytest.mark.parametrize("name", held_out.CAPABILITIES)
def test_cases_have_the_fields_of_their_kind(name):
    kind = held_out.CAPABILITIES[name].kind
    for case in CASES[name]:
        assert (case.label is not None) == (kind == "MFT"), case
        assert (case.original is not None) == (kind in ("INV", "DIR")), case
        assert (case.direction != 0) == (kind == "DIR"), case
        assert case.text != case.original


def test_every_capability_has_at_least_eight_templates():
    families = {**held_out.LABELLED, **held_out.OTHERS, "praise": held_out.PRAISE, "complaints": held_out.COMPLAINTS}
    for name, family in families.items():
        assert len({template.text for template in family}) >= 8, name


def test_sentences_are_clean():
    changed = ("typos", "casing", "punctuation", "urls_html")
    for name, cases in CASES.items():
        for text in chain.from_iterable((c.original,) if name in changed else (c.text, c.original) for c in cases):
            if text is not None:
                assert not re.search(r"[{}\[\]|<>@]|  | [,.;:?!]|[,;:]\.|^\s|\s$|[a-z]\.[A-Z]", text), text
                assert not re.search(r"\b([Aa]n [^aeiouAEIOU8\d]|[Aa] [aeiouAEIOU]|[Aa] 1?8\b)", text), text
                assert not re.search(r"\b(the the|a a|the a|a the|an an|is is|was was)\b", text, re.IGNORECASE), text


def test_no_template_is_nearly_one_of_the_other_sets():
    others = [*TRAINING_TEMPLATES, *TESTING_TEMPLATES]
    texts = {template.text for template in others}
    assert [template.text for template in HELD_OUT if template.text in texts] == []
    grams = {frozenset(trigrams(template)) for template in others}
    near = sorted(
        template.text
        for template, own in ((template, trigrams(template)) for template in HELD_OUT)
        if any(len(own & other) > 0.5 * len(own | other) for other in grams if len(other) >= 6)
    )
    assert near == []
