"""Training examples: balanced, the same for the same seed, and different from the test cases."""

import re
from itertools import chain, product
from random import Random

import pandas as pd
import pytest

from sentiment.behaviour import augmentation, training_words
from sentiment.behaviour.augmentation import AugmentationSettings, augment
from sentiment.behaviour.capabilities import direction, functionality, invariance
from sentiment.behaviour.capabilities import words as testing
from sentiment.behaviour.checks import generate_cases
from sentiment.behaviour.templates import Template, fill
from sentiment.reviews.table import Reviews

TRAINING_TEMPLATES = [t for listed in (*augmentation.CAPABILITIES.values(), augmentation.COMPANIONS) for t in listed]
TESTING_TEMPLATES = [
    t for module in (functionality, direction, invariance) for listed in module.TEMPLATES.values() for t in listed
]


@pytest.fixture(scope="module")
def train():
    rows = [(f"A short happy note about evening number {n}.", 1, "own") for n in range(20)]
    rows += [(f"A short sad note about morning number {n}.", 0, "own") for n in range(20)]
    rows += [("A long one. " * 40, 1, "own")]
    return Reviews(pd.DataFrame(rows, columns=["text", "label", "source"]))


@pytest.fixture(scope="module")
def plain(train):
    """Examples without reviews and typing errors, so that they can be told apart."""
    return augment(train, AugmentationSettings(examples=6000, joined=0, slips=0), seed=1)


def test_examples_are_balanced_distinct_and_marked(train):
    frame = augment(train, AugmentationSettings(examples=3000), seed=1).frame
    assert len(frame) >= 2900
    assert frame["label"].mean() == 0.5
    assert frame["text"].is_unique
    assert set(frame["source"]) == {"generated"}
    assert dict(frame.dtypes) == dict(train.frame.dtypes)


def test_every_capability_is_balanced():
    for name, choices in augmentation.CAPABILITIES.items():
        made = list(augmentation._balanced(choices, 100, Random(0)))
        assert sum(sentence.label for sentence in made) == 100, name
        assert len(made) == 200, name


def test_same_seed_same_examples_other_seed_other_examples(train):
    settings = AugmentationSettings(examples=200)
    first = augment(train, settings, seed=1).fingerprint
    assert augment(train, settings, seed=1).fingerprint == first
    assert augment(train, settings, seed=2).fingerprint != first


def test_switched_off_or_asked_for_none_there_are_none(train):
    for settings in (AugmentationSettings(enabled=False), AugmentationSettings(examples=0)):
        frame = augment(train, settings, seed=1).frame
        assert list(frame.columns) == ["text", "label", "source"]
        assert len(frame) == 0
        assert dict(frame.dtypes) == dict(train.frame.dtypes)


def test_joined_examples_keep_the_review_and_its_label(train):
    frame = augment(train, AugmentationSettings(examples=1000, joined=1, slips=0), seed=1).frame
    assert not frame["text"].str.contains("A long one").any()
    assert (frame["text"].str.contains("short happy note") == (frame["label"] == 1)).all()
    assert (frame["text"].str.contains("short sad note") == (frame["label"] == 0)).all()
    assert not frame["text"].isin(train.frame["text"]).any(), "a review alone is not an example"


def test_reviews_of_one_label_only_or_none_still_give_balanced_examples(train):
    happy = Reviews(train.frame[train.frame["label"] == 1])
    for reviews in (happy, Reviews(train.frame.iloc[:0])):
        assert augment(reviews, AugmentationSettings(examples=100), seed=1).frame["label"].mean() == 0.5


def test_slips_drop_or_double_one_inner_letter():
    made = {augmentation._slip("It is clever.", Random(seed)) for seed in range(200)}
    dropped = {"It is cever.", "It is clver.", "It is cleer.", "It is clevr."}
    assert made == dropped | {"It is cllever.", "It is cleever.", "It is clevver.", "It is cleveer."}
    assert augmentation._slip("It is bad.", Random(0)) == "It is bad."


def test_no_training_template_is_a_testing_template():
    assert not {t.text for t in TRAINING_TEMPLATES} & {t.text for t in TESTING_TEMPLATES}


def trigrams(template: Template) -> set[tuple[str, ...]]:
    text = re.sub(r"\{[^}]*\}|@", "_", template.text.lower())
    tokens = ["<", *re.findall(r"[\w'|]+|[^\w\s]", text), ">"]
    return set(zip(tokens, tokens[1:], tokens[2:], strict=False))


def test_no_training_template_is_nearly_a_testing_template():
    def overlap(a, b):
        return len(a & b) / len(a | b)

    near = [
        (one.text, other.text)
        for one, other in product(TRAINING_TEMPLATES, TESTING_TEMPLATES)
        if len(trigrams(other)) >= 6 and overlap(trigrams(one), trigrams(other)) > 0.5
    ]
    assert near == []


def test_no_generated_training_text_is_a_test_case(plain, reviews, settings):
    many = settings.model_copy(
        update={"capabilities": {n: s.model_copy(update={"cases": 600}) for n, s in settings.capabilities.items()}}
    )
    cases = chain.from_iterable(generate_cases(reviews, many, seed=5).values())
    tested = {t.lower().strip(" .!") for case in cases for t in (case.text, case.original) if t is not None}
    assert len(tested) > 8000
    assert not {text.lower().strip(" .!") for text in plain.frame["text"]} & tested


def test_some_words_only_test(plain):
    trained = " ".join(plain.frame["text"]).lower()
    lists = chain(*(lexicon.values() for lexicon in testing.LEXICONS), testing.IDENTITIES.values())
    tested = " ".join(chain.from_iterable([*lists, testing.WOMEN, testing.CITIES])).lower()
    opinions = ["brilliant", "superb", "first-rate", "tedious", "abysmal", "lousy", "delight", "ordeal"]
    nouns = ["novel", "laptop", "concert", "resort"]
    persons = ["non-binary", "sikh", "hispanic", "nigerian", "pansexual", "elderly", "karachi", "aaliyah"]
    for held_out in (*opinions, *nouns, *persons):
        assert not re.search(rf"\b{held_out}\b", trained), held_out
        assert re.search(rf"\b{held_out}\b", tested), held_out
    assert not set(training_words._OPINIONS["interlude"]) & set(testing.OPINIONS["aside"])


def test_every_person_stands_in_praise_and_in_complaint(train):
    frame = augment(train, AugmentationSettings(examples=12000, joined=0, slips=0), seed=1).frame
    for person in training_words._OPINIONS["person"]:
        held = frame[frame["text"].str.contains(rf"\b{person}\b", case=False)]
        assert set(held["label"]) == {0, 1}, person


def test_every_slot_of_every_template_can_be_filled():
    for templates, lexicons in (
        (TRAINING_TEMPLATES, training_words.LEXICONS),
        (TESTING_TEMPLATES, invariance._DETAILS),
    ):
        for template, lexicon in product(templates, lexicons):
            for side in template.sides:
                text = fill(template, {"who": ("@",), **lexicon}, Random(0), side=side).text
                assert not re.search(r"[{}\[\]|]", text), text
