from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import RandomForestClassifier

from sentiment.errors import UserError
from sentiment.models import Classifier, classifier
from sentiment.models.cascade import CascadeSettings, fit_cascade
from sentiment.models.explanation import explain
from sentiment.models.features import MAX_CHUNK_TEXTS
from sentiment.models.forest import ForestSettings, _join_trees, export_forest, log_odds, train_forest
from sentiment.models.servable import Servable
from sentiment.models.trees import MIN_PROBABILITY, NODE, average_leaves
from sentiment.progress import listening
from sentiment.reviews.table import Reviews
from tests.helpers import tiny_servables
from tests.helpers import tiny_transformer as tiny

SETTINGS = ForestSettings(trees=25, min_leaf=1)
ODD = [
    "",
    "!",
    "?!",
    "a",
    "a a a a",
    "İstanbul'da ÇOK güzel",
    "日本語 の 映画",
    "don't 😀 :-)",
    "x" * 5000,
    "unheard of",
]


def reviews(rows):
    texts, labels = zip(*rows, strict=True)
    return Reviews(pd.DataFrame({"text": texts, "label": labels, "source": "own"}))


def noisy(rows, seed):
    """Reviews of which one in seven has the wrong label, so that trees are deep and probabilities are no extremes."""
    frame = tiny.reviews(rows, seed).frame
    return Reviews(frame.assign(label=frame["label"] ^ (np.arange(rows) % 7 == 0)))


@pytest.fixture(scope="module")
def pipeline():
    return train_forest(noisy(300, 1), SETTINGS, seed=0)


@pytest.fixture(scope="module")
def servable(pipeline, tmp_path_factory):
    folder = tmp_path_factory.mktemp("forest")
    export_forest(pipeline, noisy(200, 2), folder, data_fingerprint="abc", git_commit="c0ffee", started=0.0)
    return Servable(folder)


def test_learns_which_words_are_good():
    pipeline = train_forest(tiny.reviews(300, 1), SETTINGS, seed=0)
    held_out = tiny.reviews(200, 2).frame
    assert (pipeline.predict(held_out["text"]) == held_out["label"]).mean() > 0.9


def test_the_same_data_give_the_same_files(servable, tmp_path):
    export_forest(
        train_forest(noisy(300, 1), SETTINGS, seed=0), noisy(200, 2), tmp_path, data_fingerprint="", git_commit=""
    )
    assert Servable(tmp_path).fingerprint == servable.fingerprint
    export_forest(
        train_forest(noisy(300, 1), SETTINGS, seed=1), noisy(200, 2), tmp_path, data_fingerprint="", git_commit=""
    )
    assert Servable(tmp_path).fingerprint != servable.fingerprint


def test_the_servable_equals_the_trained_model_and_is_calibrated(pipeline, servable):
    loaded = Classifier.load(servable.path)
    texts, labels = (noisy(200, 2).frame[column].to_numpy() for column in ("text", "label"))
    assert len(texts) > MAX_CHUNK_TEXTS
    for some in (texts, ODD):
        answered = 1 / (1 + np.exp(-loaded.logits(some)))
        expected = np.clip(pipeline.predict_proba(some)[:, 1], MIN_PROBABILITY, 1 - MIN_PROBABILITY)
        np.testing.assert_allclose(answered, expected, rtol=0, atol=1e-7)
        np.testing.assert_allclose(loaded.logits(some), log_odds(pipeline, some), rtol=0, atol=1e-6)
    manifest = loaded.manifest
    assert manifest.validation_accuracy == (pipeline.predict(texts) == labels).mean()
    assert (manifest.data_fingerprint, manifest.git_commit, manifest.kind) == ("abc", "c0ffee", "forest")
    assert manifest.training_seconds > 0

    def likelihood(temperature):
        loaded.manifest = replace(manifest, temperature=temperature)
        found = loaded.predict_proba(texts)
        return np.log(np.where(labels == 1, found, 1 - found)).sum()

    assert likelihood(manifest.temperature) > max(likelihood(manifest.temperature * f) for f in (0.5, 0.9, 1.1, 2))


