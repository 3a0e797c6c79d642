import json

import numpy as np
import pandas as pd
import pytest
from pydantic import ConfigDict, validate_call
from sklearn.metrics import accuracy_score, brier_score_loss, f1_score, recall_score, roc_auc_score

from sentiment.errors import UserError
from sentiment.evaluation.bootstrap import paired_difference, resample_counts
from sentiment.evaluation.measure import Evaluation, EvaluationSettings, evaluate
from sentiment.evaluation.metrics import measure
from sentiment.evaluation.slices import text_key
from sentiment.reviews.table import Reviews

SETTINGS = EvaluationSettings(resamples=200, short_words=4, long_words=8, latency_sample=3)
OPINIONS = [
    ("A warm, funny film.", 1, "films"),
    ("I did not care for it at all, sadly.", 0, "films"),
    ("Dull from the first scene to the last, and then it goes on for another hour.", 0, "films"),
    ("The lamp broke within a week, I want my money back and an apology too.", 0, "lamps"),
    ("Bright, sturdy, cheap: can\u2019t fault it.", 1, "lamps"),
    ("Lovely light.", 1, "lamps"),
]


def reviews_of(rows=OPINIONS):
    return Reviews(pd.DataFrame(rows, columns=["text", "label", "source"]))


def evaluated(predict, reviews=None, settings=SETTINGS, **more):
    return evaluate(
        predict,
        reviews_of() if reviews is None else reviews,
        candidate="linear",
        engine="numpy",
        servable_fingerprint="abc",
        size_mb=1.5,
        settings=settings,
        seed=0,
        **more,
    )


def by_length(texts):
    return np.array([1 / (1 + len(text) / 30) for text in texts])


@pytest.fixture(scope="module")
def scores():
    rng = np.random.default_rng(3)
    labels = rng.integers(0, 2, 700)
    return labels, np.round(np.clip(labels * 0.3 + rng.uniform(0, 0.7, 700), 0, 1), 2)  # rounded: many ties


def test_every_figure_equals_scikit_learn(scores):
    labels, p = scores
    metrics = measure(labels, p, resamples=100, ece_bins=15, seed=0)
    assert metrics.count == 700
    assert metrics.accuracy.value == pytest.approx(accuracy_score(labels, p > 0.5))
    assert metrics.macro_f1.value == pytest.approx(f1_score(labels, p > 0.5, average="macro"))
    assert metrics.roc_auc.value == pytest.approx(roc_auc_score(labels, p))
    assert metrics.brier.value == pytest.approx(brier_score_loss(labels, p))


def test_every_resample_equals_scikit_learn_on_the_drawn_rows(scores):
    labels, p = scores
    labels, p = labels[:60], p[:60]
    metrics = measure(labels, p, resamples=150, ece_bins=10, seed=7)
    order = np.argsort(p, kind="stable")
    drawn = [np.repeat(order, c.astype(int)) for block in resample_counts(60, 150, 7) for c in block]
    for name, figure in {
        "accuracy": lambda y, q: accuracy_score(y, q > 0.5),
        "macro_f1": lambda y, q: f1_score(y, q > 0.5, average="macro"),
        "roc_auc": roc_auc_score,
        "brier": brier_score_loss,
    }.items():
        ends = np.quantile([figure(labels[rows], p[rows]) for rows in drawn], [0.025, 0.975])
        interval = getattr(metrics, name)
        assert [interval.low, interval.high] == pytest.approx(list(ends)), name


@pytest.mark.parametrize("threshold", [0.5, 0.41, 0.63])
def test_recalls_and_all_labels_follow_the_threshold(scores, threshold):
    labels, p = scores
    metrics = measure(labels, p, resamples=100, ece_bins=15, seed=0, threshold=threshold)
    assert metrics.recall_positive.value == pytest.approx(recall_score(labels, p > threshold))
    assert metrics.recall_negative.value == pytest.approx(recall_score(labels, p > threshold, pos_label=0))
    assert metrics.recall_positive.low < metrics.recall_positive.value < metrics.recall_positive.high
    assert metrics.accuracy.value == pytest.approx(accuracy_score(labels, p > threshold))
    assert metrics.macro_f1.value == pytest.approx(f1_score(labels, p > threshold, average="macro"))
    at_half = measure(labels, p, resamples=100, ece_bins=15, seed=0)
    assert (metrics.ece, metrics.brier, metrics.roc_auc) == (at_half.ece, at_half.brier, at_half.roc_auc)


