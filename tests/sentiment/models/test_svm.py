import numpy as np
import pandas as pd
import pytest

from sentiment.models import Classifier
from sentiment.models.cascade import CascadeSettings, fit_cascade
from sentiment.models.linear import LinearSettings, export_linear, train_linear
from sentiment.models.servable import Servable
from sentiment.models.svm import SvmSettings, train_svm
from sentiment.reviews.table import Reviews
from tests.helpers import tiny_servables
from tests.helpers import tiny_transformer as tiny

SETTINGS = SvmSettings(hash_bits=14)


@pytest.fixture(scope="module")
def pipeline():
    return train_svm(tiny.reviews(300, 1), SETTINGS, seed=0)


@pytest.fixture(scope="module")
def servable(pipeline, tmp_path_factory):
    folder = tmp_path_factory.mktemp("svm")
    export_linear(pipeline, tiny.reviews(60, 2), folder, data_fingerprint="data", git_commit="")
    return Servable(folder)


def test_learns_which_words_are_good(pipeline):
    held_out = tiny.reviews(200, 2).frame
    assert (pipeline.predict(held_out["text"]) == held_out["label"]).mean() > 0.95


def test_the_same_data_give_the_same_model(pipeline):
    again = train_svm(tiny.reviews(300, 1), SETTINGS, seed=0)
    np.testing.assert_array_equal(pipeline[-1].coef_, again[-1].coef_)


def test_it_has_the_features_of_the_linear_candidate_and_a_margin_of_its_own(pipeline):
    linear = train_linear(tiny.reviews(300, 1), LinearSettings(hash_bits=14), seed=0)
    texts = tiny.reviews(40, 2).frame["text"]
    assert (pipeline[:-1].transform(texts) != linear[:-1].transform(texts)).nnz == 0
    # few training reviews lie outside the margin of 1: the hinge holds them at it, the logistic loss does not
    margins = [np.abs(model.decision_function(tiny.reviews(300, 1).frame["text"])) for model in (pipeline, linear)]
    assert margins[0].max() < 2 < margins[1].max()


def test_the_linear_classifier_reads_its_servable(pipeline, servable):
    classifier = Classifier.load(servable.path)
    texts = ["", "!", "a lovely plot", "a dull plot", "日本語 の 映画", *tiny.reviews(60, 2).frame["text"]]
    np.testing.assert_allclose(classifier.logits(texts), pipeline.decision_function(texts), atol=1e-5)
    assert classifier.manifest.kind == "linear"
    assert [p.label for p in classifier.predict(["a lovely plot", "a dull plot"])] == ["positive", "negative"]


def test_heavier_errors_move_doubtful_reviews_to_their_label():
    rows = [("plot good", 1), ("plot bad", 0)] * 20 + [("plot", 1), ("plot", 0)] * 10
    texts, labels = zip(*rows, strict=True)
    train = Reviews(pd.DataFrame({"text": texts, "label": labels, "source": "own"}))
    margins = [
        train_svm(train, SETTINGS, seed=0, class_weights=weights).decision_function(["plot"])[0]
        for weights in ((5.0, 1.0), (1.0, 5.0))
    ]
    assert margins[0] < 0 < margins[1]


def test_as_the_first_stage_of_a_cascade_it_passes_on_every_short_text_as_the_linear_model_does(servable, tmp_path):
    stages = {"svm": servable, "transformer": tiny_servables.save_transformer(tmp_path / "transformer")}
    settings = CascadeSettings(stages=tuple(stages), brief_words=20, short_words=20, shares=(0.3,))
    points = fit_cascade(stages, tiny.reviews(60, 2), settings, tmp_path / "cascade", git_commit="")
    shares = {point.length: point.shares for point in points if len(point.shares) > 1}
    assert shares["brief"][-1] == 1
    assert shares["long"][-1] < 1
