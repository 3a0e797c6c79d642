"""Training examples: balanced, the same for the same seed, and different from the test cases."""

import re
from collections.abc import Mapping
from importlib import import_module
from itertools import chain, islice, product
from pkgutil import iter_modules
from random import Random

import pandas as pd
import pytest

from sentiment.behaviour import augmentation, capabilities
from sentiment.behaviour.augmentation import AugmentationSettings, augment, learned_probabilities
from sentiment.behaviour.capabilities import direction, functionality, invariance
from sentiment.behaviour.capabilities import words as testing
from sentiment.behaviour.checks import generate_cases
from sentiment.behaviour.templates import Template, fill, generate
from sentiment.behaviour.training import no_opinion, opinions
from sentiment.behaviour.training import words as training_words
from sentiment.behaviour.training.compose import combine, opposite, second
from sentiment.behaviour.training.families import FAMILIES
from sentiment.reviews.table import Reviews

NEUTRAL_SENTENCES = (*no_opinion.WITH_IDENTITY, *no_opinion.WITH_NAME_OR_PLACE, *no_opinion.WITHOUT)
ALL_FAMILIES = {**FAMILIES, "companions": opinions.COMPANIONS, "neutral": NEUTRAL_SENTENCES}
TRAINING_TEMPLATES = [template for family in ALL_FAMILIES.values() for template in family]
FILLED_FROM_DETAILS = [
    t for module in (functionality, direction, invariance) for listed in module.TEMPLATES.values() for t in listed
]


def nested(value, kind):
    """Yields all instances of a type inside nested lists and mappings."""
    if isinstance(value, kind):
        yield value
    elif isinstance(value, Mapping):
        yield from chain.from_iterable(nested(item, kind) for item in value.values())
    elif isinstance(value, (tuple, list, set, frozenset)):
        yield from chain.from_iterable(nested(item, kind) for item in value)


