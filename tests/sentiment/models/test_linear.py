import time
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from sentiment.errors import UserError
from sentiment.models import Classifier
from sentiment.models.linear import LinearSettings, export_linear, train_linear
from sentiment.reviews.table import Reviews
from tests.helpers import tiny_servables
from tests.helpers import tiny_transformer as tiny

SETTINGS = LinearSettings(hash_bits=14)


def reviews(rows):
    texts, labels = zip(*rows, strict=True)
    return Reviews(pd.DataFrame({"text": texts, "label": labels, "source": "own"}))


def weight(pipeline, word):
    hashing, weighting, _ = (step for _, step in pipeline.steps)
    (column,) = hashing.transform([word]).indices
    return weighting.idf_[column]


def test_learns_which_words_are_good():
    pipeline = train_linear(tiny.reviews(300, 1), SETTINGS, seed=0)
    held_out = tiny.reviews(200, 2).frame
    assert (pipeline.predict(held_out["text"]) == held_out["label"]).mean() > 0.95


def test_the_same_data_give_the_same_model():
    first, second = (train_linear(tiny.reviews(100, 1), SETTINGS, seed=5) for _ in range(2))
    np.testing.assert_array_equal(first[-1].coef_, second[-1].coef_)
    np.testing.assert_array_equal(first[-1].intercept_, second[-1].intercept_)


def test_word_order_counts_beyond_single_words():
    rows = [("not bad but good", 1), ("not good but bad", 0)] * 20
    longest = {n: train_linear(reviews(rows), LinearSettings(hash_bits=12, longest_ngram=n), seed=0) for n in (1, 2)}
    assert longest[2].predict(["not bad but good", "not good but bad"]).tolist() == [1, 0]
    assert len(set(longest[1].decision_function(["not bad but good", "not good but bad"]).round(6))) == 1


def test_punctuation_and_contractions_are_features():
    hashing = train_linear(tiny.reviews(40, 1), LinearSettings(hash_bits=20, longest_ngram=1), seed=0)[0]
    assert hashing.transform(["didn't ! ?"]).nnz == 3
    assert (hashing.transform(["didn't"]) != hashing.transform(["didn t"])).nnz > 0


def test_rare_words_are_ignored():
    rows = [("fine plot", 1), ("poor plot", 0)] * 10 + [("fine oddity", 1)]
    settings = LinearSettings(hash_bits=20, longest_ngram=1, naive_bayes_weights=False)
    assert weight(train_linear(reviews(rows), settings, seed=0), "oddity") == 0
    everything = settings.model_copy(update={"min_reviews": 1})
    assert weight(train_linear(reviews(rows), everything, seed=0), "oddity") > 0


def test_a_word_that_both_classes_use_alike_weighs_nothing():
    rows = [("fine plot", 1), ("poor plot", 0)] * 10
    settings = LinearSettings(hash_bits=20, longest_ngram=1)
    weighted = train_linear(reviews(rows), settings, seed=0)
    assert weight(weighted, "plot") == pytest.approx(0, abs=1e-6)
    assert weight(weighted, "fine") > 1
    plain = train_linear(reviews(rows), settings.model_copy(update={"naive_bayes_weights": False}), seed=0)
    assert weight(plain, "plot") > 0.5


ODD = [
    "",
    "!",
    "?!",
    "a",
    "a a a a",
    "İstanbul'da ÇOK güzel",
    "日本語 の 映画",
    "don't 😀 don't :-)",
    "यह फिल्म अच्छी है",
    "x" * 5000,
    "naïve café",
    "_ 1 2",
]


def test_equal_models_are_equal_files(tmp_path):
    for name in ("first", "second"):
        tiny_servables.save_linear(tmp_path / name)
    first, second = ((tmp_path / name / "linear.npy").read_bytes() for name in ("first", "second"))
    assert first == second


def test_is_stored_without_pickle_and_no_foreign_code_is_run(tmp_path):
    servable = tiny_servables.save_linear(tmp_path)
    assert np.load(servable.path / "linear.npy", allow_pickle=False).dtype == np.float32
    np.save(servable.path / "linear.npy", np.array([breakpoint], dtype=object), allow_pickle=True)
    with pytest.raises(UserError, match="cannot be loaded"):
        Classifier.load(servable.path)


def test_the_servable_equals_the_trained_model_and_is_calibrated(tmp_path):
    noisy = reviews((text, label ^ (i % 7 == 0)) for i, (text, label) in enumerate(pairs(tiny.reviews(200, 1))))
    doubtful = reviews((text, label ^ (i % 7 == 0)) for i, (text, label) in enumerate(pairs(tiny.reviews(200, 2))))
    pipeline = train_linear(noisy, SETTINGS, seed=0)
    export_linear(pipeline, doubtful, tmp_path, data_fingerprint="abc", git_commit="c0ffee")
    classifier = Classifier.load(tmp_path)
    texts, labels = (doubtful.frame[column].to_numpy() for column in ("text", "label"))
    for some in (texts, ODD):
        np.testing.assert_allclose(classifier.logits(some), pipeline.decision_function(some), atol=1e-5)
    manifest = classifier.manifest
    assert manifest.validation_accuracy == (pipeline.predict(texts) == labels).mean()
    assert (manifest.data_fingerprint, manifest.git_commit) == ("abc", "c0ffee")

    def likelihood(temperature):
        classifier.manifest = replace(manifest, temperature=temperature)
        positive = classifier.predict_proba(texts)
        return np.log(np.where(labels == 1, positive, 1 - positive)).sum()

    assert likelihood(manifest.temperature) > max(likelihood(manifest.temperature * f) for f in (0.5, 0.9, 1.1, 2))


def test_the_manifest_says_how_long_training_took(tmp_path):
    assert tiny_servables.save_linear(tmp_path).manifest.training_seconds is None
    pipeline, started = train_linear(tiny.reviews(40, 1), SETTINGS, seed=0), time.perf_counter()
    export_linear(pipeline, tiny.reviews(60, 2), tmp_path, data_fingerprint="", git_commit="", started=started - 100)
    assert 100 < Classifier.load(tmp_path).manifest.training_seconds < 100 + time.perf_counter() - started


def test_after_weighted_training_a_bias_restores_the_share_of_positive_reviews(tmp_path):
    doubtful = reviews([("plot good", 1), ("plot bad", 0)] * 20 + [("plot", 1), ("plot", 0)] * 10)
    pipeline = train_linear(doubtful, SETTINGS, seed=0, class_weights=(1.0, 5.0))
    biases, shares = [], []
    for weighted in (False, True):
        export_linear(pipeline, doubtful, tmp_path, data_fingerprint="", git_commit="", weighted=weighted)
        classifier = Classifier.load(tmp_path)
        biases.append(classifier.manifest.bias)
        shares.append(classifier.predict_proba(doubtful.frame["text"].tolist()).mean())
    assert biases[0] == 0 > biases[1]
    assert shares[0] > 0.55
    assert shares[1] == pytest.approx(0.5, abs=0.02)


def test_heavier_errors_move_doubtful_reviews_to_their_label():
    doubtful = reviews([("plot good", 1), ("plot bad", 0)] * 20 + [("plot", 1), ("plot", 0)] * 10)
    odds = [
        train_linear(doubtful, SETTINGS, seed=0, class_weights=weights).decision_function(["plot"])[0]
        for weights in ((5.0, 1.0), (1.0, 5.0))
    ]
    assert odds[0] < 0 < odds[1]


def pairs(table):
    return table.frame[["text", "label"]].itertuples(index=False)