def test_intervals_cover_the_truth_about_as_often_as_they_say():
    rng, hits = np.random.default_rng(11), 0
    for trial in range(200):
        labels = rng.integers(0, 2, 120)
        right = rng.random(120) < 0.8  # the true accuracy
        p = np.where(right == (labels == 1), 0.9, 0.1)
        interval = measure(labels, p, resamples=200, ece_bins=15, seed=trial).accuracy
        hits += interval.low <= 0.8 <= interval.high
    assert 178 <= hits <= 199


def test_the_calibration_error_lies_within_its_own_interval():
    rng = np.random.default_rng(5)
    p = rng.random(3000)
    labels = (rng.random(3000) < p).astype(np.int64)  # perfectly calibrated: resampling only adds error
    ece = measure(labels, p, resamples=300, ece_bins=15, seed=0).ece
    assert 0 <= ece.low <= ece.value <= ece.high < 0.05


def test_the_same_seed_gives_the_same_interval_and_another_seed_another(scores):
    first, again, other = (measure(*scores, resamples=100, ece_bins=15, seed=s).brier for s in (1, 1, 2))
    assert first == again
    assert first != other


def test_one_class_has_no_roc_auc():
    metrics = measure(np.ones(20, dtype=np.int64), np.linspace(0.1, 0.9, 20), resamples=100, ece_bins=5, seed=0)
    assert metrics.roc_auc is None
    assert metrics.recall_negative is None
    assert metrics.recall_positive.value == pytest.approx(0.5)
    assert metrics.macro_f1.value == pytest.approx(
        f1_score(np.ones(20), np.linspace(0.1, 0.9, 20) > 0.5, average="macro")
    )


def test_slices_hold_the_right_reviews():
    evaluation = evaluated(by_length)
    assert {name: m.count for name, m in evaluation.slices.items()} == {
        "source=films": 3,
        "source=lamps": 3,
        "length=short": 2,
        "length=medium": 1,
        "length=long": 3,
        "negation=present": 2,
        "negation=absent": 4,
    }
    table = evaluation.predictions
    assert list(table.query("negation == 'present'").index) == [1, 4]  # "not" and "can't"; "another" is no negation
    assert list(table["text_key"]) == [text_key(text) for text, _, _ in OPINIONS]
    assert not any(text in table.to_csv() for text, _, _ in OPINIONS)
    assert table["p_positive"].to_numpy() == pytest.approx(by_length([text for text, _, _ in OPINIONS]))


def test_a_slice_is_measured_on_its_own_rows():
    labels = {text: label for text, label, _ in OPINIONS}
    flipped = {text: 1 - label if source == "lamps" else label for text, label, source in OPINIONS}
    right, wrong_on_lamps = (evaluated(lambda t, a=a: np.array([float(a[x]) for x in t])) for a in (labels, flipped))
    assert right.overall.accuracy.value == 1
    assert right.confusion == ((3, 0), (0, 3))
    assert wrong_on_lamps.slices["source=films"].accuracy.value == 1
    assert wrong_on_lamps.slices["source=lamps"].accuracy.value == 0
    assert wrong_on_lamps.confusion == ((2, 1), (2, 1))
    assert {e.source for e in wrong_on_lamps.errors} == {"lamps"}


def test_errors_are_sorted_by_how_sure_they_were_and_long_texts_keep_both_ends():
    long = "It begins well, " + "and so on, " * 100 + "but I hated it."
    rows = [(long, 0, "films"), ("Fine.", 0, "films"), ("Good.", 1, "films")]
    p = {long: 0.6, "Fine.": 0.99, "Good.": 0.9}
    errors = evaluated(lambda texts: np.array([p[t] for t in texts]), reviews_of(rows)).errors
    assert [e.p_positive for e in errors] == [0.99, 0.6]
    shown = errors[1].text
    assert len(shown) <= 300
    assert shown.startswith("It begins well") and shown.endswith("but I hated it.")


def test_a_planted_label_error_is_in_the_review_queue_and_still_counts():
    rng = np.random.default_rng(0)
    rows = [(f"Opinion number {i} about the thing.", i % 2, "films") for i in range(200)]
    planted = rows[40][0]
    rows[40] = (planted, 1, "films")
    p = {text: np.clip(0.1 + 0.8 * (i % 2) + rng.normal(0, 0.05), 0.01, 0.99) for i, (text, _, _) in enumerate(rows)}
    evaluation = evaluated(lambda texts: np.array([p[t] for t in texts]), reviews_of(rows))
    assert planted in [e.text for e in evaluation.label_suspects]
    assert evaluation.overall.count == 200


