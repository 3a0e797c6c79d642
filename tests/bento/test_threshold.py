"""The service labels by the model's threshold, and logs the labels that it gives."""

import asyncio
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from bento.identity import Identity
from bento.predictor import Predictor
from bento.settings import ServiceSettings
from sentiment.models import Classifier
from sentiment.models.servable import Servable
from sentiment.monitoring.prediction_log import read_log
from tests.helpers import tiny_servables
from tests.helpers import tiny_transformer as tiny

TEXTS = tiny.reviews(30, seed=3).frame["text"].tolist()


@pytest.fixture
def classifier(tmp_path):
    servable = tiny_servables.save_linear(tmp_path / "servable")
    replace(servable.manifest, temperature=20.0).write(servable.path)  # so that probabilities differ
    threshold = float(np.quantile(Classifier.load(servable.path).predict_proba(TEXTS), 0.8))
    replace(Servable(servable.path).manifest, threshold=threshold).write(servable.path)
    return Classifier.load(servable.path)


def test_an_answer_has_the_label_and_score_of_the_classifier(classifier, tmp_path):
    counted = []
    metrics = SimpleNamespace(
        batch=lambda *_: None,
        waited=lambda *_: None,
        dropped=lambda *_: None,
        prediction=lambda *answer: counted.append(answer),
    )
    identity = Identity("sentiment", "7", "linear", "numpy", "tag", classifier.manifest.labels)
    settings = ServiceSettings(log=tmp_path / "log", abstain_below=0.6)
    predictor = Predictor(classifier, identity, settings, metrics)
    answers = asyncio.run(predictor.predict(TEXTS, request="one"))
    predictor.close()
    expected = classifier.predict(TEXTS)
    assert [(a.label, a.score) for a in answers] == [(e.label, pytest.approx(e.score)) for e in expected]
    assert min(a.score for a in answers) < 0.5
    assert [a.abstained for a in answers] == [e.score < 0.6 for e in expected]
    assert [label for label, _, _ in counted] == [e.label for e in expected]
    logged = sorted(read_log(tmp_path / "log").records, key=lambda record: record.index)
    assert [record.label for record in logged] == [e.label for e in expected]
