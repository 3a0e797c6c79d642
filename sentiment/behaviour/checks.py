"""Behavioural tests: the answers of a classifier to generated cases, which an accuracy figure does not cover.

Cases of three kinds after CheckList (Ribeiro et al. 2020, doi 10.18653/v1/2020.acl-main.442), and of a fourth kind for
abstention, are generated for each capability in ``configs/behaviour.yaml``, from templates and from real sentences; the
share of failed cases is compared with the capability's limit.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from difflib import get_close_matches
from itertools import chain, islice, zip_longest
from random import Random
from typing import TYPE_CHECKING, Annotated, NamedTuple

from pydantic import AfterValidator, Field

from sentiment.behaviour.capabilities import CAPABILITIES, Capability, Case
from sentiment.behaviour.capabilities.words import OPINIONS
from sentiment.checks import Check, CheckReport, Severity
from sentiment.reviews.table import LABELS
from sentiment.settings import Settings

if TYPE_CHECKING:
    import numpy as np

    from sentiment.reviews.table import Reviews

Predict = Callable[[Sequence[str]], "np.ndarray"]
"""Texts to P(positive), float, shape (n,), in [0, 1]."""

_EXAMPLE_CHARACTERS = 160


class Failure(NamedTuple):
    """A failed case.

    Attributes:
        size: How wrong the answer is; the largest is shown first.
        description: The text, the score and the expectation.
    """

    size: float
    description: str


class CapabilitySettings(Settings):
    """The requirements of one capability."""

    limit: float = Field(ge=0, le=1, description="Highest share of failed cases that passes.")
    severity: Severity = Field("critical", description="critical stops the pipeline, warning is shown and logged.")
    cases: int = Field(80, ge=1, le=10_000, description="Maximum number of cases.")


def _known(name: str) -> str:
    if name not in CAPABILITIES:
        nearest = get_close_matches(name, CAPABILITIES, n=1, cutoff=0)[0]
        raise ValueError(f"there is no such capability; did you mean {nearest}?")
    return name


CapabilityName = Annotated[str, AfterValidator(_known)]


class BehaviourSettings(Settings):
    """The behavioural suite: ``configs/behaviour.yaml``."""

    tolerance: float = Field(0.1, ge=0, le=1, description="How far a score may move the wrong way (directional tests).")
    abstain_below: float = Field(
        0.6, ge=0.5, le=1, description="A score below this is an abstention, as in the service (abstention tests)."
    )
    examples: int = Field(5, ge=0, le=100, description="Failing examples shown for each capability, worst first.")
    capabilities: dict[CapabilityName, CapabilitySettings] = Field(
        min_length=1, description="Requirements by capability; a capability that is not listed is not tested."
    )


def real_sentences(reviews: Reviews, *, seed: int, limit: int = 6000) -> list[str]:
    """Short real texts to perturb: short reviews as they are, opinionated sentences of the longer ones.

    Args:
        reviews: The source of the texts (the test split); labels are not used.
        seed: Seed of the order.
        limit: Maximum number of reviews that are read, and of sentences that are returned.

    Returns:
        Distinct texts of 4 to 30 words; reviews and sentences take turns.
    """
    rng = Random(f"{seed}:sentences")
    opinion = re.compile(
        r"\b(?:" + "|".join(w for k in ("good", "bad", "love", "hate", "loved", "hated") for w in OPINIONS[k]) + r")\b"
    )
    texts = list(reviews.frame["text"])
    short: list[str] = []
    parts: list[str] = []
    for text in rng.sample(texts, min(limit, len(texts))):
        if len(text.split()) <= 30:
            short.append(text)
        else:
            parts += [part for part in re.split(r"(?<=[.!?])\s+", text) if opinion.search(part)]
    rng.shuffle(parts)
    turns = chain.from_iterable(zip_longest(short, parts))
    return list(islice(dict.fromkeys(t for t in turns if t is not None and 4 <= len(t.split()) <= 30), limit))


def draw_cases(capability: Capability, sentences: Sequence[str], *, seed: int, count: int) -> list[Case]:
    """Draws at most ``count`` cases of a capability, the same for the same sentences and seed."""
    return list(islice(capability.cases(Random(f"{seed}:{capability.name}"), sentences), count))


def generate_cases(reviews: Reviews, settings: BehaviourSettings, *, seed: int) -> dict[str, list[Case]]:
    """The cases of every capability in the settings, the same for the same reviews and seed.

    A capability's cases depend on no other capability: leaving one out changes nothing in the others.
    """
    sentences = real_sentences(reviews, seed=seed)
    return {
        name: draw_cases(CAPABILITIES[name], sentences, seed=seed, count=asked.cases)
        for name, asked in settings.capabilities.items()
    }


def check_behaviour(
    predict: Predict, reviews: Reviews, settings: BehaviourSettings, *, seed: int, threshold: float = 0.5
) -> CheckReport:
    """Holds a classifier against every capability in the settings.

    Args:
        predict: Texts to P(positive), shape (n,); called once, with every distinct text.
        reviews: Real reviews to perturb, from the test split. Their labels are not used.
        settings: Capabilities, limits, severities.
        seed: Seed of the cases.
        threshold: P(positive) above which the classifier says positive.

    Returns:
        The report ``"behaviour"`` with one check a capability; ``score`` is the failure rate.

    Raises:
        ValueError: ``predict`` did not return one probability for each text.
    """
    cases = generate_cases(reviews, settings, seed=seed)
    failures = find_failures(predict, cases, settings, threshold)
    return CheckReport(
        suite="behaviour",
        checks=tuple(
            _check(name, failures[name], len(cases[name]), asked, settings)
            for name, asked in settings.capabilities.items()
        ),
    )


def find_failures(
    predict: Predict, cases: Mapping[str, Sequence[Case]], settings: BehaviourSettings, threshold: float = 0.5
) -> dict[str, list[Failure]]:
    """Finds the failed cases of every capability, the worst first.

    Args:
        predict: Texts to P(positive), shape (n,); called once, with every distinct text.
        cases: Cases by capability.
        settings: Tolerance and abstention limit.
        threshold: P(positive) above which the classifier says positive.

    Raises:
        ValueError: ``predict`` did not return one probability for each text.
    """
    texts = list(dict.fromkeys(t for c in chain(*cases.values()) for t in (c.text, c.original) if t is not None))
    scores = dict(zip(texts, _probabilities(predict, texts), strict=True))
    return {
        name: sorted(
            (failure for case in listed if (failure := _failure(case, scores, settings, threshold))),
            key=lambda f: -f.size,
        )
        for name, listed in cases.items()
    }


def _probabilities(predict: Predict, texts: Sequence[str]) -> list[float]:
    import numpy as np

    scores = np.asarray(predict(texts), dtype=float)
    if scores.shape != (len(texts),) or not ((scores >= 0) & (scores <= 1)).all():
        raise ValueError(f"predict must return {len(texts)} probabilities, got an array of shape {scores.shape}")
    return [float(score) for score in scores]


def _check(
    name: str, failures: Sequence[Failure], count: int, asked: CapabilitySettings, settings: BehaviourSettings
) -> Check:
    rate = len(failures) / count
    return Check(
        name=name,
        severity=asked.severity,
        passed=rate <= asked.limit,
        observed=f"{rate * 100:.1f}% of {count} failed",
        limit=f"at most {asked.limit * 100:g}%",
        score=rate,
        count=count,
        compared=CAPABILITIES[name].kind != "ABS",
        examples=tuple(failure.description for failure in failures[: settings.examples]),
    )


def _failure(case: Case, scores: Mapping[str, float], settings: BehaviourSettings, threshold: float) -> Failure | None:
    """Returns the failure; None if the case passes."""
    score = scores[case.text]
    if case.label is not None:
        if (score > threshold) == bool(case.label):
            return None
        return Failure(
            abs(score - threshold), f"{_quoted(case.text)} scores {score:.2f}, expected {LABELS[case.label]}"
        )
    if case.original is None:
        if (confidence := score if score > threshold else 1 - score) < settings.abstain_below:
            return None
        return Failure(confidence, f"{_quoted(case.text)} scores {score:.2f}, expected an abstention")
    before = scores[case.original]
    moved = f"{_quoted(case.original)} {before:.2f} -> {_quoted(case.text)} {score:.2f}"
    if case.direction == 0:
        flipped = (score > threshold) != (before > threshold)
        return Failure(abs(score - before), f"{moved}, label flipped") if flipped else None
    wrong = (before - score) * case.direction
    expected = "not lower" if case.direction == 1 else "not higher"
    return Failure(wrong, f"{moved}, expected {expected}") if wrong > settings.tolerance else None


def _quoted(text: str) -> str:
    shown = text if len(text) <= _EXAMPLE_CHARACTERS else text[: _EXAMPLE_CHARACTERS - 1] + "…"
    return f'"{shown}"'
