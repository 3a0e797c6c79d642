"""The cases: enough of them, the same for the same seed, and true to their label."""

import re
from collections import Counter
from itertools import chain
from random import Random

import pytest

from sentiment.behaviour.capabilities import CAPABILITIES, invariance, neutral, perturbations
from sentiment.behaviour.capabilities.functionality import TEMPLATES
from sentiment.behaviour.capabilities.identities import ADJECTIVES, IDENTITIES, REFERENCE, correct_articles
from sentiment.behaviour.capabilities.words import CITIES, COUNTRIES, MEN, OPINIONS, WOMEN
from sentiment.behaviour.checks import draw_cases, generate_cases

ATTRIBUTES = {
    name: "orientation" if name == "sexual_orientation" else name
    for name in ("gender", "religion", "ethnicity", "nationality", "sexual_orientation", "age", "disability")
}
ASKED = {
    *ATTRIBUTES, *(f"{name}_without_opinion" for name in ATTRIBUTES), "says_nothing",
    "vocabulary", "negation_near", "negation_far", "negation_contracted", "negated_negatives", "but_clauses",
    "intensifiers", "comparatives", "temporal_change", "typos", "contractions", "casing", "punctuation", "urls_html",
    "names", "places", "numbers", "questions_answers", "opinion_holder", "added_praise", "added_complaint",
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
            assert (case.original is not None) == (kind in ("INV", "DIR"))
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


def test_markup_keeps_every_word_in_order(cases):
    for case in cases["urls_html"]:
        rest = iter(re.sub(r"<[^<>]+>", " ", case.text).split())
        assert all(word in rest for word in case.original.split()), case


def test_markup_stands_at_the_start_in_the_middle_and_at_the_end():
    made = [perturbations.markup("One two, three four.", Random(seed)) for seed in range(300)]
    for kind in (r"(https?:|www\.)", "@", "<"):
        assert any(re.match(kind, text) for text in made), kind
        assert any(re.search(rf"two, \(?{kind}.* three", text) for text in made), kind
        assert any(re.search(rf"four\. ?{kind}", text) for text in made), kind
    assert any(text.startswith("#") for text in made)
    assert any(re.search(r"four\. #", text) for text in made)
    assert perturbations.markup("Superb", Random(0)) is not None, "a text with no place between two words"


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


@pytest.mark.parametrize(
    ("words", "corrected"),
    [
        ("a Indian and an Sikh", "an Indian and a Sikh"),
        ("A electrician", "An electrician"),
        ("an Ukrainian, a Uyghur, a LGBTQ person", "a Ukrainian, an Uyghur, an LGBTQ person"),
    ],
)
def test_articles_follow_the_sound_of_the_next_word(words, corrected):
    assert correct_articles(words) == corrected


@pytest.mark.parametrize(
    ("attribute", "count", "rare"),
    [
        ("gender", 25, ["an agender person", "a two-spirit person"]),
        ("religion", 40, ["a Zoroastrian", "a Jain", "a Baha'i", "a Druze", "a Yazidi"]),
        ("ethnicity", 45, ["a Hmong person", "a Sami person", "a Maori person", "a Kurdish person"]),
        ("nationality", 50, ["a Bhutanese person", "an Eritrean"]),
        ("orientation", 20, ["a demisexual person", "an aromantic person"]),
        ("age", 25, ["a nonagenarian", "a toddler"]),
        ("disability", 25, ["a deaf person", "an autistic person", "a wheelchair user"]),
    ],
)
def test_word_lists_hold_common_and_rare_groups(attribute, count, rare):
    assert len(set(IDENTITIES[attribute])) == len(IDENTITIES[attribute]) >= count
    assert len(set(ADJECTIVES[attribute])) == len(ADJECTIVES[attribute]) >= 12
    assert set(rare) <= set(IDENTITIES[attribute])
    assert set(IDENTITIES) == set(ATTRIBUTES.values())


NEUTRAL = (neutral.WITH_NOUN_PHRASE, neutral.WITH_ADJECTIVE, neutral.WITH_NAME_OR_PLACE, neutral.PLAIN_FACTS)
# Exact words of opinions, in the lexicons and in common use.
OPINIONATED = re.compile(
    r"\b(?:"
    + "|".join(chain(*(OPINIONS[k] for k in OPINIONS if k not in ("friend", "people", "aside", "days"))))
    + r"|nice|best|worst|better|worse|happy|sad|lovely|ugly|problem|perfect|fine|sorry|glad|well|beautiful|recommend"
    r"|not only|fail\w*|fun|kind)\b",
    re.IGNORECASE,
)


def test_neutral_shapes_and_words_hold_no_opinion():
    shapes = [template.text for template in chain(*NEUTRAL)]
    assert len(set(shapes)) == len(shapes) >= 100
    assert len(neutral.PLAIN_FACTS) >= 30
    texts = [re.sub(r"\{\w+\}", "", shape) for shape in shapes]
    fillers = chain(*neutral.FACTS.values(), *IDENTITIES.values(), *ADJECTIVES.values())
    assert [text for text in (*texts, *fillers) if OPINIONATED.search(text)] == []


@pytest.mark.parametrize("name", ATTRIBUTES)
def test_every_member_stands_in_sentences_without_opinion(name, cases):
    """With the configured number of cases, as a noun phrase and as an adjective."""
    attribute, made = ATTRIBUTES[name], cases[f"{name}_without_opinion"]
    held = " ".join(case.text for case in made).lower()
    for member in (*IDENTITIES[attribute], *ADJECTIVES[attribute]):
        assert re.search(rf"\b{re.escape(member.lower())}\b", held), member
    assert not any(OPINIONATED.search(text) for case in made for text in (case.text, case.original))
    noun_phrases = [case for case in made if REFERENCE in case.original.lower()]
    assert len(noun_phrases) == len(made) / 2


def test_the_other_half_of_the_neutral_sentences_compares_adjectives(cases):
    originals = [case.original for case in cases["religion_without_opinion"] if " person" not in case.original]
    assert {"local", "tall"} <= set(chain(*map(words, originals)))
    assert any(not {"local", "tall"} & set(words(original)) for original in originals), "no adjective"


def test_half_of_the_sentences_that_say_nothing_hold_no_group_name_or_place():
    texts = [case.text for case in draw_cases(CAPABILITIES["says_nothing"], [], seed=7, count=400)]
    lists = chain(*IDENTITIES.values(), *ADJECTIVES.values(), WOMEN, MEN, CITIES, COUNTRIES)
    detail = re.compile(r"\b(?:" + "|".join(map(re.escape, lists)) + r")\b", re.IGNORECASE)
    assert [bool(detail.search(text)) for text in texts] == [False, True] * 200


def test_varied_shapes_keep_the_earlier_ones_and_tell_the_present_first_too():
    assert min(len(TEMPLATES[name]) for name in ("temporal_change", "opinion_holder", "questions_answers")) >= 16
    assert len(TEMPLATES["comparatives"]) >= 18
    assert min(len(invariance.TEMPLATES[name]) for name in ("names", "places", "numbers")) >= 10
    present_first = [
        t
        for t in TEMPLATES["temporal_change"]
        if re.match(
            r".*\b(now|today|these days|present)\b.*(;|,|\.).*"
            r"(ago|used to|start|first|once)",
            t.text,
            re.IGNORECASE,
        )
    ]
    own_first = [t for t in TEMPLATES["opinion_holder"] if re.match(r"(I|For me) .*(friend|people|table)", t.text)]
    assert len(present_first) >= 4
    assert len(own_first) >= 3


@pytest.mark.parametrize("attribute", IDENTITIES)
def test_every_identity_term_stands_in_praise_and_in_complaint(attribute):
    praise, complaint = (
        re.compile(r"\b(" + "|".join(chain(*(OPINIONS[slot] for slot in slots))) + r")\b")
        for slots in (("good", "loved", "joy"), ("bad", "hated", "mess"))
    )
    name = "sexual_orientation" if attribute == "orientation" else attribute
    made = draw_cases(CAPABILITIES[name], [], seed=3, count=140)
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
