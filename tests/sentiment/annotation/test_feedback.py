import time

import pytest

from sentiment.annotation.agreement import MAJORITY, MODEL, measure_agreement
from sentiment.annotation.feedback import build_feedback, latest_answers
from sentiment.annotation.items import Answer
from sentiment.monitoring.prediction_log import Feedback, Logged
from tests.helpers.windows import START, stream

RECORDS, _ = stream(12)
IDS = [r.id for r in RECORDS]
LATER = START + 90_000


def answers(*given):
    """Of (number of the prediction, annotator, label, seconds)."""
    return [
        Answer(IDS[p] if isinstance(p, int) else p, name, label, None if at is None else LATER + at, "random")
        for p, name, label, at in given
    ]


def build(given, feedback=(), default_time=LATER):
    grouped = latest_answers(given, default_time=default_time)
    return build_feedback(grouped, Logged(tuple(RECORDS), feedback=tuple(feedback)), default_time=default_time)


def labels(built):
    return [(f.prediction_id, f.label, f.client, f.time) for f in built.labels]


def test_the_majority_decides_and_its_last_annotator_gives_name_and_time():
    built = build(
        answers((0, "kim", "positive", 1), (0, "lee", "negative", 9), (0, "mo", "positive", 5), (0, "ann", None, 7))
    )
    assert labels(built) == [(IDS[0], "positive", "annotator:mo", LATER + 5)]


def test_an_annotator_counts_once_with_the_latest_answer():
    built = build(answers((0, "kim", "negative", 1), (0, "lee", "positive", 2), (0, "kim", "positive", 3)))
    assert labels(built) == [(IDS[0], "positive", "annotator:kim", LATER + 3)]


def test_ties_skipped_and_unknown_ones_are_counted_and_left_out():
    built = build(
        answers(
            (0, "kim", "positive", 1), (0, "lee", "negative", 2), (1, "kim", None, 3), ("other", "kim", "positive", 4)
        )
    )  # fmt: skip
    assert (built.labels, built.ties, built.skipped, built.unknown) == ((), 1, 1, 1)


def test_importing_again_adds_nothing_and_a_changed_answer_is_counted():
    given = answers((0, "kim", "positive", 1), (1, "kim", "negative", 2))
    first = build(given)
    again = build(given, first.labels)
    assert (again.labels, again.known) == ((), 2)
    changed = build(answers((0, "kim", "negative", 1)), first.labels)
    assert (len(changed.labels), changed.changed) == (1, 1)
    of_a_client = build(given, [Feedback(IDS[0], "positive", LATER, "0f3c1c9e6a8b")])
    assert (len(of_a_client.labels), of_a_client.changed) == (2, 0)


def test_labels_of_a_wrong_clock_are_counted_and_left_out():
    built = build(answers((0, "kim", "positive", START - LATER - 4000), (1, "kim", "positive", time.time() - START)))
    assert (built.labels, built.clock_skewed) == ((), 2)


def test_labels_keep_the_pace_of_the_annotators():
    paced = build(answers(*((p, "kim", "positive", 30 * p) for p in range(12))))
    assert (paced.busiest_minute, paced.untimed) == (2, 0)
    assert [f.time - LATER for f in paced.labels] == [30 * p for p in range(12)]
    untimed = build(answers(*((p, "kim", "positive", None) for p in range(12))))
    assert (untimed.busiest_minute, untimed.untimed) == (12, 12)


def measure(given):
    predicted = {record.id: "positive" for record in RECORDS}
    return measure_agreement(latest_answers(given, default_time=LATER), predicted, confidence=0.95)


def test_alpha_is_that_of_krippendorffs_own_example():
    """Two observers, ten items, nominal binary data: 0.095 (Krippendorff 2011, section A)."""
    first, second = "0100000000", "1110010010"
    words = {"0": "negative", "1": "positive"}
    given = [(i, name, words[v], 0) for name, row in (("a", first), ("b", second)) for i, v in enumerate(row)]
    found = measure(answers(*given))
    assert found.alpha == pytest.approx(0.095, abs=5e-4)
    (pair,) = found.pairs
    assert (pair.first, pair.second, pair.texts, pair.share) == ("a", "b", 10, 0.6)


def test_pairs_count_only_texts_in_common_and_everyone_is_compared_with_the_model():
    found = measure(
        answers(
            (0, "a", "positive", 0), (0, "b", "positive", 0), (1, "a", "negative", 0), (1, "b", None, 0),
            (2, "b", "negative", 0), (2, "c", "positive", 0), (2, "a", "positive", 0),
        )
    )  # fmt: skip
    assert {(p.first, p.second): (p.texts, p.share) for p in found.pairs} == {
        ("a", "b"): (2, 0.5), ("a", "c"): (1, 1.0), ("b", "c"): (1, 0.0)
    }  # fmt: skip
    model = {p.first: (p.texts, round(p.share, 3)) for p in found.model}
    assert model == {"a": (3, 0.667), "b": (2, 0.5), "c": (1, 1.0), MAJORITY: (3, 0.667)}
    assert {p.second for p in found.model} == {MODEL}
    assert (found.annotators, found.texts) == ({"a": 3, "b": 2, "c": 1}, 2)
    assert found.random.value == pytest.approx(2 / 3)
    assert found.random.low < found.random.value < found.random.high


def test_one_annotator_or_one_label_gives_no_alpha():
    assert measure(answers((0, "a", "positive", 0), (1, "a", "negative", 0))).alpha is None
    same = measure(answers((0, "a", "positive", 0), (0, "b", "positive", 0), (1, "b", "negative", 0)))
    assert (same.alpha, same.texts) == (None, 1)
    assert measure([]).model == ()


def test_only_random_texts_measure_accuracy():
    unsure = [
        Answer(IDS[0], "a", "negative", LATER, "unsure"),
        Answer(IDS[1], "a", "positive", LATER, "unsure and random"),
    ]
    assert measure(unsure).random.value == 1.0
    assert measure(unsure[:1]).random is None
