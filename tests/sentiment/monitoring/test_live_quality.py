from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from sentiment.monitoring.live_quality import (
    effective_size,
    live_accuracy,
    live_calibration,
    quality_checks,
    stratum_weights,
    wilson,
)
from sentiment.monitoring.prediction_log import Feedback
from sentiment.monitoring.reference import Reference
from sentiment.monitoring.settings import FeedbackSettings
from tests.helpers.windows import DAY, START, labelled, reference, stream, window

SETTINGS = FeedbackSettings()


@pytest.fixture(scope="module")
def held():
    return reference()


def checks(held, records, feedback, **when):
    seen = window(records, feedback, **when)
    found = quality_checks(seen, seen.labelled, held, SETTINGS, min_predictions=500, resamples=500, seed=0)
    return {check.name: check for check in found}


def test_a_model_that_holds_passes(held):
    records, truths = stream(1000)
    found = checks(held, records, labelled(records, truths, every=3))
    assert set(found) == {"accuracy", "calibration"}
    assert all(check.passed for check in found.values())
    assert found["accuracy"].score == pytest.approx(held.accuracy, abs=0.05)


def test_a_model_that_is_wrong_more_often_fails_in_accuracy_and_calibration(held):
    records, truths = stream(1000, wrong=0.2)
    found = checks(held, records, labelled(records, truths, every=3))
    assert not found["accuracy"].passed
    assert not found["calibration"].passed
    assert found["accuracy"].examples
    assert "score" in found["accuracy"].examples[0]


def test_few_labels_give_no_verdict_but_an_estimate(held):
    records, truths = stream(1000, wrong=0.5)
    found = checks(held, records, labelled(records, truths, every=50))
    assert (found["accuracy"].passed, found["accuracy"].severity) == (True, "warning")
    assert "not enough labels: 20 of 100" in found["accuracy"].observed
    assert found["estimated_accuracy"].severity == "warning"
    assert "calibration" not in found


def test_without_enough_answers_nothing_is_estimated(held):
    records, _ = stream(100)
    assert set(checks(held, records, [])) == {"accuracy"}


def test_the_estimate_follows_how_sure_the_model_is(held):
    from tests.helpers.windows import scored

    rng = np.random.default_rng(5)
    records, _ = stream(1000)
    positive, truth = scored(1000, rng, sharpness=1.0)  # less confident, and as well calibrated
    unsure = [
        replace(r, positive=p, score=max(p, 1 - p), label="positive" if p > 0.5 else "negative")
        for r, p in zip(records, positive.tolist(), strict=True)
    ]
    found = checks(held, unsure, [])["estimated_accuracy"]
    real = ((positive > 0.5) == (truth == 1)).mean()
    assert held.accuracy - real > 0.05
    assert found.score == pytest.approx(real, abs=0.04)
    assert not found.passed


@pytest.mark.parametrize(("wrong", "passed"), [(0.0, True), (0.2, False)])
def test_labels_that_come_days_later_judge_a_window_without_predictions(held, wrong, passed):
    records, truths = stream(600, wrong=wrong)
    late = [Feedback(r.id, t, r.time + 2 * DAY) for r, t in zip(records, truths, strict=True)]
    found = checks(held, records, late, start=START + 2 * DAY, end=START + 3 * DAY)
    assert found["accuracy"].count == 600
    assert found["accuracy"].passed is passed


def test_labels_of_low_scores_only_are_no_drop_of_accuracy(held):
    records, truths = stream(3000)
    pairs = list(zip(records, truths, strict=True))
    chosen = [pair for n, pair in enumerate(pairs) if pair[0].score < 0.8 or n % 10 == 0]
    feedback = labelled(*zip(*chosen, strict=True))
    found = checks(held, records, feedback)["accuracy"]
    plain = np.mean([r.label == t for r, t in chosen])
    assert plain < held.accuracy - 0.05
    assert found.passed
    assert found.score == pytest.approx(held.accuracy, abs=0.04)


def test_weights_spread_labels_as_the_window():
    scores = np.linspace(0.5, 1, 1000)
    labels = np.concatenate([np.full(90, 0.55), np.full(10, 0.95)])
    weights = stratum_weights(scores, labels, 5)
    assert weights.mean() == pytest.approx(1)
    assert weights[-1] / weights[0] > 5
    assert 10 < effective_size(weights) < 100
    assert stratum_weights(scores, scores, 5) == pytest.approx(np.ones(1000))


def test_weights_tell_equal_scores_from_others_and_low_ones_from_lower_ones():
    most_are_equal = np.repeat([0.65, 0.97, 0.98], [100, 100, 800])
    weights = stratum_weights(most_are_equal, np.repeat([0.65, 0.97, 0.98], [60, 20, 20]), 5)
    assert weights[[0, 60, 80]] == pytest.approx([1 / 6, 0.5, 4])
    mostly_sure = np.concatenate([np.linspace(0.5, 0.9, 100), np.linspace(0.98, 1, 900)])  # all low ones: one quantile
    weights = stratum_weights(mostly_sure, np.repeat([0.52, 0.72, 0.99], [40, 10, 50]), 5)
    assert weights[0] < weights[40] < weights[-1]


def unsure_ones_a_little_off(rows, seed, worse=0.0):
    """Scores, answers and labels of a model whose least confident tenth is right 10 points too seldom."""
    rng = np.random.default_rng(seed)
    sure = rng.random(rows) < 0.9
    score = 1 / (1 + np.exp(-np.where(sure, rng.uniform(3, 5, rows), rng.uniform(0.2, 1.2, rows))))
    answer = rng.integers(0, 2, rows)
    right = rng.random(rows) < score - np.where(sure, 0, 0.1 + worse)
    return score, answer, np.where(right, answer, 1 - answer), np.where(sure, 0.02, 0.6) > rng.random(rows)


def judged(seed, worse=0.0):
    score, answer, truth, _ = unsure_ones_a_little_off(3000, 1000 + seed)
    positive = np.where(answer == 1, score, 1 - score)
    held = Reference(pd.DataFrame({"label": truth, "positive": positive}), "3", "")
    score, answer, truth, reported = unsure_ones_a_little_off(4000, seed, worse)
    rows = {"id": "", "words": 3, "label": answer, "feedback": truth, "score": score, "correct": answer == truth}
    seen = pd.DataFrame(rows)[reported]
    accuracy = live_accuracy(score, seen, held, SETTINGS)
    assert accuracy.score == pytest.approx((answer == truth).mean(), abs=0.06)
    return accuracy.passed, live_calibration(seen, held, SETTINGS, resamples=300, seed=0).passed


def test_labels_of_low_scores_only_are_no_loss_of_calibration():
    """Compared with all held-out answers, not with those of equal confidence, 11 of 12 windows raised an alarm."""
    assert sum(judged(seed) != (True, True) for seed in range(12)) <= 1


def test_a_loss_of_calibration_is_found_in_labels_of_unsure_answers():
    assert not any(judged(seed, worse=0.2)[1] for seed in range(4))


@pytest.mark.parametrize(("share", "rows"), [(0.0, 10), (1.0, 10), (0.9, 300)])
def test_wilson_is_that_of_scipy(share, rows):
    from scipy.stats import binomtest

    theirs = binomtest(round(share * rows), rows).proportion_ci(0.95, "wilson")
    ours = wilson(share, rows, 0.95)
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high))


def test_false_alarms_are_rare(held):
    alarms = 0
    for seed in range(20):
        records, truths = stream(600, seed=100 + seed)
        found = checks(held, records, labelled(records, truths, every=5))
        alarms += not all(check.passed for check in found.values())
    assert alarms <= 1