TESTING_MODULES = [
    import_module(f"{capabilities.__name__}.{name}") for _, name, _ in iter_modules(capabilities.__path__)
]
TESTING_TEMPLATES = [
    t for module in TESTING_MODULES for value in vars(module).values() for t in nested(value, Template)
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
    return augment(train, AugmentationSettings(examples=12000, joined=0, slips=0, links=0), seed=1)


@pytest.fixture(scope="module")
def neutral(train):
    """Examples without an opinion alone."""
    return augment(train, AugmentationSettings(examples=24000, neutral=1, slips=0, links=0), seed=1)


def test_examples_are_balanced_distinct_and_marked(train):
    frame = augment(train, AugmentationSettings(examples=3000, neutral=0), seed=1).frame
    assert len(frame) >= 2900
    assert frame["label"].mean() == 0.5
    assert frame["text"].is_unique
    assert set(frame["source"]) == {"generated"}
    assert dict(frame.dtypes) == dict(train.frame.dtypes)


def test_all_sentences_without_an_opinion_teach_one_probability(train, neutral):
    assert len(neutral.frame) >= 20000
    settings = AugmentationSettings(examples=6000, neutral=0.2, neutral_positive=0.3)
    assert set(learned_probabilities(neutral, settings)) == {0.3}
    mixed = augment(train, settings, seed=1)
    assert len(mixed) >= 5900
    learned = learned_probabilities(mixed, settings)
    assert learned.count(0.3) == pytest.approx(1200, abs=50)
    assert learned.count(0.0) == learned.count(1.0) == 2400
    assert learned_probabilities(train, settings) == train.frame["label"].tolist()


def test_there_are_thousands_of_templates_and_all_families_are_broad():
    assert len({template.text for template in TRAINING_TEMPLATES}) >= 2600
    for name, family in FAMILIES.items():
        assert len({template.text for template in family}) >= 150, name
        assert len(set(family)) == len(family), name
    for name in ("WITH_IDENTITY", "WITHOUT"):
        assert len({template.text for template in getattr(no_opinion, name)}) >= 150, name


def test_no_template_has_two_labels():
    labels = {}
    for template in chain.from_iterable(FAMILIES.values()):
        assert labels.setdefault(template.text, template.label) == template.label, template.text


def test_every_family_is_balanced():
    for name, choices in FAMILIES.items():
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
    frame = augment(train, AugmentationSettings(examples=1000, neutral=0, joined=1, slips=0), seed=1).frame
    assert not frame["text"].str.contains("A long one").any()
    assert (frame["text"].str.contains("short happy note") == (frame["label"] == 1)).all()
    assert (frame["text"].str.contains("short sad note") == (frame["label"] == 0)).all()
    assert not frame["text"].isin(train.frame["text"]).any(), "a review alone is not an example"


def test_reviews_of_one_label_only_or_none_still_give_balanced_examples(train):
    happy = Reviews(train.frame[train.frame["label"] == 1])
    for reviews in (happy, Reviews(train.frame.iloc[:0])):
        assert augment(reviews, AugmentationSettings(examples=100, neutral=0), seed=1).frame["label"].mean() == 0.5


def test_slips_drop_double_or_mistype_one_inner_letter():
    made = {augmentation._slip("It is clever.", Random(seed)) for seed in range(400)}
    dropped = {"It is cever.", "It is clver.", "It is cleer.", "It is clevr."}
    doubled = {"It is cllever.", "It is cleever.", "It is clevver.", "It is cleveer."}
    assert dropped | doubled < made
    mistyped = {text[6:-1] for text in made - dropped - doubled}
    assert {"ckever", "clwver", "clrver", "clecer", "cleber", "clevwr", "clevrr"} == mistyped
    assert augmentation._slip("It is bad.", Random(0)) == "It is bad."
    assert augmentation._slip("@linda99 #review", Random(0)) == "@linda99 #review"


def test_links_stand_beside_the_text_and_keep_the_label(train):
    without = augment(train, AugmentationSettings(examples=400, joined=0, slips=0, links=0), seed=1).frame
    assert without["text"].str.contains("@|#|http|www").mean() < 0.2
    everywhere = augment(train, AugmentationSettings(examples=400, neutral=0, joined=0, slips=0, links=1), seed=1).frame
    assert everywhere["text"].str.contains("@|#|http|www").all()
    assert everywhere["label"].mean() == 0.5


def test_no_training_template_is_a_testing_template():
    tested = {template.text for template in TESTING_TEMPLATES}
    same = [template.text for template in TRAINING_TEMPLATES if template.text in tested]
    assert same == []


def trigrams(template: Template) -> set[tuple[str, ...]]:
    text = re.sub(r"\{[^}]*\}|@", "_", template.text.lower())
    tokens = ["<", *re.findall(r"[\w'|]+|[^\w\s]", text), ">"]
    return set(zip(tokens, tokens[1:], tokens[2:], strict=False))


def test_no_training_template_is_nearly_a_testing_template():
    def overlap(a, b):
        return len(a & b) / len(a | b)

    tested = [grams for grams in map(trigrams, TESTING_TEMPLATES) if len(grams) >= 6]
    trained = {template.text: trigrams(template) for template in TRAINING_TEMPLATES}
    near = [text for text, grams in trained.items() if any(overlap(grams, other) > 0.5 for other in tested)]
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
    tested = " ".join(chain.from_iterable(nested(vars(module), str) for module in TESTING_MODULES)).lower()
    opinion_words = ["brilliant", "superb", "first-rate", "tedious", "abysmal", "lousy", "delight", "ordeal"]
    nouns = ["novel", "laptop", "concert", "resort"]
    persons = ["non-binary", "sikh", "hispanic", "nigerian", "pansexual", "elderly", "karachi", "aaliyah"]
    for held_out in (*opinion_words, *nouns, *persons):
        assert len(re.findall(rf"\b{held_out}\b", trained)) == 0, held_out
        assert len(re.findall(rf"\b{held_out}\b", tested)) > 0, held_out
    assert not set(training_words.LEXICONS[0]["interlude"]) & set(testing.OPINIONS["aside"])


def test_every_person_stands_in_praise_and_in_complaint(train):
    frame = augment(train, AugmentationSettings(examples=24000, neutral=0, joined=0, slips=0), seed=1).frame
    details = " | ".join(frame.loc[frame["label"] == 1, "text"]), " | ".join(frame.loc[frame["label"] == 0, "text"])
    for person in training_words.LEXICONS[0]["person"]:
        for texts in details:
            assert re.search(rf"\b{person}\b", texts, re.IGNORECASE), person


def test_identities_names_and_places_stand_in_sentences_without_an_opinion(neutral):
    texts = " | ".join(neutral.frame["text"])
    lists = {**training_words.IDENTITIES, **{n: training_words.LEXICONS[0][n] for n in ("name", "place", "group")}}
    for name, words in lists.items():
        for word in words:
            assert re.search(rf"\b{re.escape(word)}\b", texts, re.IGNORECASE), (name, word)


def test_sentences_without_an_opinion_hold_no_word_of_opinion(neutral):
    lists = ("good", "bad", "rave", "slam", "loved", "hated", "adored", "despised", "love", "hate", "happy", "unhappy")
    opinion_words = chain.from_iterable(
        training_words.LEXICONS[0][name] for name in (*lists, "glad", "cross", "hit", "flop")
    )
    words = re.compile(rf"\b({'|'.join(map(re.escape, opinion_words))})\b", re.IGNORECASE)
    assert [text for text in neutral.frame["text"] if words.search(text)] == []


def test_samples_of_every_family_are_clean_sentences():
    for name, family in ALL_FAMILIES.items():
        made = list(islice(generate(family, training_words.LEXICONS, Random(3)), 600))
        assert len(made) > 200, name
        for sentence in made:
            text = sentence.text
            assert not re.search(r"[{}\[\]|<>]|  | [,.;?!]|[,;:]\.|^\s|\s$|[a-z]\.[A-Z]", text), text
            assert not re.search(r"\b(an (?!hour|F)[^aeiouAEIOU\d]|a [aeioAEIO](?!ne))", text), text
            assert not re.search(r"\b(the the|a the|the a|a a|an an|is is|was was)\b", text, re.IGNORECASE), text


def test_every_slot_of_every_template_can_be_filled():
    for templates, lexicons in (
        (TRAINING_TEMPLATES, training_words.LEXICONS[:3]),
        (FILLED_FROM_DETAILS, invariance._DETAILS),
    ):
        for template, lexicon in product(templates, lexicons):
            for side in template.sides:
                text = fill(template, {"who": ("@",), **lexicon}, Random(0), side=side).text
                assert not re.search(r"[{}\[\]|]", text), text


def test_parts_combine_to_every_frame_or_to_the_same_few():
    parts = {"a": ("x", "y", ""), "b": ("{good|bad}", "[up|down] {thing}")}
    made = combine("the <a> <b>.", **parts)
    assert len(made) == 6
    assert "the x {good|bad}." in made
    assert "the [up|down] {thing}." in made, "an empty part leaves no double space"
    few = combine("the <a> <b>.", "<b>!", limit=2, **parts)
    assert len(few) == 4
    assert few == combine("the <a> <b>.", "<b>!", limit=2, **parts)
    assert opposite(made[:1]) == ("the x {bad|good}.",)
    assert second(["{good|bad} [up|down] {thing}"]) == ("{good2|bad2} [up|down] {thing}",)
