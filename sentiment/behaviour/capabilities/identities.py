"""Words for groups of people, by protected attribute, that the testing templates name.

Common and rare members stand side by side: a model learns to ignore the frequent words first. Terms are those that the
groups use for themselves today; no word is an opinion.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

REFERENCE = "a person"
"""The noun phrase that every other one is compared with."""

REFERENCE_ADJECTIVES = ("local", "tall", "")
"""The adjectives that every other one is compared with; the empty one stands for no adjective."""

_ARTICLE = re.compile(r"\b([Aa])n? (?=[A-Za-z])")
_VOWEL_SOUND = re.compile(r"lgbt|(?!u(?:ni|se|kr|ga|ru)|eur|one\b)[aeiou]", re.IGNORECASE)


@dataclass(frozen=True)
class Group:
    """The words for the members of one attribute.

    Attributes:
        nouns: Words that are nouns only: ``"pensioner"``.
        both: Words that are nouns and adjectives: ``"Sikh"`` in "a Sikh" and "a Sikh teacher".
        adjectives: Words that are adjectives only: ``"Jewish"``.
    """

    nouns: tuple[str, ...]
    both: tuple[str, ...]
    adjectives: tuple[str, ...]

    @property
    def noun_phrases(self) -> tuple[str, ...]:
        """Every member with its article: "a Sikh", "a Jewish person"."""
        persons = (*self.nouns, *self.both, *(f"{adjective} person" for adjective in self.adjectives))
        return tuple(correct_articles(f"a {person}") for person in persons)

    @property
    def all_adjectives(self) -> tuple[str, ...]:
        """Every member that can stand before a noun."""
        return (*self.both, *self.adjectives)


def correct_articles(text: str) -> str:
    """Writes "an" before the sound of a vowel, and "a" elsewhere: "an Indian", "a Ukrainian"."""
    return _ARTICLE.sub(lambda a: f"{a[1]}n " if _VOWEL_SOUND.match(text, a.end()) else f"{a[1]} ", text)


GROUPS: dict[str, Group] = {
    "gender": Group(
        nouns=(
            "woman", "man", "girl", "boy", "trans woman", "trans man", "female customer", "male customer", "lady",
            "gentleman", "schoolgirl", "schoolboy",
        ),
        both=(),
        adjectives=(
            "female", "male", "transgender", "trans", "cisgender", "non-binary", "agender", "bigender", "genderfluid",
            "genderqueer", "gender-nonconforming", "intersex", "two-spirit", "third-gender", "transfeminine",
            "transmasculine",
        ),
    ),
    "religion": Group(
        nouns=("Jew", "Jehovah's Witness", "Zen Buddhist", "Reform Jew"),
        both=(
            "Muslim", "Christian", "Hindu", "Buddhist", "Catholic", "Protestant", "Sikh", "atheist", "agnostic",
            "Mormon", "Jain", "Baha'i", "Druze", "Yazidi", "Zoroastrian", "Parsi", "Quaker", "Methodist", "Baptist",
            "Lutheran", "Anglican", "Presbyterian", "Mennonite", "Unitarian", "Adventist", "Taoist", "Shintoist",
            "Rastafarian", "Wiccan", "Sunni", "Shia", "Sufi", "Ahmadi", "Alevi", "Ismaili", "secular humanist",
        ),
        adjectives=("Jewish", "Coptic", "Greek Orthodox", "Amish", "Pentecostal", "Hasidic"),
    ),
    "ethnicity": Group(
        nouns=("Pacific Islander", "Native Hawaiian"),
        both=("Arab", "Kurd", "Asian American", "Afro-Caribbean", "Tamil", "Punjabi", "Tibetan", "Basque", "Cherokee"),
        adjectives=(
            "Black", "white", "Asian", "South Asian", "East Asian", "Southeast Asian", "Middle Eastern", "Latino",
            "Latina", "Hispanic", "African American", "Native American", "Indigenous", "Aboriginal", "mixed-race",
            "biracial", "multiracial", "Roma", "Sinti", "Sami", "Maori", "Hmong", "Kurdish", "Inuit", "Amazigh",
            "Uyghur", "Rohingya", "Tatar", "Han Chinese", "Yoruba", "Igbo", "Hausa", "Zulu", "Maasai", "Navajo",
            "Lakota", "Quechua", "Mapuche", "Creole", "Black British", "Ashkenazi", "Slavic",
        ),
    ),
    "nationality": Group(
        nouns=("Dane", "Spaniard", "Swede", "New Zealander"),
        both=(
            "American", "German", "Mexican", "Nigerian", "Indian", "Russian", "Iranian", "Israeli", "Syrian",
            "Canadian", "Brazilian", "Italian", "Greek", "Egyptian", "Kenyan", "Ethiopian", "Ukrainian", "Romanian",
            "Hungarian", "Norwegian", "Korean", "Pakistani", "Iraqi", "Afghan", "Saudi", "Somali", "Cuban",
            "Colombian", "Venezuelan", "Jamaican", "Haitian", "Ghanaian", "Moroccan", "Palestinian", "Mongolian",
            "Indonesian", "Samoan", "Eritrean", "Ugandan", "Moldovan", "Bangladeshi", "Paraguayan",
        ),
        adjectives=(
            "Chinese", "Polish", "Turkish", "French", "British", "Irish", "Japanese", "Vietnamese", "Bhutanese",
            "Burmese", "Congolese", "Lebanese", "Icelandic",
        ),
    ),
    "orientation": Group(
        nouns=("gay man", "gay woman", "bisexual man", "bisexual woman"),
        both=("lesbian", "bisexual"),
        adjectives=(
            "gay", "straight", "homosexual", "heterosexual", "queer", "asexual", "pansexual", "demisexual",
            "aromantic", "graysexual", "omnisexual", "polysexual", "biromantic", "panromantic", "sapphic", "LGBTQ",
            "same-sex-attracted", "openly gay",
        ),
    ),
    "age": Group(
        nouns=(
            "teenager", "pensioner", "senior citizen", "child", "adolescent", "young adult", "retiree", "toddler",
            "grandparent", "seventeen-year-old", "thirty-year-old", "eighty-year-old",
        ),
        both=(
            "millennial", "baby boomer", "twenty-something", "septuagenarian", "octogenarian", "nonagenarian",
            "centenarian", "forty-year-old", "sixty-five-year-old",
        ),
        adjectives=(
            "young", "old", "elderly", "middle-aged", "younger", "older", "teenage", "underage", "retired", "Gen Z",
        ),
    ),
    "disability": Group(
        nouns=(
            "wheelchair user", "sign language user", "amputee", "person with a disability",
            "person with Down syndrome", "person with cerebral palsy", "person with epilepsy",
            "person with low vision", "person with a hearing aid", "person with a guide dog",
            "person with a prosthetic leg", "person with Tourette syndrome", "person with multiple sclerosis",
            "person with dwarfism", "person with ADHD", "person who stutters",
        ),
        both=(),
        adjectives=(
            "disabled", "deaf", "hard-of-hearing", "blind", "partially sighted", "deafblind", "autistic", "dyslexic",
            "dyspraxic", "neurodivergent", "nonspeaking", "paraplegic", "quadriplegic", "colour-blind",
        ),
    ),
}  # fmt: skip

IDENTITIES: dict[str, tuple[str, ...]] = {attribute: group.noun_phrases for attribute, group in GROUPS.items()}
"""The noun phrases of every attribute."""

ADJECTIVES: dict[str, tuple[str, ...]] = {attribute: group.all_adjectives for attribute, group in GROUPS.items()}
"""The adjectives of every attribute."""
