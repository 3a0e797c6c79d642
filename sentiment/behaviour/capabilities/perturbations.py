"""Changes to a text that must not change its label.

Each perturbation takes a text and a source of randomness and returns the changed text, or None where the text offers
nothing to change.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from random import Random

from sentiment.behaviour.capabilities.words import CITIES, COUNTRIES, MEN, WOMEN

Perturbation = Callable[[str, Random], str | None]

NEGATIONS = frozenset(
    {"never", "nobody", "nothing", "nowhere", "neither", "hardly", "barely", "scarcely", "without", "cannot", "lacks"}
    | {"although", "though", "despite", "however", "except", "little", "least", "fails", "isnt", "wasnt", "didnt"}
)
"""Words of five letters and more that turn or weigh an opinion: a slip of the finger there could change the label."""

# A swap that makes one of these has written another word.
_OTHER_WORDS = frozenset(
    {"three", "there", "trial", "trail", "diary", "dairy", "casual", "causal", "united", "untied", "silver", "sliver"}
    | {"martial", "marital", "sacred", "scared", "perfect", "prefect", "bread", "beard"}
)
_VERBS = ("is", "are", "was", "were", "do", "does", "did", "has", "have", "had", "would", "could", "should")
_EXPANDED = {"can't": "cannot", "won't": "will not", "shan't": "shall not"}
_PRONOUN_CONTRACTIONS = {"i'm": "i am", "i've": "i have", "you're": "you are", "they're": "they are", "we're": "we are"}
_CONTRACTED = {
    **{f"{verb} not": f"{verb}n't" for verb in _VERBS},
    "cannot": "can't",
    "will not": "won't",
    **{full: short for short, full in _PRONOUN_CONTRACTIONS.items()},
}
_URLS = (
    "https://www.example.com/reviews/4821",
    "http://example.org/?id=77&ref=mail",
    "www.example.net/p/x1",
    "https://youtu.be/a1b2c3",
)
_HANDLES = ("@user", "@someone", "@tom_h", "@the_corner_shop", "@BBC6")
_HASHTAGS = ("#review", "#weekend", "#tbt", "#MondayEvening", "#2024")


def _like(word: str, model: str) -> str:
    """``word`` with the first letter's case of ``model``."""
    return word[:1].upper() + word[1:] if model[:1].isupper() else word


def typo(text: str, rng: Random) -> str | None:
    """Swaps two neighbouring inner letters of one word of at least five letters; negations stay as they are."""
    words = [m for m in re.finditer(r"(?<![\w'])[A-Za-z]{5,}(?![\w'])", text) if m[0].lower() not in NEGATIONS]
    for match in rng.sample(words, len(words)):
        word = match[0]
        at = rng.randrange(1, len(word) - 2)
        slip = word[:at] + word[at + 1] + word[at] + word[at + 2 :]
        if slip != word and slip.lower() not in _OTHER_WORDS:
            return text[: match.start()] + slip + text[match.end() :]
    return None


def expand_contractions(text: str, _: Random) -> str | None:
    """Writes contractions in full; questions are left alone ("Isn't it?" has no such form)."""
    if "?" in text:
        return None

    def full(match: re.Match[str]) -> str:
        word = match[0].lower()
        return _like({**_EXPANDED, **_PRONOUN_CONTRACTIONS}.get(word) or word[:-3] + " not", match[0])

    # ?a: otherwise i and s also match the dotless i and the long s, which no table holds
    changed = re.sub(r"\b(?a:(?!ain't)[a-z]+n't|i'm|i've|you're|they're|we're)\b", full, text, flags=re.IGNORECASE)
    return changed if changed != text else None


def contract(text: str, _: Random) -> str | None:
    """Writes "do not", "I am" and the like contracted."""
    pattern = r"\b(?a:" + "|".join(_CONTRACTED) + r")(?=\s\w)(?! only| just| merely)"
    changed = re.sub(pattern, lambda m: _like(_CONTRACTED[m[0].lower()], m[0]), text, flags=re.IGNORECASE)
    return changed if changed != text else None


def casing(text: str, rng: Random) -> str | None:
    """Lower case, upper case, or Every Word Capitalised."""
    changed = rng.choice((str.lower, str.upper, lambda t: re.sub(r"\b[a-z](?=\w)", lambda m: m[0].upper(), t)))(text)
    return changed if changed != text else None


