import numpy as np
import pytest
from sklearn.metrics import accuracy_score, f1_score

from sentiment.evaluation.calibration import (
    calibrate,
    expected_calibration_error,
    find_threshold,
    fit_temperature,
    is_unbalanced,
    reliability_curve,
)


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def overconfident(n, seed, temperature=3.0):
    """Logits that are ``temperature`` times too large, and labels that follow the true probabilities."""
    rng = np.random.default_rng(seed)
    true = rng.normal(0, 1.5, n)
    return true * temperature, (rng.random(n) < sigmoid(true)).astype(int)


def test_calibration_improves_the_error_on_held_out_data_and_changes_no_label():
    temperature = fit_temperature(*overconfident(2000, seed=0))
    z, y = overconfident(2000, seed=1)
    before, after = (expected_calibration_error(sigmoid(z / t), y, 15) for t in (1.0, temperature))
    assert temperature == pytest.approx(3.0, rel=0.1)
    assert after < before / 4
    assert ((z > 0) == (z / temperature > 0)).all()


def test_the_temperature_is_the_most_likely_one():
    z, y = overconfident(500, seed=2, temperature=0.4)
    found = fit_temperature(z, y)

    def loss(t):
        return np.logaddexp(0, np.where(y == 1, -z, z) / t).mean()

    assert found < 1  # this one was not sure enough
    assert loss(found) <= min(loss(t) for t in np.geomspace(0.05, 20, 400)) + 1e-6


def test_a_perfect_classifier_gets_a_finite_temperature():
    assert 0.05 <= fit_temperature([-4.0, 5.0, 3.0], [0, 1, 1]) < 0.1


@pytest.mark.parametrize(
    ("logits", "labels"), [([], []), ([1.0], [1, 0]), ([np.inf, 0.0], [1, 0]), ([[1.0, 2.0]], [[0, 1]])]
)
def test_unfit_data_are_refused(logits, labels):
    with pytest.raises(ValueError, match=r"logit"):
        fit_temperature(logits, labels)


def test_the_calibration_error_by_hand():
    # confidence 0.9 three times, right twice; confidence 0.6 once, wrong
    p, y = [0.9, 0.1, 0.9, 0.6], [1, 0, 0, 0]
    assert expected_calibration_error(p, y, 10) == pytest.approx(3 / 4 * (0.9 - 2 / 3) + 1 / 4 * 0.6)


def test_the_bins_are_those_of_the_paper():
    # (0.8, 0.9] and (0.9, 1.0]: 0.9 itself belongs to the lower one, so the two gaps do not cancel
    p, y = [0.9, 0.95], [1, 0]
    assert expected_calibration_error(p, y, 10) == pytest.approx((0.1 + 0.95) / 2)


def test_reliability_counts_every_prediction_once():
    p = np.array([0.0, 0.05, 0.55, 0.59, 1.0])
    curve = reliability_curve(p, [0, 1, 1, 1, 1], 10)
    assert [b.count for b in curve] == [2, 2, 1]
    assert [b.predicted for b in curve] == pytest.approx([0.025, 0.57, 1.0])
    assert [b.observed for b in curve] == pytest.approx([0.5, 1.0, 1.0])


def unbalanced(n, seed, temperature=2.0, bias=-6.0, prior=-3.2):
    """Logits as weighted training gives them: shifted towards the rare positive label, and overconfident."""
    rng = np.random.default_rng(seed)
    true = rng.normal(prior, 2.0, n)
    return true * temperature - bias, (rng.random(n) < sigmoid(true)).astype(int)


def test_balanced_labels_are_calibrated_by_the_temperature_alone():
    z, y = overconfident(1000, seed=4)
    found = calibrate(z, y)
    assert (found.bias, found.threshold) == (0.0, 0.5)
    assert found.temperature == fit_temperature(z, y)  # to the last bit
    assert found.validation_accuracy == ((z > 0) == (y == 1)).mean()
    assert found.validation_macro_f1 == pytest.approx(f1_score(y, z > 0, average="macro"))
    assert found.validation_log_loss == np.logaddexp(0, -np.where(y == 1, 1, -1) * z / found.temperature).mean()


def test_a_bias_undoes_weights_between_labels_that_are_not_rare():
    def drawn(seed):
        z, y = unbalanced(4000, seed, prior=-1.2)
        assert 0.25 < y.mean() < 0.4
        return z, y

    found = calibrate(*drawn(0), weighted=True)
    assert (found.bias, found.threshold) == (pytest.approx(-6.0, abs=0.6), 0.5)
    z, y = drawn(1)
    assert expected_calibration_error(sigmoid((z + found.bias) / found.temperature), y, 15) < 0.03
    assert found.validation_accuracy == ((drawn(0)[0] > -found.bias) == drawn(0)[1]).mean()
    assert calibrate(*drawn(0)).bias == 0.0


@pytest.mark.parametrize("rare", [1, 0])
def test_a_bias_undoes_the_shift_of_weighted_training(rare):
    def drawn(seed):
        z, y = unbalanced(4000, seed)
        return (z, y) if rare else (-z, 1 - y)

    found = calibrate(*drawn(0))
    assert found.temperature == pytest.approx(2.0, rel=0.15)
    assert found.bias == pytest.approx(-6.0 if rare else 6.0, abs=0.6)
    z, y = drawn(1)
    with_bias, without = (
        abs(sigmoid(scaled).mean() - y.mean())
        for scaled in ((z + found.bias) / found.temperature, z / fit_temperature(*drawn(0)))
    )
    assert with_bias < 0.01
    assert without > 0.05
    assert expected_calibration_error(sigmoid((z + found.bias) / found.temperature), y, 15) < 0.02


def test_the_threshold_of_unbalanced_labels_has_the_best_macro_f1():
    z, y = unbalanced(1500, seed=2)
    found = calibrate(z, y)
    p = sigmoid((z + found.bias) / found.temperature)
    best = max(f1_score(y, p > t, average="macro") for t in (*p, 0.5))
    assert f1_score(y, p > found.threshold, average="macro") == pytest.approx(best)
    assert best > f1_score(y, p > 0.5, average="macro") + 0.01
    assert found.validation_macro_f1 == pytest.approx(best)
    assert found.validation_accuracy == pytest.approx(accuracy_score(y, p > found.threshold))


def test_of_equally_good_thresholds_the_nearest_to_the_middle_is_chosen():
    assert find_threshold([0.1, 0.2, 0.9], [0, 0, 1]) == 0.5
    assert find_threshold([0.1, 0.1, 0.2, 0.3], [0, 0, 0, 1]) == 0.25


def test_a_perfect_classifier_of_unbalanced_labels_gets_finite_values():
    z = np.linspace(-5, 5, 101)
    found = calibrate(z, z > 4.5)
    assert np.isfinite([found.temperature, found.bias]).all()
    assert found.temperature >= 0.05
    assert found.validation_macro_f1 == 1.0


@pytest.mark.parametrize(
    ("negative", "positive", "expected"), [(8, 2, False), (9, 2, True), (2, 9, True), (10, 0, False), (5, 5, False)]
)
def test_labels_are_unbalanced_above_a_ratio_of_four(negative, positive, expected):
    assert is_unbalanced([0] * negative + [1] * positive) is expected
