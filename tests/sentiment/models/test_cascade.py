import shutil
import time
from dataclasses import replace
from itertools import accumulate, chain
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from sentiment.errors import UserError
from sentiment.evaluation.calibration import accuracy_of_logits, expected_calibration_error
from sentiment.evaluation.operating_points import read_points, write_points
from sentiment.models import Classifier, cascade
from sentiment.models.cascade import CascadeSettings, Plan, choose, fit_cascade
from sentiment.models.classifier import combine, measure_lengths
from sentiment.models.servable import OPERATING_POINTS, Servable
from sentiment.reviews.table import Reviews
from tests.helpers import tiny_servables
from tests.helpers import tiny_transformer as tiny


def plan(milliseconds, accuracy, log_loss):
    return Plan(np.zeros(0), np.zeros(0, bool), milliseconds, (1.0,), (), accuracy, log_loss)


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
        ({0.1: (0.90, 0.22), 0.2: (0.91, 0.203), 0.5: (0.92, 0.20)}, 0.915, 0.5, 0.5),  # never below the floor
        (
            {0.1: (0.90, 0.2), 0.2: (0.89, 0.1), 1.0: (0.90, 0.1)},
            0.95,
            0.0,
            0.1,
        ),  # none is good enough: the most accurate
    ],
)
def test_the_fastest_plan_that_suffices(scores, floor, tolerance, chosen):
    plans = [plan(milliseconds, *score) for milliseconds, score in scores.items()]
    for order in (plans, plans[::-1]):
        assert choose(order, floor=floor, tolerance=tolerance).milliseconds == chosen


def test_lengths_and_weights():
    assert measure_lengths(["one two", "one two three", "", "one two three four"], (2, 3)).tolist() == [0, 1, 0, 2]
    assert combine(np.array([1.0, -2.0]), np.array([3.0, 1.0]), (0.5, 2.0)).tolist() == [6.5, 1.0]
    each = np.array([[0.5, 1.0], [2.0, 0.0]])
    assert combine(np.array([1.0, -2.0]), np.array([3.0, 1.0]), each).tolist() == [6.5, -2.0]


def test_a_sure_long_review_never_reaches_the_transformer(tmp_path, monkeypatch):
    classifier = Classifier.load(tiny_servables.save_cascade(tmp_path).path)
    linear, transformer = classifier.stages.values()
    seen = []
    answer = transformer._calibrated
    monkeypatch.setattr(transformer, "_calibrated", lambda texts: seen.extend(texts) or answer(texts))
    texts = tiny.reviews(60, 5).frame["text"].tolist()
    logits = classifier.logits(texts)
    first = linear.calibrated_logits(texts)
    short = measure_lengths(texts, (tiny_servables.SHORT_WORDS,) * 2) == 0
    (join,) = classifier.manifest.settings["joins"]
    alone = ~short & (np.abs(first) >= join["long"]["band"])
    assert 0 < alone.sum() < (~short).sum()
    assert seen == [text for text, mine in zip(texts, alone, strict=True) if not mine]
    np.testing.assert_array_equal(logits[alone], first[alone])
    for name, mask in (("brief", short), ("long", ~short & ~alone)):
        second = answer([t for t, m in zip(texts, mask, strict=True) if m])
        np.testing.assert_allclose(logits[mask], combine(first[mask], second, join[name]["weights"]), atol=1e-6)


def test_a_text_that_one_stage_answers_never_reaches_a_later_one(tmp_path):
    """Even if its log-odds lie within a later stage's wider band."""
    classifier = Classifier.load(tiny_servables.save_cascade(tmp_path, stages=3).path)
    first, second, third = classifier.stages.values()
    texts = tiny.reviews(80, 5).frame["text"].tolist()
    short = measure_lengths(texts, (tiny_servables.SHORT_WORDS,) * 2) == 0
    one, two, three = (stage.calibrated_logits(texts) for stage in (first, second, third))
    joins = classifier.manifest.settings["joins"]
    pick = lambda place, key: [joins[place]["brief" if s else "long"][key] for s in short]  # noqa: E731
    to_second = np.abs(one) < pick(0, "band")
    together = np.where(to_second, combine(one, two, np.array(pick(0, "weights")).T), one)
    to_third = to_second & (np.abs(together) < pick(1, "band"))
    expected = np.where(to_third, combine(together, three, np.array(pick(1, "weights")).T), together)
    assert 0 < to_third.sum() < to_second.sum() < len(texts)
    np.testing.assert_allclose(classifier.logits(texts), expected, atol=1e-6)


