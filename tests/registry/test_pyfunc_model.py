"""The model that MLflow loads takes texts, or a table's column of texts, and nothing else."""

import numpy as np
import pandas as pd
import pytest

from tests.helpers import tiny_servables


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    from registry.pyfunc_model import SentimentModel
    from sentiment.models import Classifier

    model = SentimentModel()
    model.classifier = Classifier.load(tiny_servables.save_linear(tmp_path_factory.mktemp("servable") / "it").path)
    return model


TEXTS = ["a lovely film", "a dull plot"]


@pytest.mark.parametrize(
    "given",
    [
        TEXTS,
        tuple(TEXTS),
        np.array(TEXTS),
        pd.Series(TEXTS),
        pd.DataFrame({"text": TEXTS}),
        pd.DataFrame({"asin": ["B001", "B002"], "text": TEXTS}),
        pd.DataFrame({0: TEXTS}),
        {"text": TEXTS},
    ],
    ids=lambda given: type(given).__name__,
)
def test_texts_in_any_form_give_the_same_answers(model, given):
    assert model.predict(None, given) == model.predict(None, TEXTS)
    assert [answer["label"] for answer in model.predict(None, given)] == ["positive", "negative"]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("lovely", "not str"),
        (None, "not NoneType"),
        (pd.DataFrame({"asin": ["B001"], "body": ["fine"]}), "needs one column called 'text'; it has 'asin', 'body'"),
        (pd.DataFrame([["a", "b"]], columns=["text", "text"]), "needs one column called 'text'"),
        (pd.DataFrame({"text": ["fine", None]}), "text 2 of 2 is"),
        (pd.DataFrame({"text": ["fine", float("nan")]}, dtype="object"), "text 2 of 2 is float"),
        ([["fine"]], "text 1 of 1 is list"),
        ([5], "text 1 of 1 is int"),
    ],
)
def test_anything_else_is_one_clear_error(model, given, words):
    with pytest.raises(TypeError, match=words) as caught:
        model.predict(None, given)
    assert "\n" not in str(caught.value)
