"""Cross-validation: every review of the training split is scored once, by a model that has not seen it."""

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError
from sklearn.metrics import accuracy_score, f1_score

from sentiment.errors import UserError
from sentiment.evaluation.cross_validation import CrossValidation, CrossValidationSettings, cross_validate
from sentiment.models.linear import LinearSettings, train_linear
from sentiment.progress import listening
from sentiment.reviews.table import Reviews


def reviews(negative, positive):
    """Reviews in one block a label, in which a word gives the label away three times out of four."""
    labels = [0] * negative + [1] * positive
    words = ["dull", "lovely"]
    texts = [f"Film {i} was {words[label if i % 4 else 1 - label]}." for i, label in enumerate(labels)]
    return Reviews(pd.DataFrame({"text": texts, "label": labels, "source": "shop"}))


class Recorder:
    """Fits nothing: predicts by the word, and records what it was trained and asked on."""

    def __init__(self):
        self.calls = []

    def fit(self, train):
        asked = []
        self.calls.append((train, asked))

        class Model:
            def predict(self, texts):
                asked.extend(texts)
                return np.array([int("lovely" in text) for text in texts])

        return Model()


@pytest.fixture
def recorded():
    recorder, data = Recorder(), reviews(60, 20)
    return data, recorder.calls, cross_validate(data, recorder.fit, candidate="word", folds=4, seed=3)


def test_every_review_is_scored_once_by_a_model_that_has_not_seen_it(recorded):
    data, calls, found = recorded
    texts = set(data.frame["text"])
    assert len(calls) == len(found.folds) == 4
    assert sorted(text for _, asked in calls for text in asked) == sorted(texts)
    for train, asked in calls:
        assert set(train.frame["text"]) == texts - set(asked)
        assert list(train.frame.index) == list(range(len(train)))


def test_folds_are_stratified_and_shuffled(recorded):
    data, calls, found = recorded
    label_of = dict(zip(data.frame["text"], data.frame["label"], strict=True))
    for (_, asked), fold in zip(calls, found.folds, strict=True):
        assert fold.reviews == len(asked) == 20
        assert sum(label_of[text] for text in asked) == 5  # a quarter of the positive ones
    first = [text for text in data.frame["text"] if text in set(calls[0][1])]
    assert first != list(data.frame["text"][:15]) + list(data.frame["text"][60:65])


def test_the_scores_are_those_of_scikit_learn(recorded):
    data, calls, found = recorded
    label_of = dict(zip(data.frame["text"], data.frame["label"], strict=True))
    for (_, asked), fold in zip(calls, found.folds, strict=True):
        labels, predicted = [label_of[text] for text in asked], ["lovely" in text for text in asked]
        assert fold.accuracy == pytest.approx(accuracy_score(labels, predicted))
        assert fold.macro_f1 == pytest.approx(f1_score(labels, predicted, average="macro"))
    accuracies = [fold.accuracy for fold in found.folds]
    assert found.accuracy.mean == pytest.approx(np.mean(accuracies)) == 0.75
    assert found.accuracy.deviation == pytest.approx(np.std(accuracies, ddof=1))
    assert found.macro_f1.mean == pytest.approx(np.mean([fold.macro_f1 for fold in found.folds]))
    assert found.accuracy.deviation > 0  # otherwise this data shows nothing


def test_the_seed_decides_the_folds(recorded):
    data, calls, found = recorded
    again, other = Recorder(), Recorder()
    assert cross_validate(data, again.fit, candidate="word", folds=4, seed=3) == found
    assert [asked for _, asked in again.calls] == [asked for _, asked in calls]
    cross_validate(data, other.fit, candidate="word", folds=4, seed=4)
    assert [set(asked) for _, asked in other.calls] != [set(asked) for _, asked in calls]


def test_a_real_pipeline_is_fitted():
    settings = LinearSettings(hash_bits=12)
    data = reviews(40, 40)
    found = cross_validate(data, lambda train: train_linear(train, settings, seed=1), candidate="x", folds=2, seed=1)
    assert found.accuracy.mean == pytest.approx(0.75, abs=0.06)
    assert CrossValidation.model_validate_json(found.model_dump_json()) == found


def test_progress_is_reported_for_every_fold():
    seen = []
    with listening(lambda task, done, total, **figures: seen.append((task, done, total))):
        cross_validate(reviews(9, 9), Recorder().fit, candidate="word", folds=3, seed=0)
    assert seen == [("cross-validate word", done, 3) for done in range(4)]


@pytest.mark.parametrize(
    ("negative", "positive", "words"),
    [
        (
            30,
            3,
            r"5 folds need 5 positive reviews for training, and there are 3\. Set it to 3 or less, or to 0",
        ),
        (1, 30, r"5 folds need 5 negative reviews for training, and there are 1\. Set it to 0 \(off\)"),
        (0, 30, r"5 folds need 5 negative reviews for training, and there are 0\. Set it to 0 \(off\)"),
    ],
)
def test_too_few_reviews_of_a_label_are_one_line_before_any_training(negative, positive, words):
    recorder = Recorder()
    with pytest.raises(UserError, match=rf"^cross_validation\.folds: {words}") as caught:
        cross_validate(reviews(negative, positive), recorder.fit, candidate="word", folds=5, seed=0)
    assert recorder.calls == []
    assert len(str(caught.value).splitlines()) == 1


def test_as_many_reviews_as_folds_are_enough():
    found = cross_validate(reviews(30, 5), Recorder().fit, candidate="word", folds=5, seed=0)
    assert [fold.reviews for fold in found.folds] == [7] * 5


def test_one_fold_is_refused():
    assert CrossValidationSettings().folds == 0
    assert CrossValidationSettings(folds=2).folds == 2
    with pytest.raises(ValidationError, match="one fold leaves nothing to train on"):
        CrossValidationSettings(folds=1)
