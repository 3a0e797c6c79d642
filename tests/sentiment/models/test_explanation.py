import numpy as np
import pytest

from sentiment.models import Classifier
from sentiment.models.explanation import explain
from sentiment.models.servable import Manifest
from tests.helpers import tiny_servables
from tests.helpers import tiny_transformer as tiny


class Counted(Classifier):
    """Log-odds are the sum over the words; counts the texts that it scored."""

    def __init__(self, **effects):
        super().__init__(Manifest("linear", {}, 0.5, 0.9, "", {}))
        self.effects, self.asked = effects, []

    def _logits(self, texts):
        self.asked += texts
        return np.array([float(sum(self.effects.get(w.strip(".,!"), 0) for w in t.split())) for t in texts])


def test_the_effect_of_a_word_is_the_change_without_it():
    text = "A dull start,  a lovely end."
    found = explain(Counted(dull=-1, lovely=3), text)
    assert [(w.word, w.effect) for w in found.words] == [
        ("A", 0), ("dull", -2), ("start,", 0), ("a", 0), ("lovely", 6), ("end.", 0),
    ]  # calibrated: the temperature is a half  # fmt: skip
    assert [text[w.start : w.end] for w in found.words] == [w.word for w in found.words]
    assert found.label == "positive"
    assert found.score == pytest.approx(1 / (1 + np.exp(-4)))


def test_the_label_and_the_score_are_those_of_the_prediction():
    classifier = Counted(dull=-2)
    found = explain(classifier, "dull")
    (predicted,) = classifier.predict(["dull"])
    assert (found.label, found.score) == (predicted.label, predicted.score)
    assert found.words[0].effect == -4


@pytest.mark.parametrize("words", [1, 63, 64, 65, 130, 5000])
def test_the_cost_is_bounded_and_no_word_is_left_out(words):
    text = " ".join(f"w{i}" for i in range(words))
    classifier = Counted(**{f"w{words - 1}": 1})
    found = explain(classifier, text)
    assert len(found.words) == min(words, 64)
    assert len(classifier.asked) <= 66
    assert " ".join(w.word for w in found.words) == text
    assert [w.effect for w in found.words] == [0] * (len(found.words) - 1) + [2]
    sizes = [len(w.word.split()) for w in found.words]
    assert max(sizes) - min(sizes) <= 1


def test_fewer_parts_where_so_wished():
    found = explain(Counted(dull=-1), "a dull b c d", max_words=2)
    assert [w.word for w in found.words] == ["a dull", "b c d"]
    assert [w.effect for w in found.words] == [-2, 0]


def test_markup_is_no_word():
    text = "dull<br />but <3 <b class='x'>lovely</b>"
    found = explain(Counted(), text)
    assert [w.word for w in found.words] == ["dull", "but", "<3", "lovely"]
    assert [text[w.start : w.end] for w in found.words] == ["dull", "but", "<3", "lovely"]


@pytest.mark.parametrize("text", ["<br />", "x", "\U0001f600", "一部安静的电影", "a" * 20_000])
def test_odd_texts_have_an_explanation(text):
    found = explain(Counted(), text)
    assert [w.word for w in found.words] == ([] if text == "<br />" else [text])


@pytest.mark.parametrize("kind", ["linear", "transformer", "cascade"])
def test_every_kind_of_servable_names_the_word_that_decides(kind, tmp_path):
    classifier = Classifier.load(tiny_servables.save(kind, tmp_path).path)
    for word, sign in ((tiny.GOOD[0], 1), (tiny.BAD[0], -1)):
        filler = " ".join(tiny.FILLER)
        found = explain(classifier, f"{filler} {word} {filler}")
        effects = {w.word: w.effect for w in found.words}
        assert max(effects, key=lambda w: abs(effects[w])) == word
        assert effects[word] * sign > 0
        assert found == explain(classifier, f"{filler} {word} {filler}")
