import zipfile
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import skops.io
import tiny_servables
import tiny_transformer as tiny
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from sentiment.errors import UserError
from sentiment.models import Classifier
from sentiment.models.linear import LinearSettings, _dump, export_linear, train_linear
from sentiment.reviews.table import Reviews

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


def test_word_order_tells_what_single_words_cannot():
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


def test_is_stored_without_pickle_and_without_foreign_types(tmp_path):
    servable = tiny_servables.save_linear(tmp_path)
    file = servable.path / "linear.skops"
    assert skops.io.get_untrusted_types(file=file) == []
    with zipfile.ZipFile(file) as archive:
        for name in archive.namelist():
            with archive.open(name) as stream:
                if name.endswith(".npy"):
                    np.load(stream, allow_pickle=False)
                else:
                    assert name.endswith(".json")


def test_equal_models_are_equal_files_in_every_process(tmp_path):
    """Whatever the vectorizer remembers of the process that used it."""
    pipeline = train_linear(tiny.reviews(60, 1), SETTINGS, seed=0)
    for address in (1, 2):
        pipeline[0]._stop_words_id = address
        _dump(pipeline, tmp_path / f"{address}.skops")
    assert (tmp_path / "1.skops").read_bytes() == (tmp_path / "2.skops").read_bytes()


def test_foreign_code_in_a_model_file_is_not_run(tmp_path):
    servable = tiny_servables.save_linear(tmp_path)
    skops.io.dump(make_pipeline(FunctionTransformer(breakpoint)), servable.path / "linear.skops")
    with pytest.raises(UserError, match="UntrustedTypesFound"):
        Classifier.load(servable.path)


def test_the_servable_computes_what_was_trained_and_is_calibrated(tmp_path):
    noisy = reviews((text, label ^ (i % 7 == 0)) for i, (text, label) in enumerate(pairs(tiny.reviews(200, 1))))
    doubtful = reviews((text, label ^ (i % 7 == 0)) for i, (text, label) in enumerate(pairs(tiny.reviews(200, 2))))
    pipeline = train_linear(noisy, SETTINGS, seed=0)
    export_linear(pipeline, doubtful, tmp_path, data_fingerprint="abc", git_commit="c0ffee")
    classifier = Classifier.load(tmp_path)
    texts, labels = (doubtful.frame[column].to_numpy() for column in ("text", "label"))
    np.testing.assert_allclose(classifier.logits(texts), pipeline.decision_function(texts), atol=1e-6)
    manifest = classifier.manifest
    assert manifest.validation_accuracy == (pipeline.predict(texts) == labels).mean()
    assert (manifest.data_fingerprint, manifest.git_commit) == ("abc", "c0ffee")

    def likelihood(temperature):
        classifier.manifest = replace(manifest, temperature=temperature)
        positive = classifier.predict_proba(texts)
        return np.log(np.where(labels == 1, positive, 1 - positive)).sum()

    assert likelihood(manifest.temperature) > max(likelihood(manifest.temperature * f) for f in (0.5, 0.9, 1.1, 2))


def pairs(table):
    return table.frame[["text", "label"]].itertuples(index=False)
