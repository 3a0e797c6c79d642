"""Evaluates a version on an unseen source."""

import pandas as pd

from tests.helpers import command_line


def evaluate(model, path, *more):
    start = [
        "--pipeline",
        "evaluate",
        "--json",
        "--set",
        f"model={model.name}",
        "--set",
        "behaviour=configs/behaviour.smoke.yaml",
    ]
    return command_line.run(*start, "--set", f"source.source=file:{path}", *more)


def test_new_reviews_are_scored(linear_model, tmp_path):
    new = command_line.sentences(200, seed=99)
    new.loc[len(new)] = [None, "pos", "shop"]  # no text: left out
    new.to_csv(tmp_path / "new.csv", index=False)
    result = evaluate(linear_model, tmp_path / "new.csv")
    summary = result.summary
    assert summary["model_version"] == linear_model.summary["model_version"]
    assert summary["metrics"]["count"] == 200
    assert summary["metrics"]["accuracy"] > 0.9
    assert "source=new" in summary["metrics"]["slices"]
    assert set(summary["behaviour"]) == {"negation_far", "added_praise", "gender"}
    assert "Candidates on the test split" not in result.err  # it is not the test split
    again = evaluate(linear_model, tmp_path / "new.csv", "--set", "version=1").summary
    assert again["metrics"] == summary["metrics"]


def test_reviews_of_the_training_are_left_out(linear_model, reviews_file, tmp_path):
    mixed = pd.concat([command_line.sentences(200, seed=99), pd.read_csv(reviews_file).assign(source="known")])
    mixed.assign(text=mixed["text"].str.upper()).to_csv(tmp_path / "mixed.csv", index=False)
    tested = 40  # a tenth of the 400 is the test split
    assert evaluate(linear_model, tmp_path / "mixed.csv").summary["metrics"]["count"] == 200 + tested
    everything = evaluate(linear_model, tmp_path / "mixed.csv", "--set", "exclude_training=false").summary
    assert everything["metrics"]["count"] == 600


def test_a_source_without_new_reviews_is_one_line(linear_model, reviews_file, tmp_path):
    from sentiment.reviews.sources import SourceSettings, load_reviews
    from sentiment.reviews.splitting import SplitSettings, split

    reviews = load_reviews(SourceSettings(source=f"file:{reviews_file}"), seed=13)
    known = split(reviews, SplitSettings(), seed=13).train.frame
    known.assign(label=known["label"].map({0: "neg", 1: "pos"})).to_csv(tmp_path / "known.csv", index=False)
    result = evaluate(linear_model, tmp_path / "known.csv")
    assert result.code == 2
    assert result.err.splitlines()[-1].startswith("error: ")


def test_an_evaluation_changes_no_version(linear_model, tmp_path):
    before = command_line.list_versions(linear_model.name)
    command_line.sentences(200, seed=98).to_csv(tmp_path / "more.csv", index=False)
    assert evaluate(linear_model, tmp_path / "more.csv").code == 0
    assert command_line.list_versions(linear_model.name) == before
