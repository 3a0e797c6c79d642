"""A moved threshold changes labels, and nothing about probabilities."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, f1_score

from sentiment.models import Classifier
from sentiment.models.explanation import explain
from sentiment.models.servable import Servable
from sentiment.models.threshold import move_threshold
from tests.helpers import tiny_servables
from tests.helpers import tiny_transformer as tiny

REVIEWS = tiny.reviews(60, seed=5)
TEXTS = REVIEWS.frame["text"].tolist()


@pytest.fixture(scope="module")
def servable(tmp_path_factory):
    saved = tiny_servables.save("linear", tmp_path_factory.mktemp("linear"))
    replace(saved.manifest, temperature=20.0).write(saved.path)  # so that probabilities differ
    return Servable(saved.path)


@pytest.fixture(scope="module")
def middle(servable):
    """A threshold below which a third of the texts are; half of them are negative at 0.5."""
    return float(np.quantile(Classifier.load(servable.path).predict_proba(TEXTS), 1 / 3))


def test_labels_are_given_above_the_threshold_with_their_own_probability(servable, middle, tmp_path):
    moved = Classifier.load(move_threshold(servable, REVIEWS, middle, tmp_path / "moved").path)
    p = Classifier.load(servable.path).predict_proba(TEXTS)
    assert moved.predict_proba(TEXTS) == pytest.approx(p, abs=0)
    answers = moved.predict(TEXTS)
    assert [a.label == "positive" for a in answers] == (p > middle).tolist()
    assert sum(p > middle) != sum(p > 0.5)
    assert [a.score for a in answers] == pytest.approx(np.where(p > middle, p, 1 - p))
    assert min(a.score for a in answers) < 0.5 < min(a.score for a in Classifier.load(servable.path).predict(TEXTS))
    assert (explain(moved, TEXTS[0]).label, explain(moved, TEXTS[0]).score) == (answers[0].label, answers[0].score)


def test_the_copy_is_a_servable_of_its_own_with_figures_at_its_threshold(servable, middle, tmp_path):
    moved = move_threshold(servable, REVIEWS, middle, tmp_path / "moved")
    p, labels = Classifier.load(servable.path).predict_proba(TEXTS), REVIEWS.frame["label"]
    assert moved.manifest.threshold == middle
    assert moved.manifest.validation_accuracy == pytest.approx(accuracy_score(labels, p > middle))
    assert moved.manifest.validation_macro_f1 == pytest.approx(f1_score(labels, p > middle, average="macro"))
    assert moved.fingerprint != servable.fingerprint
    back = move_threshold(moved, REVIEWS, 0.5, tmp_path / "back")
    assert back.fingerprint == servable.fingerprint


@pytest.mark.parametrize("kind", ["linear", "transformer", "cascade"])
def test_the_bias_is_added_before_the_temperature_divides(kind, tmp_path):
    servable = tiny_servables.save(kind, tmp_path / "plain")
    before = Classifier.load(servable.path)
    replace(servable.manifest, bias=-0.7).write(servable.path)
    after = Classifier.load(servable.path)
    expected = (before.logits(TEXTS[:8]) - 0.7) / before.manifest.temperature
    assert after.calibrated_logits(TEXTS[:8]) == pytest.approx(expected)


def test_the_bias_of_a_stage_reaches_the_cascade(tmp_path):
    servable = tiny_servables.save("cascade", tmp_path)
    shutil.copytree(servable.path, tmp_path / "shifted")
    file = tmp_path / "shifted" / "transformer" / "manifest.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"bias": 3.0}))
    plain, shifted = (Classifier.load(path).logits(TEXTS) for path in (servable.path, tmp_path / "shifted"))
    assert (shifted >= plain).all() and (shifted > plain).any()


def test_a_threshold_of_a_stage_does_not_matter_to_the_cascade(tmp_path):
    servable = tiny_servables.save("cascade", tmp_path)
    shutil.copytree(servable.path, tmp_path / "other")
    stage = Servable(tmp_path / "other" / "transformer")
    replace(stage.manifest, threshold=0.9).write(stage.path)
    plain, other = (Classifier.load(path).predict(TEXTS) for path in (servable.path, tmp_path / "other"))
    assert plain == other
