"""How far annotators agree with each other, and with the model."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations

from pydantic import BaseModel, ConfigDict

from sentiment.annotation.feedback import decide_label
from sentiment.annotation.items import Answer
from sentiment.annotation.selection import RANDOM
from sentiment.evaluation.bootstrap import Interval
from sentiment.monitoring.live_quality import wilson

MODEL, MAJORITY = "the model", "the majority"


class Pair(BaseModel):
    """How often two agree.

    Attributes:
        first: An annotator, or the majority of them.
        second: Another annotator, or the model.
        texts: Texts that both labelled.
        share: Of them, with the same label, in [0, 1].
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    first: str
    second: str
    texts: int
    share: float


class Agreement(BaseModel):
    """Agreement about a batch.

    Attributes:
        annotators: How many labels each annotator gave.
        texts: Texts with labels of at least two annotators.
        alpha: Krippendorff's alpha of them, at most 1, and 0 for agreement by chance; None if nothing can be compared,
            or all labels are equal.
        pairs: Every two annotators with a text in common.
        model: Every annotator, and their majority, with the model.
        random: Share of the random texts for which the majority agrees with the model: its live accuracy, as far as
            the annotators are right; None if the batch has none.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    annotators: dict[str, int]
    texts: int
    alpha: float | None
    pairs: tuple[Pair, ...]
    model: tuple[Pair, ...]
    random: Interval | None


def measure_agreement(
    answers: Mapping[str, Sequence[Answer]], predicted: Mapping[str, str], *, confidence: float
) -> Agreement:
    """Measures the agreement of annotators with each other and with the model.

    Args:
        answers: The latest answer of each annotator, by prediction.
        predicted: The model's label, by prediction; answers to other predictions are compared with each other only.
        confidence: Of the interval (Wilson 1927), in [0.5, 1).
    """
    labels = {p: {a.annotator: a.label for a in given if a.label} for p, given in answers.items()}
    names = sorted({name for given in labels.values() for name in given})
    majority = {p: decided.label for p, given in answers.items() if (decided := decide_label(given)) and decided.label}
    others = {name: {p: given[name] for p, given in labels.items() if name in given} for name in names}
    compared = {p: given for p, given in labels.items() if len(given) > 1}
    of_random = [p for p in majority if p in predicted and any(RANDOM in a.reason.split(" and ") for a in answers[p])]
    right = [majority[p] == predicted[p] for p in of_random]
    return Agreement(
        annotators={name: len(others[name]) for name in names},
        texts=len(compared),
        alpha=_alpha(compared),
        pairs=_pairs((a, others[a], b, others[b]) for a, b in combinations(names, 2)),
        model=_pairs((a, given, MODEL, predicted) for a, given in {**others, MAJORITY: majority}.items()),
        random=wilson(sum(right) / len(right), len(right), confidence) if right else None,
    )


def _pairs(both: Iterable[tuple[str, Mapping[str, str], str, Mapping[str, str]]]) -> tuple[Pair, ...]:
    found = []
    for first, ours, second, theirs in both:
        same = [label == theirs[p] for p, label in ours.items() if p in theirs]
        if same:
            found.append(Pair(first=first, second=second, texts=len(same), share=sum(same) / len(same)))
    return tuple(found)


def _alpha(compared: Mapping[str, Mapping[str, str]]) -> float | None:
    """Krippendorff's alpha (2011, "Computing Krippendorff's Alpha-Reliability"); an annotator may lack some labels."""
    rows = [(name, p, label) for p, given in compared.items() for name, label in given.items()]
    if len({label for _, _, label in rows}) < 2:
        return None
    from nltk.metrics.agreement import AnnotationTask  # takes seconds

    return float(AnnotationTask(rows).alpha())
