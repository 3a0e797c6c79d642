"""The leaderboard of real trainings: an artifact, a page in MLflow, and `compare --families`."""

from pathlib import Path

import pytest

from tests.helpers import command_line


def steps(summary):
    from zenml.client import Client

    return Client().get_pipeline_run(summary["run"]).steps


def compare(summary, *more):
    return command_line.run("compare", "--families", "--run", summary["run"], *more)


@pytest.fixture(scope="module")
def validated(linear_model):
    """The shared model again, with an SVM and cross-validation: only new steps are computed."""
    more = ("--set", "svm.enabled=true", "--set", "svm.hash_bits=14", "--set", "cross_validation.folds=3")
    return command_line.run(*linear_model.arguments, "--set", "model=validated", *more)


def test_the_rows_are_the_figures_of_the_evaluations(validated):
    summary = validated.summary
    shown = compare(summary, "--json").summary
    assert shown["run"] == summary["run"]
    rows = {row["candidate"]: row for row in shown["rows"]}
    assert set(rows) == set(summary["metrics"]) == {"linear", "svm"}
    accuracies = [row["accuracy"]["value"] for row in shown["rows"]]
    assert accuracies == sorted(accuracies, reverse=True)
    for name, metrics in summary["metrics"].items():
        row = rows[name]
        assert row["accuracy"]["value"] == pytest.approx(metrics["accuracy"], abs=1e-5)
        assert row["ece"]["value"] == pytest.approx(metrics["ece"], abs=1e-5)
        short = metrics["slices"]["length=short"]["accuracy"]
        assert row["sentences"]["value"] == pytest.approx(short, abs=1e-5)
        assert row["training_seconds"] > 0 and row["behaviour_cases"] > 0
        assert 0.5 < row["cross_validation"]["mean"] <= 1
    assert (shown["sentences"], shown["folds"]) == ("length=short", 3)


def test_the_table_is_printed_or_written_as_markdown(validated, tmp_path):
    result = compare(validated.summary)
    assert "Leaderboard on" in result.out and "svm" in result.out and "3 folds" in " ".join(result.out.split())
    file = tmp_path / "board.md"
    assert compare(validated.summary, "--markdown", file).code == 0
    assert file.read_text().count("\n| ") == 4  # the headers, the line below them, and two candidates


def test_the_last_run_of_the_model_is_the_default(validated):
    result = command_line.run("compare", "--families", "--model", "validated", "--json")
    assert result.summary["run"] == validated.summary["run"]


def test_each_classical_candidate_is_cross_validated_on_the_training_split(validated, linear_model):
    found = steps(validated.summary)
    assert {name for name in found if name.startswith("cross_")} == {"cross_validate_linear", "cross_validate_svm"}
    assert not [name for name in steps(linear_model.summary) if name.startswith("cross_")]  # off by default
    train = found["divide"].regular_outputs["splits"].load().train
    for name in ("linear", "svm"):
        folds = found[f"cross_validate_{name}"].regular_outputs[f"{name}_cross_validation"].load()
        assert folds.data_fingerprint == train.fingerprint
        assert sum(fold.reviews for fold in folds.folds) == len(train)


def test_mlflow_and_the_version_have_the_leaderboard(validated):
    import mlflow
    from zenml.client import Client

    summary = validated.summary
    client = mlflow.MlflowClient(command_line.tracking_uri())
    version = Client().get_model_version("validated", summary["model_version"])
    assert version.get_artifact("leaderboard").id == steps(summary)["rank"].regular_outputs["leaderboard"].id
    run = client.get_run(version.run_metadata["mlflow_run"])
    rows = {row["candidate"]: row for row in compare(summary, "--json").summary["rows"]}
    for name, row in rows.items():
        logged = run.data.metrics
        assert logged[f"{name}.training_seconds"] == pytest.approx(row["training_seconds"])
        for metric in ("mean", "deviation"):
            figure = logged[f"{name}.cross_validation.accuracy_{metric}"]
            assert figure == pytest.approx(row["cross_validation"][metric])
    page = client.download_artifacts(run.info.run_id, "leaderboard.html")
    assert "<h1>Leaderboard</h1>" in Path(page).read_text()


def test_too_few_reviews_of_a_label_are_one_line_before_training(linear_model, tmp_path):
    frame = command_line.sentences(400)
    rare = frame[(frame["label"] == "pos") | (frame.index < 40)]  # 20 of them are negative
    rare.to_csv(tmp_path / "rare.csv", index=False)
    more = ("--set", f"source.source=file:{tmp_path / 'rare.csv'}", "--set", "cross_validation.folds=20")
    result = command_line.run(*linear_model.arguments, "--set", "model=rare", *more)
    assert result.code == 2
    assert "cross_validation.folds: 20 folds need 20 negative reviews for training, and there are 1" in result.err
    assert "train_linear" not in result.err


def test_a_run_without_a_leaderboard_is_one_line(linear_model, monkeypatch):
    from zenml.models import PipelineRunResponse

    before = PipelineRunResponse.steps.fget
    without = property(lambda run: {name: step for name, step in before(run).items() if name != "rank"})
    monkeypatch.setattr(PipelineRunResponse, "steps", without)  # as a run from before this step
    result = compare(linear_model.summary)
    assert result.code == 2
    expected = f"error: run {linear_model.summary['run']}: this train run is from before there were leaderboards"
    assert result.err.splitlines()[-1].startswith(expected)
    assert compare(linear_model.summary, "--json").code == 2
