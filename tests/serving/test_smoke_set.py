"""The reviews that the smoke test sends."""

from collections import Counter
from dataclasses import replace

import pandas as pd
import pytest

from sentiment.errors import UserError
from sentiment.evaluation.measure import EvaluationSettings, evaluate
from sentiment.reviews.table import Reviews
from serving.rollouts.smoke_set import smoke_set

WORDS = {"short": 5, "medium": 100, "long": 300}


def score(text):
    return int(text.split()[1]) / 1000


@pytest.fixture(scope="module")
def test_split():
    """Many short negative reviews, few long positive ones: like real splits, not balanced."""
    counts = {("short", 0): 60, ("short", 1): 40, ("medium", 0): 20, ("medium", 1): 20, ("long", 0): 10, ("long", 1): 3}
    rows = [(length, label) for (length, label), count in counts.items() for _ in range(count)]
    texts = [f"Review {i}" + " word" * (WORDS[length] - 2) for i, (length, _) in enumerate(rows)]
    return Reviews(pd.DataFrame({"text": texts, "label": [label for _, label in rows], "source": "shop"}))


@pytest.fixture(scope="module")
def evaluation(test_split):
    import numpy as np

    return evaluate(
        lambda texts: np.array([score(text) for text in texts]),
        test_split, candidate="linear", engine="numpy", servable_fingerprint="f", size_mb=1.0, seed=0,
        settings=EvaluationSettings(resamples=100, latency_sample=2),
    )  # fmt: skip


def choose(test_split, evaluation, **change):
    return smoke_set(test_split, evaluation, **{"reviews": 24, "max_characters": 20_000, "seed": 13, **change})


def test_every_length_and_label_has_its_part(test_split, evaluation):
    label = dict(zip(test_split.frame["text"], test_split.frame["label"], strict=True))
    chosen = choose(test_split, evaluation)
    parts = Counter((len(known.text.split()), label[known.text]) for known in chosen)
    assert len(chosen) == 24
    assert parts[300, 1] == 3  # all of them
    assert set(parts.values()) <= {3, 4, 5}
    assert len(parts) == 6


def test_each_comes_with_the_score_that_was_recorded_for_it(test_split, evaluation):
    assert all(known.positive == score(known.text) for known in choose(test_split, evaluation))


def test_the_same_seed_chooses_the_same(test_split, evaluation):
    assert choose(test_split, evaluation) == choose(test_split, evaluation)
    assert choose(test_split, evaluation) != choose(test_split, evaluation, seed=14)


def test_reviews_that_the_service_refuses_are_left_out(test_split, evaluation):
    chosen = choose(test_split, evaluation, reviews=1000, max_characters=600)
    assert len(chosen) == 140
    assert all(len(known.text) <= 600 for known in chosen)


def test_an_evaluation_of_other_reviews_is_refused(test_split, evaluation):
    others = Reviews(test_split.frame.assign(text=test_split.frame["text"] + "!"))
    with pytest.raises(UserError, match="is of other reviews"):
        choose(others, evaluation)


def test_the_order_of_the_predictions_does_not_matter(test_split, evaluation):
    turned = replace(evaluation, predictions=evaluation.predictions.iloc[::-1].reset_index(drop=True))
    assert all(known.positive == score(known.text) for known in choose(test_split, turned))