def punctuation(text: str, rng: Random) -> str | None:
    """Punctuation as users write it: final stop left out or doubled, spaces before it, curly apostrophes, dashes."""
    changed = rng.choice(
        (
            lambda t: re.sub(r"\s*\.+$", "", t),
            lambda t: re.sub(r"\s*\.$", "..", t),
            lambda t: re.sub(r"(?<=\w)([,.;])", r" \1", t),
            lambda t: t.replace("'", "’"),  # noqa: RUF001 - the curly apostrophe is the point
            lambda t: t.replace(", ", " - ", 1),
            lambda t: t.replace(" ", "  "),
            lambda t: f'"{t}"' if '"' not in t else t,
        )
    )(text)
    return changed if changed != text else None


def _inserted(text: str, addition: str, rng: Random) -> str:
    """The text with an addition between two of its words, after a comma or a full stop where there is one."""
    stops = [match.end() for match in re.finditer(r"\w[,.;:] (?=\S)", text)]
    spaces = [match.end() for match in re.finditer(r"\w (?=\w)", text)]
    if not (stops or spaces):
        return f"{addition} {text}"
    at = rng.choice(stops or spaces)
    return f"{text[:at]}{addition} {text[at:]}"


def markup(text: str, rng: Random) -> str | None:
    """A link, a handle, hashtags or HTML tags around or in the text, as pages and posts have them."""
    url, handle = rng.choice(_URLS), rng.choice(_HANDLES)
    hashtag, other = rng.sample(_HASHTAGS, 2)
    return rng.choice(
        (
            f"{text} {url}",
            f"{url} {text}",
            f"<p>{text}</p>",
            f"{text}<br /><br />",
            f'<div class="review"><b>{text}</b></div>',
            f'{text} <a href="{url}">link</a>',
            f"@user {text}",
            f"{handle} {text}",
            f"{text} {handle}",
            f"{text} {hashtag}",
            f"{hashtag} {other} {text}",
            f"RT {handle}: {text} {url}",
            f"{handle} {text} {hashtag} {url}",
            f"[{handle[1:]}]({url}): {text}",
            _inserted(text, url, rng),
            _inserted(text, f"({url})", rng),
            _inserted(text, handle, rng),
            _inserted(text, "<br />", rng),
        )
    )


def _swap(text: str, words: Sequence[str], rng: Random) -> str | None:
    """Replaces one of the words that the text holds with another of them, wherever it stands."""
    held = [word for word in words if re.search(rf"\b{word}\b", text)]
    if not held:
        return None
    word = rng.choice(held)
    return re.sub(rf"\b{word}\b", rng.choice([other for other in words if other not in held]), text)


def names(text: str, rng: Random) -> str | None:
    """Another first name of the same gender, so that the pronouns still fit."""
    return _swap(text, WOMEN, rng) or _swap(text, MEN, rng)


def places(text: str, rng: Random) -> str | None:
    """Another city or another country."""
    return _swap(text, CITIES, rng) or _swap(text, COUNTRIES, rng)


def numbers(text: str, rng: Random) -> str | None:
    """Another year, or another count of people, days, minutes. Ratings (8/10, 3 stars, 90%) are opinions and stay."""
    year = r"(?<!/)\b(?:19[3-9]\d|20[0-2]\d)\b(?!\s*(?:/|%|out of|stars?))"
    count = r"\b[1-9]\d?(?=\s(?:people|days|years|minutes|hours|of us)\b)"

    def other(match: re.Match[str]) -> str:
        value = int(match[0])
        low, high = (1960, 2024) if value > 99 else (max(2, value - value // 3), value + value // 3 + 2)
        return str(rng.choice([n for n in range(low, high + 1) if n != value]))

    changed = re.sub(f"{year}|{count}", other, text)
    return changed if changed != text else None


def either(*choices: Perturbation) -> Perturbation:
    """The first of the perturbations that applies, tried in random order."""

    def perturb(text: str, rng: Random) -> str | None:
        return next((changed for p in rng.sample(choices, len(choices)) if (changed := p(text, rng))), None)

    return perturb