def test_a_cascade_of_one_stage_is_that_stage(tmp_path):
    linear = tiny_servables.save_linear(tmp_path / "linear")
    fit_cascade({"linear": linear}, tiny.reviews(60, 2), CascadeSettings(), tmp_path / "one", git_commit="")
    texts = tiny.reviews(20, 5).frame["text"].tolist()
    alone = Classifier.load(linear.path)
    cascade_of_one = Classifier.load(tmp_path / "one")
    np.testing.assert_allclose(cascade_of_one.logits(texts), alone.calibrated_logits(texts))
    assert (cascade_of_one.engine, cascade_of_one.manifest.stages) == ("numpy", ("linear",))


@pytest.mark.parametrize("seconds", [(100.0, 20.0), (100.0, None)])
def test_its_training_time_is_that_of_its_stages_and_its_own(tmp_path, seconds):
    save = (tiny_servables.save_linear, tiny_servables.save_transformer)
    stages = {name: make(tmp_path / name) for name, make in zip(("linear", "transformer"), save, strict=True)}
    for name, spent in zip(stages, seconds, strict=True):
        replace(stages[name].manifest, training_seconds=spent).write(tmp_path / name)
        stages[name] = Servable(tmp_path / name)
    started = time.monotonic()
    fit_cascade(stages, tiny.reviews(60, 2), CascadeSettings(), tmp_path / "both", git_commit="")
    found = Servable(tmp_path / "both").manifest.training_seconds
    if None in seconds:
        assert found is None
    else:
        assert 120 < found < 120 + time.monotonic() - started


def test_a_missing_stage_is_one_clear_line(tmp_path):
    servable = tiny_servables.save_cascade(tmp_path, stages=3)
    shutil.rmtree(servable.path / "large_transformer")
    with pytest.raises(UserError, match=r"large_transformer/manifest\.json.*is not a readable servable manifest"):
        Classifier.load(servable.path)


def test_measured_times_do_not_change_the_fingerprint(tmp_path):
    servable = tiny_servables.save_cascade(tmp_path)
    before = servable.fingerprint
    points = read_points(servable.path / OPERATING_POINTS)
    write_points([point.model_copy(update={"milliseconds": 7.0}) for point in points], servable.path / OPERATING_POINTS)
    assert tiny_servables.Servable(servable.path).fingerprint == before
    assert read_points(servable.path / OPERATING_POINTS)[0].milliseconds == 7.0


def test_markup_does_not_make_a_short_text_long(tmp_path):
    classifier = Classifier.load(tiny_servables.save_cascade(tmp_path).path)
    words = tiny.GOOD[:1] + tiny.BAD[:2] + tiny.FILLER[:2]
    text = " ".join(words)
    marked = '<div class="a b c">' + " <br /> <br /> <br /> ".join(words) + "</div>"
    assert len(text.split()) <= tiny_servables.SHORT_WORDS < len(marked.split())
    np.testing.assert_array_equal(classifier.logits([marked]), classifier.logits([text]))


class Opinions:
    """Made-up models: independent noise around the truth, larger in the linear model's short texts."""

    def __init__(self, monkeypatch, **quality):
        self.quality, self.logits, self.row = quality or {"linear": 1.5, "transformer": 2.0}, {}, {}
        monkeypatch.setattr(cascade.Classifier, "load", self.load)

    def load(self, path, **options):
        answer = lambda texts: self.logits[path.name][[self.row[text] for text in texts]]  # noqa: E731
        return SimpleNamespace(engine="numpy", calibrated_logits=answer, warm_up=lambda: None)

    def reviews(self, rows, seed, share_of_short=0.3):
        draw = np.random.default_rng(seed)
        labels = draw.integers(0, 2, rows)
        words = np.where(draw.random(rows) < share_of_short, 5, 50)
        for name, quality in self.quality.items():
            # a Gaussian of unit variance at +-m has the log-odds 2 m x: calibrated by construction
            mean = quality * np.where((name == "linear") & (words == 5), 0.3, 1.0) / 2
            self.logits[name] = 2 * mean * ((2 * labels - 1) * mean + draw.standard_normal(rows))
        texts = [" ".join(["word"] * (n - 1)) + f" {row}" for row, n in enumerate(words)]
        self.row = {text: row for row, text in enumerate(texts)}
        return Reviews(pd.DataFrame({"text": texts, "label": labels, "source": "made up"}))