def test_only_after_weighted_training_a_bias_is_fitted(pipeline, servable, tmp_path):
    export_forest(pipeline, noisy(200, 2), tmp_path, data_fingerprint="", git_commit="", weighted=True)
    assert servable.manifest.bias == 0 != Servable(tmp_path).manifest.bias


def test_a_feature_just_above_a_threshold_goes_where_scikit_learn_sends_it():
    """A threshold half-way between two float32 may be rounded up: then the upper one would count as below it."""
    step = np.float32(2**-24)  # between neighbours in [0.5, 1)
    for lower in np.linspace(0.5, 0.9, 20, dtype=np.float32):
        line = lower + step * np.arange(4, dtype=np.float32)  # the threshold is in the middle
        model = RandomForestClassifier(3, random_state=0).fit(np.repeat(line[[0, 3]], 4)[:, None], [0] * 4 + [1] * 4)
        found = average_leaves(_join_trees(model), 3, line[:, None])
        np.testing.assert_allclose(found, model.predict_proba(line[:, None])[:, 1], atol=1e-7)


def test_an_answer_does_not_depend_on_the_other_texts(servable):
    loaded = Classifier.load(servable.path)
    texts = [*ODD, *noisy(100, 3).frame["text"]]
    assert loaded.logits(texts).tolist() == [loaded.logits([text])[0] for text in texts]
    assert loaded.logits([]).shape == (0,)


def test_trees_that_all_agree_are_not_certain(tmp_path):
    pipeline = train_forest(reviews([("good", 1), ("bad", 0)] * 20), SETTINGS, seed=0)
    export_forest(pipeline, noisy(60, 2), tmp_path, data_fingerprint="", git_commit="")
    limit = np.log((1 - MIN_PROBABILITY) / MIN_PROBABILITY)
    np.testing.assert_allclose(Classifier.load(tmp_path).logits(["bad", "good"]), [-limit, limit])


def test_the_features_are_the_terms_that_the_most_reviews_have():
    rows = [("good plot plot plot", 1), ("bad plot", 0)] * 9 + [("good rarity", 1)]
    for features, known in ((3, ["good", "plot", "bad"]), (4, ["good", "plot", "bad", "rarity"])):
        weighting = train_forest(reviews(rows), SETTINGS.model_copy(update={"features": features}), seed=0)[0]
        words = ["good", "plot", "bad", "rarity", "else"]
        assert [word for word, row in zip(words, weighting.transform(words), strict=True) if row.nnz] == known


def test_weights_are_tf_idf_as_scikit_learn_computes_it():
    from sklearn.feature_extraction.text import TfidfVectorizer

    from sentiment.words import find_words

    texts = noisy(50, 1).frame["text"].tolist()
    weighting = train_forest(noisy(50, 1), SETTINGS, seed=0)[0]
    theirs = TfidfVectorizer(tokenizer=find_words, token_pattern=None, sublinear_tf=True).fit_transform(texts)
    ours = weighting.transform(texts)
    for n in range(len(texts)):
        np.testing.assert_allclose(np.sort(ours[n].data), np.sort(theirs[n].data), rtol=1e-6)


def test_heavier_errors_move_doubtful_reviews_to_their_label():
    doubtful = reviews([("plot good", 1), ("plot bad", 0)] * 20 + [("plot", 1), ("plot", 0)] * 10)
    odds = [
        log_odds(train_forest(doubtful, SETTINGS, seed=0, class_weights=weights), ["plot"])[0]
        for weights in ((5.0, 1.0), (1.0, 5.0))
    ]
    assert odds[0] < 0 < odds[1]


