"""The leaderboard repeats the figures of the evaluations, the best candidate first."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from sentiment.checks import Check, CheckReport
from sentiment.evaluation.cross_validation import CrossValidation, Fold
from sentiment.evaluation.leaderboard import Leaderboard, build_leaderboard
from sentiment.evaluation.measure import EvaluationSettings, evaluate
from sentiment.reviews.table import Reviews

LINEAR = SimpleNamespace(kind="linear", training_seconds=12.5)
UNTIMED = SimpleNamespace(kind="transformer", training_seconds=None)


def evaluation_of(candidate, wrong, source="rotten_tomatoes", words=5):
    """Wrong on the first n of 60 reviews; the first 30 are of the source."""
    text = "word " * words
    frame = pd.DataFrame(
        {"text": [f"{text}{i}." for i in range(60)], "label": [0, 1] * 30, "source": [source] * 30 + ["shop"] * 30}
    )
    p = np.where((np.arange(60) < wrong) == (np.arange(60) % 2 == 1), 0.1, 0.9)
    return evaluate(
        lambda texts: p if len(texts) == 60 else np.full(len(texts), 0.5),
        Reviews(frame), candidate=candidate, engine="numpy", servable_fingerprint=candidate, size_mb=2.5 * (wrong + 1),
        settings=EvaluationSettings(resamples=100, latency_sample=2), seed=0,
    )  # fmt: skip


def evaluation_of_rare(candidate, answers):
    """Of 60 reviews, the first 6 are positive; ``answers`` are the positions that the candidate calls positive."""
    frame = pd.DataFrame({"text": [f"Opinion {i}." for i in range(60)], "label": [1] * 6 + [0] * 54, "source": "shop"})
    p = np.where(np.isin(np.arange(60), answers), 0.9, 0.1)
    return evaluate(
        lambda texts: p if len(texts) == 60 else np.full(len(texts), 0.5),
        Reviews(frame), candidate=candidate, engine="numpy", servable_fingerprint=candidate, size_mb=1,
        settings=EvaluationSettings(resamples=100, latency_sample=2), seed=0,
    )  # fmt: skip


def behaviour_of(*checks):
    return CheckReport(
        suite="behaviour",
        checks=tuple(
            Check(name=str(n), passed=True, observed="", limit="", score=score, count=count, compared=compared)
            for n, (score, count, compared) in enumerate(checks)
        ),
    )


def folds_of(candidate, *accuracies):
    folds = tuple(Fold(reviews=10, accuracy=value, macro_f1=value / 2) for value in accuracies)
    return CrossValidation(candidate=candidate, data_fingerprint="d", seed=1, folds=folds)


SOME = behaviour_of((0.5, 100, True), (0.1, 300, True), (1.0, 999, False))
NONE = behaviour_of()


def test_a_row_repeats_the_figures_of_its_evaluation():
    evaluation = evaluation_of("linear", 6)
    board = build_leaderboard([evaluation], [SOME], [LINEAR], [folds_of("linear", 0.9, 0.8, 0.7)])
    (row,) = board.rows
    assert (row.candidate, row.kind, row.training_seconds) == ("linear", "linear", 12.5)
    assert row.accuracy == evaluation.overall.accuracy
    assert row.accuracy.value == pytest.approx(0.9)
    assert row.ece == evaluation.overall.ece
    assert row.sentences == evaluation.slices["source=rotten_tomatoes"].accuracy
    assert row.sentences.value == pytest.approx(0.8)
    assert (row.size_mb, row.p95_ms) == (17.5, evaluation.latency_ms.p95)
    assert row.reviews_per_second == evaluation.reviews_per_second
    assert row.behaviour_cases == 400  # the third check is not compared
    assert row.behaviour_failed == pytest.approx((50 + 30) / 400)
    assert (row.cross_validation.mean, row.cross_validation.deviation) == (pytest.approx(0.8), pytest.approx(0.1))
    assert (board.reviews, board.folds, board.sentences) == (60, 3, "source=rotten_tomatoes")
    assert (board.rare_label, row.macro_f1, row.rare_recall) == (None, None, None)
    assert row.ranked_by == row.accuracy
    assert Leaderboard.model_validate_json(board.model_dump_json()) == board


def test_where_a_label_is_rare_always_answering_the_other_one_is_not_first():
    constant, useful = evaluation_of_rare("linear", []), evaluation_of_rare("svm", [0, 1, 2, 3, *range(10, 16)])
    board = build_leaderboard([constant, useful], [NONE] * 2, [LINEAR] * 2)
    first, second = board.rows
    assert first.accuracy.value < second.accuracy.value == pytest.approx(0.9)
    assert (first.candidate, board.rare_label) == ("svm", "positive")
    assert first.macro_f1 == first.ranked_by == useful.overall.macro_f1
    assert (first.rare_recall, second.rare_recall.value) == (useful.overall.recall_positive, 0)
    assert Leaderboard.model_validate_json(board.model_dump_json()) == board


def test_a_leaderboard_from_before_macro_f1_is_read():
    board = build_leaderboard([evaluation_of("linear", 6)], [SOME], [LINEAR])
    old = board.model_dump(mode="json", exclude={"rare_label": True, "rows": {"__all__": {"macro_f1", "rare_recall"}}})
    assert "macro_f1" not in old["rows"][0]
    assert Leaderboard.model_validate(old) == board


def test_the_most_accurate_is_first_and_the_cheaper_wins_a_tie():
    names = {"linear": 9, "cascade": 3, "transformer": 3, "svm": 1}
    evaluations = [evaluation_of(name, wrong) for name, wrong in names.items()]
    board = build_leaderboard(evaluations, [NONE] * 4, [LINEAR] * 4)
    assert [row.candidate for row in board.rows] == ["svm", "cascade", "transformer", "linear"]


def test_figures_stay_with_their_candidate():
    evaluations = [evaluation_of("linear", 9), evaluation_of("transformer", 3)]
    board = build_leaderboard(evaluations, [SOME, NONE], [LINEAR, UNTIMED], [folds_of("linear", 0.9, 0.8)])
    first, second = board.rows
    assert (first.candidate, first.kind, first.behaviour_cases, first.size_mb) == ("transformer", "transformer", 0, 10)
    assert (first.training_seconds, first.cross_validation, first.behaviour_failed) == (None, None, None)
    assert (second.kind, second.behaviour_cases, second.training_seconds, second.size_mb) == ("linear", 400, 12.5, 25)
    assert second.cross_validation.mean == pytest.approx(0.85)


@pytest.mark.parametrize(
    ("source", "words", "found"),
    [("rotten_tomatoes", 5, "source=rotten_tomatoes"), ("blog", 5, "length=short"), ("blog", 300, None)],
)
def test_sentences_are_a_source_or_the_short_reviews(source, words, found):
    evaluation = evaluation_of("linear", 6, source, words)
    board = build_leaderboard([evaluation], [SOME], [LINEAR])
    assert board.sentences == found
    assert board.rows[0].sentences == (evaluation.slices[found].accuracy if found else None)
    assert board.folds == 0