@pytest.fixture
def parts(tmp_path):
    linear, transformer = tmp_path / "linear", tmp_path / "transformer"
    return {
        "linear": tiny_servables.save_linear(linear),
        "transformer": tiny_servables.save_transformer(transformer),
    }


def answers(opinions, manifest, reviews):
    """Calibrated log-odds of ``reviews`` from the cascade of ``manifest``."""
    short = measure_lengths(reviews.frame["text"].tolist(), manifest.settings["word_bounds"]) == 0
    first, *others = manifest.stages
    logits, rows = opinions.logits[first].copy(), np.arange(len(short))
    for name, join in zip(others, manifest.settings["joins"], strict=True):
        band = np.where(short, join["brief"]["band"], join["long"]["band"])
        rows = rows[np.abs(logits[rows]) < band[rows]]
        weights = np.where(short[rows, None], join["brief"]["weights"], join["long"]["weights"])
        logits[rows] = combine(logits[rows], opinions.logits[name][rows], weights.T)
    return logits / manifest.temperature


def weights_of(folder, length):
    (join,) = tiny_servables.Servable(folder).manifest.settings["joins"]
    return join[length]["weights"]


def test_two_opinions_are_better_than_either(parts, tmp_path, monkeypatch):
    opinions = Opinions(monkeypatch)
    fit_cascade(parts, opinions.reviews(3000, 0), CascadeSettings(short_words=20), tmp_path / "both", git_commit="")
    manifest = tiny_servables.Servable(tmp_path / "both").manifest
    held_out = opinions.reviews(3000, 1)
    labels = held_out.frame["label"].to_numpy()
    logits = answers(opinions, manifest, held_out)
    alone = max(accuracy_of_logits(opinions.logits[name], labels) for name in ("linear", "transformer"))
    assert accuracy_of_logits(logits, labels) > alone
    assert manifest.validation_accuracy > alone
    assert expected_calibration_error(1 / (1 + np.exp(-logits)), labels, 15) < 0.03
    short, long = (weights_of(tmp_path / "both", length) for length in ("brief", "long"))
    assert min(long) > 0.3  # both models count
    assert 0 < short[0] <= 0.1 * short[1] + 1e-9  # on short texts the linear model's no more than allowed


def test_the_linear_weight_on_short_texts_is_capped_and_the_sum_stays_calibrated(parts, tmp_path, monkeypatch):
    opinions = Opinions(monkeypatch)
    reviews = opinions.reviews(3000, 0)
    ratios = {}
    for most in (0.0, 0.3, 100.0):
        settings = CascadeSettings(short_words=20, most_linear=most)
        fit_cascade(parts, reviews, settings, tmp_path / str(most), git_commit="")
        first, second = weights_of(tmp_path / str(most), "brief")
        ratios[most] = first / second
    assert ratios[0.0] == 0
    assert ratios[0.3] == pytest.approx(0.3)
    assert ratios[100.0] > 0.5  # the weight that fits the data


def test_never_below_the_transformer_on_the_validation_reviews(parts, tmp_path, monkeypatch):
    opinions = Opinions(monkeypatch, linear=0.3, transformer=3.0)  # a useless linear model
    reviews = opinions.reviews(2000, 0)
    fit_cascade(parts, reviews, CascadeSettings(short_words=20, tolerance=0.1), tmp_path / "both", git_commit="")
    manifest = tiny_servables.Servable(tmp_path / "both").manifest
    transformer = accuracy_of_logits(opinions.logits["transformer"], reviews.frame["label"])
    assert manifest.validation_accuracy >= transformer - 0.002  # weights of the short ones are fitted, not chosen