def test_the_settings_bound_the_trees():
    settings = SETTINGS.model_copy(update={"trees": 3, "max_depth": 4, "min_leaf": 5})
    trees = [tree.tree_ for tree in train_forest(noisy(300, 1), settings, seed=0)[-1].estimators_]
    assert len(trees) == 3
    assert max(tree.max_depth for tree in trees) == 4
    assert min(tree.n_node_samples[tree.children_left < 0].min() for tree in trees) >= 5


def test_training_reports_its_progress():
    seen = []
    with listening(lambda task, done, total, **_: seen.append((task, done, total))):
        train_forest(tiny.reviews(40, 1), SETTINGS, seed=0)
    assert seen == [("train forest", done, 25) for done in (0, 10, 20, 25)]


def test_growing_trees_a_few_at_a_time_gives_the_same_forest(monkeypatch, pipeline):
    monkeypatch.setattr("sentiment.models.forest.TREES_A_REPORT", 1000)
    texts = noisy(60, 2).frame["text"]
    at_once = train_forest(noisy(300, 1), SETTINGS, seed=0)
    np.testing.assert_array_equal(log_odds(at_once, texts), log_odds(pipeline, texts))


def test_the_word_that_decides_is_explained(servable):
    loaded = Classifier.load(servable.path)
    for word, sign in ((tiny.GOOD[0], 1), (tiny.BAD[0], -1)):
        filler = " ".join(tiny.FILLER)
        effects = {w.word: w.effect for w in explain(loaded, f"{filler} {word} {filler}").words}
        assert max(effects, key=lambda w: abs(effects[w])) == word
        assert effects[word] * sign > 0


def test_as_the_first_stage_of_a_cascade_it_passes_on_every_short_text_as_the_linear_model_does(servable, tmp_path):
    transformer = tiny_servables.save_transformer(tmp_path / "transformer", data_fingerprint="abc")
    stages = {"forest": servable, "transformer": transformer}
    settings = CascadeSettings(stages=tuple(stages), brief_words=20, short_words=20, shares=(0.3,))
    points = fit_cascade(stages, tiny.reviews(60, 2), settings, tmp_path / "cascade", git_commit="")
    shares = {point.length: point.shares for point in points if len(point.shares) > 1}
    assert shares["brief"][-1] == 1
    assert shares["long"][-1] < 1
    cascade = Classifier.load(tmp_path / "cascade")
    assert [p.label for p in cascade.predict(["a lovely plot", "a dull plot"])] == ["positive", "negative"]


def change(file, **values):
    table = np.load(file)
    for name, value in values.items():
        table[name] = value
    np.save(file, table)


DAMAGES = {
    "no terms": lambda folder: (folder / "terms.npy").unlink(),
    "half of the nodes": lambda folder: np.save(folder / "nodes.npy", np.load(folder / "nodes.npy")[:-100]),
    "no nodes": lambda folder: np.save(folder / "nodes.npy", np.zeros(0, NODE)),
    "a way back, which would never end": lambda folder: change(folder / "nodes.npy", child=0),
    "a feature that does not exist": lambda folder: change(folder / "nodes.npy", feature=10_000),
    "pickled code": lambda folder: np.save(folder / "nodes.npy", np.array([breakpoint], object), allow_pickle=True),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES.keys())
def test_a_damaged_servable_is_refused_when_it_is_loaded(damage, pipeline, tmp_path):
    export_forest(pipeline, noisy(60, 2), tmp_path, data_fingerprint="", git_commit="")
    damage(tmp_path)
    with pytest.raises(UserError, match="the forest model cannot be loaded"):
        Classifier.load(tmp_path)


def test_the_files_are_memory_mapped(servable, monkeypatch):
    modes = []
    load = np.load
    monkeypatch.setattr(classifier.np, "load", lambda *a, **k: modes.append(k.get("mmap_mode")) or load(*a, **k))
    Classifier.load(servable.path)
    assert modes == ["r", "r"]
