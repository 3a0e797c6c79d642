"""The cases: enough of them, the same for the same seed, and true to their label."""

import re
from collections import Counter
from itertools import chain
from random import Random

import pytest

from sentiment.behaviour.capabilities import CAPABILITIES, perturbations
from sentiment.behaviour.capabilities.words import IDENTITIES, OPINIONS
from sentiment.behaviour.checks import generate_cases

ASKED = {
    "vocabulary", "negation_near", "negation_far", "negation_contracted", "negated_negatives", "but_clauses",
    "intensifiers", "comparatives", "temporal_change", "typos", "contractions", "casing", "punctuation", "urls_html",
    "names", "places", "numbers", "gender", "religion", "ethnicity", "nationality", "sexual_orientation", "age",
    "questions_answers", "opinion_holder", "added_praise", "added_complaint",
}  # fmt: skip


def test_enough_capabilities_and_cases(cases):
    assert set(CAPABILITIES) == set(cases) == ASKED
    assert sum(map(len, cases.values())) >= 1500
    assert min(map(len, cases.values())) >= 40
    assert all(len({(c.text, c.original) for c in listed}) == len(listed) for listed in cases.values())


def test_same_seed_same_cases_other_seed_other_cases(cases, reviews, settings):
    assert generate_cases(reviews, settings, seed=7) == cases
    other = generate_cases(reviews, settings, seed=8)
    assert all(other[name] != cases[name] for name in cases)


def test_leaving_a_capability_out_changes_no_other(cases, reviews, settings):
    fewer = settings.model_copy(update={"capabilities": {"names": settings.capabilities["names"]}})
    assert generate_cases(reviews, fewer, seed=7) == {"names": cases["names"]}


def test_without_reviews_the_templates_alone_give_cases(reviews, settings):
    empty = type(reviews)(reviews.frame.iloc[:0])
    assert all(len(listed) >= 40 for listed in generate_cases(empty, settings, seed=1).values())


def test_cases_have_the_fields_of_their_kind(cases):
    for name, listed in cases.items():
        kind = CAPABILITIES[name].kind
        for case in listed:
            assert (case.label is not None) == (kind == "MFT")
            assert (case.original is not None) == (kind != "MFT")
            assert (case.direction != 0) == (kind == "DIR")
            assert case.text != case.original
            assert not re.search(r"[{}\[\]]", case.text) or case.original is not None


def test_no_label_dominates_a_functionality_test(cases):
    for name, listed in cases.items():
        if CAPABILITIES[name].kind == "MFT":
            share = sum(case.label for case in listed) / len(listed)
            assert 0.2 <= share <= 0.8, name


def words(text):
    return re.findall(r"[a-z]+", text.lower())


def test_typos_swap_two_letters_of_one_word_and_spare_negations(cases):
    for case in cases["typos"]:
        before, after = case.original.split(), case.text.split()
        changed = [(a, b) for a, b in zip(before, after, strict=True) if a != b]
        assert len(changed) == 1
        (was, now) = changed[0]
        assert Counter(was) == Counter(now)
        assert sum(a != b for a, b in zip(was, now, strict=True)) == 2
        assert not set(words(was)) & perturbations.NEGATIONS
        assert "n't" not in was


@pytest.mark.parametrize("text", ["never", "I hardly do", "nothing", "without", "Didn't", "although", "There"])
def test_typos_find_nothing_where_a_slip_could_change_the_meaning(text):
    assert all(perturbations.typo(text, Random(seed)) in (None, "Tehre") for seed in range(30))


def in_full(text):
    text = re.sub(r"can't|cannot", "can not", text.lower())
    text = re.sub(r"won't", "will not", text)
    return re.sub(r"n't", " not", text).replace("'m", " am").replace("'ve", " have").replace("'re", " are")


def test_contractions_say_the_same_in_full(cases):
    assert all(in_full(case.text) == in_full(case.original) for case in cases["contractions"])
    assert {"not" in words(case.text) for case in cases["contractions"]} == {True, False}, "both ways"


@pytest.mark.parametrize(
    ("text", "expanded"),
    [
        ("I can't say it won't do.", "I cannot say it will not do."),
        ("I'm glad they didn't.", "I am glad they did not."),
        ("Isn't it great?", None),
        ("It's John's.", None),
        ("It ain't right.", None),
        ("\u0131'm glad.", None),  # the dotless i of a Turkish keyboard
    ],
)
def test_expanding(text, expanded):
    assert perturbations.expand_contractions(text, Random(0)) == expanded


@pytest.mark.parametrize(
    ("text", "contracted"),
    [
        ("It was not good.", "It wasn't good."),
        ("I cannot like it, I am sorry.", "I can't like it, I'm sorry."),
        ("It was not only dull, it was long.", None),
        ("As happy as I am.", None),
        ("\u0131 am very happy with it.", None),  # the dotless i of a Turkish keyboard
        ("It wa\u017f not good.", None),  # the long s
    ],
)
def test_contracting(text, contracted):
    assert perturbations.contract(text, Random(0)) == contracted


@pytest.mark.parametrize("name", ["casing", "punctuation"])
def test_casing_and_punctuation_keep_every_word(name, cases):
    assert all(words(case.text.replace("’", "'")) == words(case.original) for case in cases[name])  # noqa: RUF001 - the test is about the curly apostrophe


def test_markup_keeps_the_text_whole(cases):
    assert all(case.original in case.text for case in cases["urls_html"])


def test_numbers_change_counts_and_years_but_no_ratings():
    rng = Random(0)
    assert perturbations.numbers("8/10, 3 stars, 90 %, 2000/2000 points, number 1, 7 out of 10", rng) is None
    changed = perturbations.numbers("In 1984 we waited 30 minutes, 9/10.", rng)
    assert re.fullmatch(r"In (19|20)\d\d we waited \d\d minutes, 9/10\.", changed)
    assert "1984" not in changed
    assert " 30 " not in changed


def test_names_keep_their_gender_and_places_their_kind():
    for seed in range(20):
        name = perturbations.names("Mary lost her keys.", Random(seed)).split()[0]
        assert name in set(perturbations.WOMEN) - {"Mary"}
        place = perturbations.places("We were in France.", Random(seed)).split()[-1].rstrip(".")
        assert place in set(perturbations.COUNTRIES) - {"France"}


@pytest.mark.parametrize("attribute", IDENTITIES)
def test_every_identity_term_stands_in_praise_and_in_complaint(attribute, reviews, settings):
    praise, complaint = (
        re.compile(r"\b(" + "|".join(chain(*(OPINIONS[slot] for slot in slots))) + r")\b")
        for slots in (("good", "loved", "joy"), ("bad", "hated", "mess"))
    )
    name = "sexual_orientation" if attribute == "orientation" else attribute
    made = generate_cases(type(reviews)(reviews.frame.iloc[:0]), settings, seed=3)[name]
    for term in IDENTITIES[attribute]:
        held = " ".join(case.text for case in made if re.search(rf"\b{term}\b", case.text, re.IGNORECASE))
        assert praise.search(held), term
        assert complaint.search(held), term


def test_degree_words_push_the_way_they_should(cases):
    for case in cases["intensifiers"]:
        praise = any(re.search(rf"\b{word}\b", case.original, re.IGNORECASE) for word in OPINIONS["good"])
        stronger = any(re.search(rf"\b{word}\b", case.text, re.IGNORECASE) for word in OPINIONS["very"])
        assert case.direction == (1 if praise == stronger else -1), case
    assert {case.direction for case in cases["added_praise"]} == {1}
    assert {case.direction for case in cases["added_complaint"]} == {-1}