def test_every_operating_point_is_reported(parts, tmp_path, monkeypatch):
    opinions = Opinions(monkeypatch)
    settings = CascadeSettings(short_words=20, shares=(0.2, 0.5, 1.0))
    reviews = opinions.reviews(1000, 0)
    points = fit_cascade(parts, reviews, settings, tmp_path / "both", git_commit="c0ffee")
    assert points == read_points(tmp_path / "both" / OPERATING_POINTS)
    long = [point for point in points if point.length == "long"]
    assert [point.shares for point in long] == [(1.0, pytest.approx(share, abs=0.01)) for share in settings.shares]
    assert [point.shares for point in points if point.length == "brief"] == [(1.0, 1.0)]
    assert long[0].milliseconds < long[1].milliseconds < long[2].milliseconds
    assert sorted(point.length for point in points if point.chosen) == ["brief", "long"]
    assert tiny_servables.Servable(tmp_path / "both").manifest.git_commit == "c0ffee"


def test_three_stages_are_better_than_two_and_ask_the_costly_one_rarely(parts, tmp_path, monkeypatch):
    parts["large_transformer"] = tiny_servables.save_transformer(tmp_path / "large_transformer")
    opinions = Opinions(monkeypatch, linear=1.5, transformer=2.0, large_transformer=3.0)
    reviews, settings = opinions.reviews(3000, 0), {"short_words": 20, "tolerance": 1.0, "accuracy_tolerance": 0.02}
    of_two, of_three = (0.1, 1), (0.1, 1, 10)  # seconds of each stage for the texts of each length
    seconds = [each for stage in (*of_two, *of_three) for each in (stage, stage, stage)]
    clock = accumulate(chain.from_iterable((0, each) for each in seconds))
    monkeypatch.setattr(cascade.time, "perf_counter", clock.__next__)
    two = {name: parts[name] for name in ("linear", "transformer")}
    fit_cascade(two, reviews, CascadeSettings(**settings), tmp_path / "two", git_commit="")
    stages = tuple(parts)
    points = fit_cascade(parts, reviews, CascadeSettings(stages=stages, **settings), tmp_path / "three", git_commit="")
    manifests = [tiny_servables.Servable(tmp_path / name).manifest for name in ("two", "three")]
    assert manifests[1].stages == stages
    assert manifests[1].validation_accuracy > manifests[0].validation_accuracy + 0.02
    held_out = opinions.reviews(3000, 1)
    labels = held_out.frame["label"]
    reached = [accuracy_of_logits(answers(opinions, manifest, held_out), labels) for manifest in manifests]
    assert reached[1] > reached[0] + 0.02
    (chosen,) = [point for point in points if point.chosen and point.length == "long"]
    assert 1 >= chosen.shares[1] > chosen.shares[2] > 0
    assert len([point for point in points if point.length == "long"]) == 100


@pytest.mark.parametrize("share_of_short", [0.0, 1.0])
def test_only_long_or_only_short_texts(share_of_short, parts, tmp_path, monkeypatch):
    opinions = Opinions(monkeypatch)
    reviews = opinions.reviews(500, 0, share_of_short)
    points = fit_cascade(parts, reviews, CascadeSettings(short_words=20), tmp_path / "both", git_commit="")
    assert {point.length for point in points} == {"brief" if share_of_short else "long"}
    manifest = tiny_servables.Servable(tmp_path / "both").manifest
    assert accuracy_of_logits(answers(opinions, manifest, reviews), reviews.frame["label"]) > 0.8


def test_brief_texts_are_not_longer_than_short_ones():
    with pytest.raises(ValueError, match="brief_words must not be above short_words"):
        CascadeSettings(brief_words=41, short_words=40)


def test_a_share_is_above_zero_and_at_most_one():
    for share in (0.0, 1.5):
        with pytest.raises(ValueError, match="a share is above 0 and at most 1"):
            CascadeSettings(shares=(share,))


def test_refuses_models_of_different_data(tmp_path):
    linear = tiny_servables.save_linear(tmp_path / "linear", data_fingerprint="one")
    transformer = tiny_servables.save_transformer(tmp_path / "transformer", data_fingerprint="other")
    with pytest.raises(UserError, match="different data"):
        stages = {"linear": linear, "transformer": transformer}
        fit_cascade(stages, tiny.reviews(20, 1), CascadeSettings(), tmp_path / "both", git_commit="")
    assert not (tmp_path / "both").exists()
