"""A version scored on a source it has not seen."""

import pandas as pd
import pytest

from tests.helpers import command_line

MODEL = "scored"


@pytest.fixture(scope="module")
def scored(train, reviews_file):
    return command_line.run(*train(MODEL, *command_line.LINEAR, "--set", f"source.source=file:{reviews_file}")).summary


def evaluate(path, *more):
    start = [
        "--pipeline",
        "evaluate",
        "--json",
        "--set",
        f"model={MODEL}",
        "--set",
        "behaviour=configs/behaviour.smoke.yaml",
    ]
    return command_line.run(*start, "--set", f"source.source=file:{path}", *more)


def test_new_reviews_are_scored(scored, tmp_path):
    new = command_line.sentences(200, seed=99)
    new.loc[len(new)] = [None, "pos", "shop"]  # no text: left out
    new.to_csv(tmp_path / "new.csv", index=False)
    result = evaluate(tmp_path / "new.csv")
    summary = result.summary
    assert summary["model_version"] == scored["model_version"]
    assert summary["metrics"]["count"] == 200
    assert summary["metrics"]["accuracy"] > 0.9
    assert "source=new" in summary["metrics"]["slices"]
    assert set(summary["behaviour"]) == {"negation_far", "added_praise", "gender"}
    assert "Candidates on the test split" not in result.err  # it is not the test split
    again = evaluate(tmp_path / "new.csv", "--set", "version=1").summary
    assert again["metrics"] == summary["metrics"]


def test_reviews_that_it_was_trained_on_are_left_out(scored, reviews_file, tmp_path):
    mixed = pd.concat([command_line.sentences(200, seed=99), pd.read_csv(reviews_file).assign(source="known")])
    mixed.assign(text=mixed["text"].str.upper()).to_csv(tmp_path / "mixed.csv", index=False)
    tested = 40  # a tenth of the 400 was never trained or tuned on
    assert evaluate(tmp_path / "mixed.csv").summary["metrics"]["count"] == 200 + tested
    everything = evaluate(tmp_path / "mixed.csv", "--set", "exclude_training=false").summary
    assert everything["metrics"]["count"] == 600


def test_nothing_new_is_one_line(scored, reviews_file, tmp_path):
    from sentiment.reviews.sources import SourceSettings, load_reviews
    from sentiment.reviews.splitting import SplitSettings, split

    reviews = load_reviews(SourceSettings(source=f"file:{reviews_file}"), seed=13)
    known = split(reviews, SplitSettings(), seed=13)[0].train.frame
    known.assign(label=known["label"].map({0: "neg", 1: "pos"})).to_csv(tmp_path / "known.csv", index=False)
    result = evaluate(tmp_path / "known.csv")
    assert result.code == 2
    assert result.err.splitlines()[-1].startswith("error: ")


def test_evaluation_changes_no_version(scored, tmp_path):
    before = command_line.versions(MODEL)
    command_line.sentences(200, seed=98).to_csv(tmp_path / "more.csv", index=False)
    assert evaluate(tmp_path / "more.csv").code == 0
    assert command_line.versions(MODEL) == before
