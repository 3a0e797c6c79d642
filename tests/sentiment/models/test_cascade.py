from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from sentiment.errors import UserError
from sentiment.evaluation.calibration import accuracy_of_logits, expected_calibration_error
from sentiment.models import Classifier, cascade
from sentiment.models.cascade import Candidate, CascadeSettings, choose, fit_cascade
from sentiment.models.classifier import combine, is_short, route
from sentiment.reviews.table import Reviews
from tests.helpers import tiny_servables
from tests.helpers import tiny_transformer as tiny


def candidate(share, accuracy, log_loss):
    return Candidate(share, band=share, weights=(1.0, 1.0), accuracy=accuracy, log_loss=log_loss)


@pytest.mark.parametrize(
    ("scores", "floor", "tolerance", "chosen"),
    [
        ({0.1: (0.92, 0.22), 0.2: (0.92, 0.20), 0.5: (0.92, 0.20)}, 0.90, 0.0, 0.2),  # the best, the cheaper of two
        ({0.1: (0.92, 0.22), 0.2: (0.91, 0.203), 0.5: (0.92, 0.20)}, 0.90, 0.02, 0.2),  # a little less is good enough
        (
            {0.1: (0.92, 0.22), 0.2: (0.91, 0.203), 0.5: (0.92, 0.20)},
            0.90,
            0.5,
            0.1,
        ),  # much less, too, if the setting allows it
        ({0.1: (0.90, 0.22), 0.2: (0.91, 0.203), 0.5: (0.92, 0.20)}, 0.915, 0.5, 0.5),  # never below the transformer
        (
            {0.1: (0.90, 0.2), 0.2: (0.89, 0.1), 1.0: (0.90, 0.1)},
            0.95,
            0.0,
            0.1,
        ),  # none is good enough: the most accurate
    ],
)
def test_the_least_share_that_suffices(scores, floor, tolerance, chosen):
    candidates = [candidate(share, *score) for share, score in scores.items()]
    for order in (candidates, candidates[::-1]):
        assert choose(order, floor=floor, tolerance=tolerance).share == chosen


def test_the_unsure_and_the_short_go_to_the_transformer():
    logits = np.array([-5.0, -1.0, 0.5, 5.0, 5.0])
    short = np.array([False, False, False, False, True])
    assert route(logits, short, band=2.0).tolist() == [False, True, True, False, True]
    assert route(logits, short, band=0.0).tolist() == [False] * 4 + [True]
    assert is_short(["one two", "one two three", ""], 2).tolist() == [True, False, True]
    assert combine(np.array([1.0, -2.0]), np.array([3.0, 1.0]), (0.5, 2.0)).tolist() == [6.5, 1.0]


def test_a_sure_long_review_never_reaches_the_transformer(tmp_path, monkeypatch):
    classifier = Classifier.load(tiny_servables.save_cascade(tmp_path).path)
    seen = []
    answer = classifier.transformer._calibrated
    monkeypatch.setattr(classifier.transformer, "_calibrated", lambda texts: seen.extend(texts) or answer(texts))
    texts = tiny.reviews(60, 5).frame["text"].tolist()
    logits = classifier.logits(texts)
    first = classifier.linear.calibrated_logits(texts)
    short = is_short(texts, tiny_servables.SHORT_WORDS)
    alone = ~short & (np.abs(first) >= classifier.manifest.settings["band"])
    assert 0 < alone.sum() < (~short).sum()
    assert seen == [text for text, mine in zip(texts, alone, strict=True) if not mine]
    np.testing.assert_array_equal(logits[alone], first[alone])
    weights = classifier.manifest.settings["weights"]
    for name, mask in (("short", short), ("long", ~short & ~alone)):
        second = answer([t for t, m in zip(texts, mask, strict=True) if m])
        np.testing.assert_allclose(logits[mask], combine(first[mask], second, weights[name]), atol=1e-6)


def test_markup_does_not_make_a_short_text_long(tmp_path):
    classifier = Classifier.load(tiny_servables.save_cascade(tmp_path).path)
    words = tiny.GOOD[:1] + tiny.BAD[:2] + tiny.FILLER[:2]
    text = " ".join(words)
    marked = '<div class="a b c">' + " <br /> <br /> <br /> ".join(words) + "</div>"
    assert len(text.split()) <= tiny_servables.SHORT_WORDS < len(marked.split())
    np.testing.assert_array_equal(classifier.logits([marked]), classifier.logits([text]))


class Opinions:
    """Two made-up models: independent noise around the truth, larger in short texts."""

    def __init__(self, monkeypatch, *, quality=(1.5, 2.0)):
        self.quality, self.logits = quality, {}
        monkeypatch.setattr(cascade.Classifier, "load", self.load)

    def load(self, path, **options):
        return SimpleNamespace(engine="numpy", calibrated_logits=lambda texts: self.logits[path.name])

    def reviews(self, rows, seed, share_of_short=0.3):
        draw = np.random.default_rng(seed)
        labels = draw.integers(0, 2, rows)
        words = np.where(draw.random(rows) < share_of_short, 5, 50)
        for name, quality in zip(("linear", "transformer"), self.quality, strict=True):
            # a Gaussian of unit variance at +-m has the log-odds 2 m x: calibrated by construction
            mean = quality * np.where((name == "linear") & (words == 5), 0.3, 1.0) / 2
            self.logits[name] = 2 * mean * ((2 * labels - 1) * mean + draw.standard_normal(rows))
        texts = [" ".join(["word"] * n) for n in words]
        return Reviews(pd.DataFrame({"text": texts, "label": labels, "source": "made up"}))


