"""Turns the answers of annotators into feedback, one label for each prediction."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from sentiment.annotation.items import Answer
from sentiment.monitoring.prediction_log import Feedback, Logged
from sentiment.monitoring.window import GRACE

CLIENT = "annotator:"
MAX_NAME = 100  # characters


@dataclass(frozen=True)
class NewFeedback:
    """The labels that an import adds to the log, and the predictions that it adds none for.

    Attributes:
        labels: To add. The guard trusts them as any other feedback: it may leave some of them out.
        known: Annotators gave the same label in an earlier import.
        changed: Of the added ones: annotators gave another label before; the guard uses neither.
        ties: As many annotators for one label as for the other.
        skipped: Every annotator skipped them, or has not finished.
        unknown: The log does not hold the prediction.
        clock_skewed: Labelled before they were predicted, or in the future.
        untimed: Of the added ones: the file does not say when they were labelled.
        busiest_minute: Largest number of added labels that were given in one minute.
    """

    labels: tuple[Feedback, ...]
    known: int
    changed: int
    ties: int
    skipped: int
    unknown: int
    clock_skewed: int
    untimed: int
    busiest_minute: int


def latest_answers(answers: Sequence[Answer], *, default_time: float) -> dict[str, list[Answer]]:
    """Groups answers by prediction, in the order of time: the latest one of each annotator."""
    grouped: dict[str, dict[str, Answer]] = {}
    for answer in sorted(answers, key=lambda a: default_time if a.time is None else a.time):
        of_prediction = grouped.setdefault(answer.prediction_id, {})
        of_prediction.pop(answer.annotator, None)
        of_prediction[answer.annotator] = answer
    return {prediction: list(given.values()) for prediction, given in grouped.items()}


def decide_label(answers: Sequence[Answer]) -> Answer | None:
    """Returns the last answer of the majority of annotators; None for a tie, or if all of them skipped the text."""
    counts = Counter(answer.label for answer in answers if answer.label is not None).most_common(2)
    if not counts or (len(counts) == 2 and counts[0][1] == counts[1][1]):
        return None
    return next(answer for answer in reversed(answers) if answer.label == counts[0][0])


def build_feedback(answers: dict[str, list[Answer]], logged: Logged, *, default_time: float) -> NewFeedback:
    """Builds the feedback of answers, with the time at which each label was given.

    Args:
        answers: Of :func:`latest_answers`.
        logged: The whole log, with earlier feedback.
        default_time: Of answers without a time, in seconds since 1970 (UTC); such as that of their file.
    """
    predicted = {record.id: record.time for record in logged.records}
    earlier: dict[str, set[str]] = {}
    for entry in logged.feedback:
        if (entry.client or "").startswith(CLIENT):
            earlier.setdefault(entry.prediction_id, set()).add(entry.label)
    counts, labels, latest = Counter[str](), list[Feedback](), time.time() + GRACE
    for prediction, given in answers.items():
        decided = decide_label(given)
        if prediction not in predicted:
            counts["unknown"] += 1
            continue
        if decided is None or decided.label is None:
            counts["ties" if any(answer.label for answer in given) else "skipped"] += 1
            continue
        at = default_time if decided.time is None else decided.time
        if decided.label in earlier.get(prediction, ()):
            counts["known"] += 1
        elif not predicted[prediction] - GRACE <= at <= latest:
            counts["clock_skewed"] += 1
        else:
            counts["changed"] += prediction in earlier
            counts["untimed"] += decided.time is None
            labels.append(Feedback(prediction, decided.label, at, f"{CLIENT}{decided.annotator}"[:MAX_NAME]))
    minutes = Counter(entry.time // 60 for entry in labels)
    kinds = ("known", "changed", "ties", "skipped", "unknown", "clock_skewed", "untimed")
    return NewFeedback(
        tuple(labels), **{kind: counts[kind] for kind in kinds}, busiest_minute=max(minutes.values(), default=0)
    )
