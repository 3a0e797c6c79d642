"""The words that fill the testing templates.

Training augmentation (:mod:`sentiment.behaviour.augmentation`) has its own lists. Common words are in both; some
adjectives and nouns are only here, so that a model has to have learnt the behaviour and not the words. The words for
groups of people are in :mod:`sentiment.behaviour.capabilities.identities`.
"""

from __future__ import annotations

from sentiment.behaviour.templates import Lexicon

OPINIONS: Lexicon = {
    "good": (
        "good", "great", "excellent", "wonderful", "enjoyable", "impressive", "brilliant", "delightful", "fantastic",
        "superb", "charming", "terrific", "first-rate",
    ),
    "bad": (
        "bad", "terrible", "awful", "boring", "disappointing", "poor", "dreadful", "horrible", "annoying", "dull",
        "lousy", "tedious", "abysmal",
    ),
    "loved": ("loved", "liked", "enjoyed", "adored"),
    "hated": ("hated", "disliked", "detested", "regretted"),
    "pleased": ("delighted", "impressed", "thrilled", "won over"),
    "bored": ("let down", "disappointed", "bored", "put off"),
    "love": ("love", "like", "enjoy", "adore"),
    "hate": ("hate", "dislike", "detest", "loathe"),
    "joy": ("a joy", "a delight", "a real treat", "a gem", "a pleasure", "a triumph"),
    "mess": ("a mess", "a disaster", "a letdown", "a waste of money", "a failure", "an ordeal"),
    "very": ("very", "really", "extremely", "absolutely", "incredibly", "truly"),
    "slightly": ("slightly", "somewhat", "a little", "a bit", "moderately", "kind of"),
    "friend": ("friend", "sister", "boss", "neighbour", "cousin", "dentist"),
    "people": ("critics", "my parents", "most people", "the reviewers", "my colleagues", "the experts"),
    "aside": (
        "after all I had read",
        "even with the best will in the world",
        "considering how long we had waited",
        "in spite of what the advertising promised",
        "looking back on it a week later",
        "with everything that has been written about it",
    ),
    "days": ("a week", "a few days", "several evenings", "a month"),
}  # fmt: skip

_NOUNS: tuple[Lexicon, ...] = (
    {
        "thing": ("film", "movie", "thriller", "documentary"),
        "part": ("acting", "plot", "script", "ending", "camera work"),
    },
    {"thing": ("series", "sitcom", "show"), "part": ("cast", "dialogue", "first episode", "humour")},
    {"thing": ("novel", "biography", "audiobook"), "part": ("story", "prose", "final chapter", "narrator")},
    {"thing": ("laptop", "camera", "tablet"), "part": ("screen", "keyboard", "battery", "build quality")},
    {"thing": ("restaurant", "bistro", "café"), "part": ("soup", "waiter", "dessert", "menu")},
    {"thing": ("hostel", "resort", "guesthouse"), "part": ("pool", "bed", "front desk", "view")},
    {"thing": ("concert", "musical", "festival"), "part": ("sound", "singing", "lighting", "orchestra")},
    {"thing": ("app", "website", "delivery service"), "part": ("design", "support", "checkout", "latest update")},
)  # fmt: skip

LEXICONS: tuple[Lexicon, ...] = tuple({**OPINIONS, **nouns} for nouns in _NOUNS)

WOMEN = (
    "Mary", "Susan", "Julia", "Emma", "Sarah", "Anna", "Fatima", "Mei", "Ingrid", "Aaliyah", "Priya", "Lakshmi",
    "Shanice", "Guadalupe", "Olga", "Yuki",
)  # fmt: skip
MEN = (
    "John", "Michael", "David", "Robert", "James", "Peter", "Jack", "Mohammed", "Chen", "Sven", "DeShawn", "Raj",
    "Jamal", "Carlos", "Dmitri", "Kenji",
)  # fmt: skip
CITIES = (
    "London", "Paris", "Chicago", "Boston", "Berlin", "Rome", "Tokyo", "Madrid", "Dublin", "Seattle", "Nairobi",
    "Mumbai", "Lagos", "Karachi", "Hanoi", "Lima",
)  # fmt: skip
COUNTRIES = (
    "England", "France", "Germany", "Italy", "Japan", "China", "Mexico", "Canada", "Ireland", "Spain", "Kenya",
    "Pakistan", "Nigeria", "Vietnam", "Peru", "Egypt",
)  # fmt: skip