def test_save_and_load_give_the_same_evaluation(tmp_path):
    evaluation = evaluated(by_length)
    evaluation.save(tmp_path / "evaluation")
    loaded = Evaluation.load(tmp_path / "evaluation")
    pd.testing.assert_frame_equal(loaded.predictions, evaluation.predictions)
    for field in set(vars(evaluation)) - {"predictions"}:
        assert getattr(loaded, field) == getattr(evaluation, field), field
    assert sorted(f.name for f in (tmp_path / "evaluation").iterdir()) == ["evaluation.json", "predictions.parquet"]


def test_an_evaluation_of_before_thresholds_still_loads(tmp_path):
    evaluation = evaluated(by_length)
    evaluation.save(tmp_path)
    file = tmp_path / "evaluation.json"
    older = json.loads(file.read_text())
    del older["threshold"]
    for metrics in (older["overall"], *older["slices"].values()):
        del metrics["recall_negative"], metrics["recall_positive"]
    file.write_text(json.dumps(older))
    loaded = Evaluation.load(tmp_path)
    assert loaded.threshold == 0.5
    assert loaded.overall == evaluation.overall.model_copy(update={"recall_negative": None, "recall_positive": None})


def test_labels_errors_and_confusion_follow_the_threshold():
    p = dict(zip((text for text, _, _ in OPINIONS), (0.7, 0.1, 0.3, 0.2, 0.9, 0.4), strict=True))
    half, moved = (evaluated(lambda texts: np.array([p[t] for t in texts]), threshold=t) for t in (0.5, 0.25))
    assert (half.confusion, moved.confusion) == (((3, 0), (1, 2)), ((2, 1), (0, 3)))
    assert ([e.p_positive for e in half.errors], [e.p_positive for e in moved.errors]) == ([0.4], [0.3])
    assert moved.slices["source=films"].accuracy.value == pytest.approx(2 / 3)
    assert moved.threshold == 0.25


@pytest.mark.parametrize(
    ("positives", "rare"), [(1, "positive"), (3, "positive"), (4, None), (10, None), (17, "negative"), (20, None)]
)
def test_a_label_is_rare_if_the_other_one_is_more_than_four_times_as_frequent(positives, rare):
    rows = [(f"Opinion {n} of them all.", int(n < positives), "films") for n in range(20)]
    evaluation = evaluated(lambda texts: np.full(len(texts), 0.9), reviews_of(rows))
    assert evaluation.rare_label == rare
    assert (evaluation.rare_recall and evaluation.rare_recall.value) == {"positive": 1, "negative": 0, None: None}[rare]


def test_pydantic_reads_the_annotations_of_an_evaluation():
    """ZenML builds a pydantic model of every step's arguments."""

    @validate_call(config=ConfigDict(arbitrary_types_allowed=True))
    def step(evaluation: Evaluation):
        return evaluation

    evaluation = evaluated(by_length)
    assert step(evaluation) is evaluation


@pytest.mark.parametrize("wrong", [[0.5], [1.2] * 6, [float("nan")] * 6, [[0.5, 0.5]] * 6])
def test_predictions_that_are_no_probabilities_are_refused(wrong):
    with pytest.raises(ValueError, match="P\\(positive\\)"):
        evaluated(lambda texts: np.array(wrong))


def test_no_review_is_an_error_with_a_remedy():
    with pytest.raises(UserError, match="no review"):
        evaluated(by_length, reviews_of([]))


def test_bands_have_to_be_in_order():
    with pytest.raises(ValueError, match="below long_words"):
        EvaluationSettings(short_words=200, long_words=40)


def test_paired_difference_is_sharper_than_two_intervals(scores):
    labels, p = scores
    better = np.where(np.arange(700) % 20 == 0, labels, p)  # a few answers corrected, all others alike
    paired = paired_difference(labels, better, p, resamples=500, confidence=0.95, seed=0).accuracy
    apart = [measure(labels, q, resamples=500, ece_bins=15, seed=0).accuracy for q in (better, p)]
    gain = accuracy_score(labels, better > 0.5) - accuracy_score(labels, p > 0.5)
    assert paired.value == pytest.approx(gain)
    assert 0 < paired.low < gain < paired.high
    assert apart[0].low < apart[1].high  # the intervals overlap: an unpaired test could not decide
    swapped = paired_difference(labels, p, better, resamples=500, confidence=0.95, seed=0).accuracy
    assert (swapped.low, swapped.high) == pytest.approx((-paired.high, -paired.low))


def test_each_side_of_a_paired_difference_has_its_own_threshold(scores):
    labels, p = scores
    paired = paired_difference(labels, p, p, resamples=100, confidence=0.95, seed=0, thresholds=(0.4, 0.7))
    gain = accuracy_score(labels, p > 0.4) - accuracy_score(labels, p > 0.7)
    assert paired.accuracy.value == pytest.approx(gain)
    assert gain != 0