@pytest.fixture
def parts(tmp_path):
    return tiny_servables.save_linear(tmp_path / "linear"), tiny_servables.save_transformer(tmp_path / "transformer")


def answers(opinions, manifest, reviews):
    """Calibrated log-odds of ``reviews`` from the cascade of ``manifest``."""
    first, second = opinions.logits["linear"], opinions.logits["transformer"]
    settings = manifest.settings
    short = is_short(reviews.frame["text"].tolist(), settings["short_words"])
    routed = route(first, short, settings["band"])
    weights = np.where(short[:, None], settings["weights"]["short"], settings["weights"]["long"])
    return np.where(routed, combine(first, second, weights.T), first) / manifest.temperature


def test_two_opinions_are_better_than_either(parts, tmp_path, monkeypatch):
    opinions = Opinions(monkeypatch)
    fit_cascade(*parts, opinions.reviews(3000, 0), CascadeSettings(short_words=20), tmp_path / "both", git_commit="")
    manifest = tiny_servables.Servable(tmp_path / "both").manifest
    held_out = opinions.reviews(3000, 1)
    labels = held_out.frame["label"].to_numpy()
    logits = answers(opinions, manifest, held_out)
    alone = max(accuracy_of_logits(opinions.logits[name], labels) for name in ("linear", "transformer"))
    assert accuracy_of_logits(logits, labels) > alone
    assert manifest.validation_accuracy > alone
    assert expected_calibration_error(1 / (1 + np.exp(-logits)), labels, 15) < 0.03
    short, long = manifest.settings["weights"]["short"], manifest.settings["weights"]["long"]
    assert min(long) > 0.3  # both models count
    assert 0 < short[0] <= 0.1 * short[1] + 1e-9  # on short texts the linear model's no more than allowed


def test_the_linear_weight_on_short_texts_is_capped_and_the_sum_stays_calibrated(parts, tmp_path, monkeypatch):
    opinions = Opinions(monkeypatch)
    reviews = opinions.reviews(3000, 0)
    ratios = {}
    for most in (0.0, 0.3, 100.0):
        settings = CascadeSettings(short_words=20, most_linear=most)
        fit_cascade(*parts, reviews, settings, tmp_path / str(most), git_commit="")
        first, second = tiny_servables.Servable(tmp_path / str(most)).manifest.settings["weights"]["short"]
        ratios[most] = first / second
    assert ratios[0.0] == 0
    assert ratios[0.3] == pytest.approx(0.3)
    assert ratios[100.0] > 0.5  # the weight that fits the data


def test_never_below_the_transformer_on_the_validation_reviews(parts, tmp_path, monkeypatch):
    opinions = Opinions(monkeypatch, quality=(0.3, 3.0))  # a useless linear model
    reviews = opinions.reviews(2000, 0)
    fit_cascade(*parts, reviews, CascadeSettings(short_words=20, tolerance=0.1), tmp_path / "both", git_commit="")
    manifest = tiny_servables.Servable(tmp_path / "both").manifest
    transformer = accuracy_of_logits(opinions.logits["transformer"], reviews.frame["label"])
    assert manifest.validation_accuracy >= transformer - 0.002  # weights of the short ones are fitted, not chosen


def test_the_candidates_are_reported(parts, tmp_path, monkeypatch):
    opinions = Opinions(monkeypatch)
    settings = CascadeSettings(short_words=20, shares=(0.2, 0.5, 1.0))
    reviews = opinions.reviews(1000, 0)
    tried = fit_cascade(*parts, reviews, settings, tmp_path / "both", git_commit="c0ffee")
    assert [t.share for t in tried] == [0.2, 0.5, 1.0]
    assert tried[0].band < tried[1].band < tried[2].band
    long = reviews.frame["text"].str.split().str.len() > 20
    routed = np.abs(opinions.logits["linear"][long]) < tried[0].band
    assert routed.mean() == pytest.approx(0.2, abs=0.01)
    assert tiny_servables.Servable(tmp_path / "both").manifest.git_commit == "c0ffee"


@pytest.mark.parametrize("share_of_short", [0.0, 1.0])
def test_only_long_or_only_short_texts(share_of_short, parts, tmp_path, monkeypatch):
    opinions = Opinions(monkeypatch)
    reviews = opinions.reviews(500, 0, share_of_short)
    fit_cascade(*parts, reviews, CascadeSettings(short_words=20), tmp_path / "both", git_commit="")
    manifest = tiny_servables.Servable(tmp_path / "both").manifest
    assert accuracy_of_logits(answers(opinions, manifest, reviews), reviews.frame["label"]) > 0.8


def test_refuses_models_of_different_data(tmp_path):
    linear = tiny_servables.save_linear(tmp_path / "linear", data_fingerprint="one")
    transformer = tiny_servables.save_transformer(tmp_path / "transformer", data_fingerprint="other")
    with pytest.raises(UserError, match="different data"):
        fit_cascade(linear, transformer, tiny.reviews(20, 1), CascadeSettings(), tmp_path / "both", git_commit="")
    assert not (tmp_path / "both").exists()
