import numpy as np
import pytest

from sentiment.evaluation.calibration import expected_calibration_error, fit_temperature, reliability_curve


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
