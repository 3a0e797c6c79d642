"""A source in which one label is rare, one review in twenty: from training to promotion, with a moved threshold."""

import random
import re
from types import SimpleNamespace

import pandas as pd
import pytest

from tests.helpers import command_line
from tests.helpers.command_line import BAD, GOOD

ROWS = 2400
PROMOTION = """
extends: {promotion}
floors: {{macro_f1: 0.6, rare_recall: 0.25, max_ece: 0.05}} # the defaults
"""
NAMES = {"servable": "servable", "linear": "linear", "evaluation": "linear_evaluation", "splits": "splits"}
UNTREATED = ("--set", "class_weights.weights=none", "--set", "decision_threshold=0.5")


def rare_reviews(rows):
    """Reviews of which one in twenty is positive; a few words of each say the opposite of its label."""
    draw, swapped = random.Random(0), dict(zip(GOOD + BAD, BAD + GOOD, strict=True))
    made = command_line.sentences(2 * rows)
    negative, positive = (made[made["label"] == label] for label in ("neg", "pos"))
    chosen = pd.concat([negative.head(rows * 19 // 20), positive.head(rows // 20)])
    words = re.compile(rf"\b(?:{'|'.join(swapped)})\b")
    noisy = [words.sub(lambda w: swapped[w[0]] if draw.random() < 0.19 else w[0], text) for text in chosen["text"]]
    return chosen.assign(text=noisy)


@pytest.fixture(scope="module")
def trained(train, promotion, tmp_path_factory):
    """Trains the linear model without weights at 0.5, by the defaults, and at a threshold that the settings name."""
    folder = tmp_path_factory.mktemp("imbalance")
    rare_reviews(ROWS).to_csv(folder / "reviews.csv", index=False)
    (folder / "promotion.yaml").write_text(PROMOTION.format(promotion=promotion))
    shares = ("--set", "splits.validation=0.2", "--set", "splits.test=0.25")
    source = ("--set", f"source.source=file:{folder / 'reviews.csv'}", "--set", "source.rows=null")
    rules = ("--set", f"promotion={folder / 'promotion.yaml'}")

    def run(model, *more):
        summary = command_line.run(*train(model, *command_line.LINEAR, *source, *shares, *rules, *more)).summary
        return SimpleNamespace(summary=summary, metrics=summary["metrics"]["linear"], **artifacts(model, summary))

    return SimpleNamespace(
        untreated=run("rare_untreated", *UNTREATED),
        automatic=run("rare_automatic"),
        moved=run("rare_automatic", "--set", "decision_threshold=0.9"),
    )


def artifacts(model, summary):
    from zenml.client import Client

    from cli.session import session
    from registry.versions import get_artifact

    with session("local", debug=False):
        found = {key: get_artifact(model, summary["model_version"], name) for key, name in NAMES.items()}
        steps = Client().get_pipeline_run(summary["run"]).steps
        cached = {name for name, step in steps.items() if step.status == "cached"}
        return {"cached": cached, **{key: stored.load() for key, stored in found.items()}}


def test_without_weights_at_one_half_the_rare_label_is_hardly_found_and_the_gates_refuse(trained):
    run = trained.untreated
    assert run.metrics["accuracy"] > 0.94  # as always answering negative
    assert run.metrics["recall_positive"] < 0.25
    assert not run.summary["promoted"]
    assert "floor: macro-F1" in run.summary["reason"]
    assert "floor: recall of the rare label, positive" in run.summary["reason"]
    assert "accuracy" not in run.summary["reason"]


def test_by_the_defaults_the_model_is_useful_calibrated_and_promoted(trained):
    run = trained.automatic
    assert run.metrics["recall_positive"] > 0.5
    assert run.metrics["macro_f1"] > 0.65
    assert run.metrics["ece"] < 0.05
    assert run.summary["promoted"], run.summary["reason"]
    assert run.servable.manifest.bias != 0
    assert run.servable.manifest.threshold == run.evaluation.threshold != 0.5


def test_weights_alone_change_the_model_and_calibration_undoes_the_shift(trained):
    share = trained.automatic.splits.test.frame["label"].mean()
    assert share == pytest.approx(0.05, abs=0.01)
    for run in (trained.untreated, trained.automatic):
        assert run.evaluation.predictions["p_positive"].mean() == pytest.approx(share, abs=0.02)
    intercepts = [r.servable.manifest.settings["intercept"] for r in (trained.untreated, trained.automatic)]
    assert intercepts[0] < intercepts[1] - 1


def test_a_moved_threshold_changes_labels_and_not_probabilities_wherever_labels_are_given(trained):
    from sentiment.models import Classifier

    before, after = trained.automatic, trained.moved
    assert after.servable.manifest.threshold == after.evaluation.threshold == 0.9
    assert after.servable.fingerprint != before.servable.fingerprint
    p = after.evaluation.predictions["p_positive"]
    assert p.tolist() == before.evaluation.predictions["p_positive"].tolist()
    assert after.metrics["recall_positive"] < before.metrics["recall_positive"]
    assert sum(row[1] for row in after.evaluation.confusion) == (p > 0.9).sum()
    texts = after.splits.test.frame["text"].tolist()
    for run, threshold in ((before, before.servable.manifest.threshold), (after, 0.9)):
        labels = [answer.label == "positive" for answer in Classifier.load(run.servable.path).predict(texts)]
        assert labels == (p > threshold).tolist()


def test_a_moved_threshold_trains_nothing_again(trained):
    assert "train_linear" in trained.moved.cached
    assert not {"threshold_linear", "evaluate_linear"} & trained.moved.cached
    assert trained.moved.linear.fingerprint == trained.moved.servable.fingerprint  # so it is what a later run reuses
