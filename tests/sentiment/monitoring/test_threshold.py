"""Monitoring compares answers at the version's threshold."""

import numpy as np
import pandas as pd
import pytest

from sentiment.monitoring.drift import abstention
from sentiment.monitoring.reference import Reference, build_reference
from sentiment.monitoring.settings import DriftSettings
from sentiment.monitoring.window import Window, WindowFacts
from sentiment.reviews.table import Reviews

THRESHOLD = 0.2


@pytest.fixture
def references():
    """The same answers of a calibrated model of a rare label, at a threshold of its own and at 0.5."""
    rng = np.random.default_rng(0)
    p = rng.beta(0.3, 3, 2000)
    frame = pd.DataFrame({"text": [f"film {n}" for n in range(2000)], "label": rng.random(2000) < p, "source": "films"})
    reviews = Reviews(frame.astype({"label": int}))
    return [build_reference(reviews, p, model_version="3", rows=2000, seed=0, threshold=t) for t in (THRESHOLD, 0.5)]


def test_answers_scores_and_accuracy_follow_the_threshold(references):
    moved, half = references
    positive = moved.positive > THRESHOLD
    assert moved.says_positive.tolist() == positive.tolist()
    assert moved.accuracy == (positive == (moved.labels == 1)).mean() != half.accuracy
    assert moved.scores.min() < 0.5 <= half.scores.min()
    assert moved.scores == pytest.approx(np.where(positive, moved.positive, 1 - moved.positive))


def test_a_reference_keeps_its_threshold_and_an_older_one_has_one_half(references, tmp_path):
    moved, half = references
    assert moved.fingerprint != half.fingerprint
    moved.save(tmp_path)
    assert Reference.load(tmp_path).threshold == THRESHOLD
    (tmp_path / "reference.json").write_text('{"model_version": "3", "data_fingerprint": ""}')
    assert Reference.load(tmp_path).threshold == 0.5


def test_answers_like_the_reference_abstain_as_often(references):
    """At 0.5, a quarter fewer of the reference's answers would abstain: an alarm about nothing."""
    moved, half = references
    window = Window(
        pd.DataFrame({"score": moved.scores, "abstained": moved.scores < 0.6, "sampled": True}),
        WindowFacts(model_version="3", start=0, end=0, seen=len(moved.scores)),
    )
    settings = DriftSettings(max_abstention_rise=0.01)
    assert abstention(window, moved, settings).passed
    assert not abstention(window, half, settings).passed
