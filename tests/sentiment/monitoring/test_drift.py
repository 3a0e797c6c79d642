import numpy as np
import pytest

from sentiment.monitoring.drift import drift_checks, label_shift, positive_share, vectors, words_classifier, words_mmd
from sentiment.monitoring.settings import DriftSettings
from tests.helpers.windows import reference, scored, stream, window

SETTINGS = DriftSettings(resamples=1000)


@pytest.fixture(scope="module")
def held():
    return reference()


def failed(held, **how):
    records, _ = stream(**how)
    return {check.name for check in drift_checks(window(records), held, SETTINGS, seed=0) if not check.passed}


def test_more_of_the_same_is_no_drift(held):
    assert failed(held) == set()


def test_other_words_are_seen_by_both_tests_of_words(held):
    assert {"input_drift: words (MMD)", "input_drift: words (classifier)"} == failed(held, foreign=0.25)


def test_longer_texts_are_seen_in_their_length(held):
    assert "input_drift: length" in failed(held, length=48)


@pytest.mark.parametrize("share", [0.3, 0.7])
def test_another_mixture_of_labels_moves_scores_and_is_estimated(held, share):
    assert {"score_drift", "label_shift"} == failed(held, share=share)
    records, _ = stream(2000, share=share)
    estimate, deviation = positive_share(window(records).sample["positive"].to_numpy(), held)
    assert estimate == pytest.approx(share, abs=3 * deviation)
    assert deviation < 0.03


def test_the_interval_of_the_label_share_has_its_coverage(held):
    inside = 0
    for seed in range(200):
        positive, _ = scored(300, np.random.default_rng(seed))
        share, deviation = positive_share(positive, held)
        inside += abs(share - 0.5) < 1.96 * deviation
    assert 180 <= inside <= 200


def test_scores_that_tell_nothing_apart_estimate_nothing(held):
    blind = type(held)(held.predictions.assign(positive=0.5), "3", "")
    records, _ = stream(500)
    (check,) = (c for c in drift_checks(window(records), blind, SETTINGS, seed=0) if c.name == "label_shift")
    assert (check.passed, check.severity) == (True, "warning")
    assert "cannot be estimated" in check.observed


def test_a_service_that_abstains_more_is_seen(held):
    records, _ = stream(1000)
    rows = window(records)
    unsure = rows.predictions.assign(
        positive=rows.predictions["positive"] * 0.2 + 0.4, score=rows.predictions["score"] * 0.2 + 0.4, abstained=True
    )
    found = drift_checks(type(rows)(unsure, rows.facts), held, SETTINGS, seed=0)
    assert "abstention" in {check.name for check in found if not check.passed}


def test_the_same_seed_gives_the_same_numbers_and_another_does_not_matter(held):
    ours, theirs = vectors(window(stream(600)[0]).sample), vectors(held.predictions)
    for test in (words_mmd, words_classifier):
        first, again, other = (test(ours, theirs, SETTINGS, seed=seed) for seed in (0, 0, 1))
        assert first == again
        assert first.passed == other.passed


def test_the_kernel_test_has_its_significance_level(held):
    """On many small samples: about one in ten is beyond the 90% quantile."""
    settings = DriftSettings(resamples=100, significance=0.1)
    rows = vectors(held.predictions)
    rng = np.random.default_rng(0)
    beyond = 0
    for seed in range(200):
        part = rows[rng.permutation(len(rows))[:90]]
        beyond += not words_mmd(part[:30], part[30:], settings, seed=seed).passed
    assert 8 <= beyond <= 34


def test_the_discrepancy_is_that_of_the_definition(held):
    rows = vectors(held.predictions)[:60].astype(float)
    distances = np.square(rows[:, None] - rows[None]).sum(axis=2)
    kernel = np.exp(-distances / np.median(distances[np.triu_indices(60, 1)]))
    naive = kernel[:20, :20].mean() + kernel[20:, 20:].mean() - 2 * kernel[:20, 20:].mean()
    ours = words_mmd(*np.split(rows.astype(np.float32), [20]), SETTINGS, seed=0)
    assert ours.score == pytest.approx(naive, rel=1e-4)


def test_the_limit_for_few_rows_allows_for_chance(held):
    records, _ = stream(200, share=0.6)
    shift = label_shift(window(records), held, SETTINGS)
    assert (shift.passed, shift.score > 0.55) == (True, True)  # not certain
    few, many = (
        words_classifier(vectors(window(stream(rows)[0]).sample), vectors(held.predictions), SETTINGS, seed=0)
        for rows in (40, 1000)
    )
    assert (few.limit, many.limit) == ("at most 0.643", "at most 0.550")


def test_identical_texts_break_nothing(held):
    records, _ = stream(300)
    same = window([type(r)(**{f: getattr(records[0], f) for f in r.__slots__} | {"id": r.id}) for r in records])
    names = {check.name for check in drift_checks(same, held, SETTINGS, seed=0) if not check.passed}
    assert {"input_drift: words (MMD)", "score_drift"} <= names
