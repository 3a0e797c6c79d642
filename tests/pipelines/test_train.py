"""Trains the smoke profile, and again without a change."""

import json
import os
import subprocess
import sys

import pytest

from tests.helpers import command_line, forked


def steps(summary):
    from zenml.client import Client

    return Client().get_pipeline_run(summary["run"]).steps


def test_the_first_run_promotes_with_a_reason(first):
    summary = first.summary
    assert set(summary) >= {"run", "model_version", "promoted", "reason", "challenger", "metrics", "durations"}
    assert (summary["model_version"], summary["promoted"]) == ("1", True), summary["reason"]
    assert summary["reason"].startswith("first champion")
    assert set(summary["metrics"]) == {"linear", "transformer", "cascade"}
    for metrics in summary["metrics"].values():
        assert {"accuracy", "macro_f1", "ece"} <= set(metrics)
        assert {"source=imdb", "source=rotten_tomatoes", "length=short"} <= set(metrics["slices"])
    assert summary["durations"]["train_transformer"] > 0
    assert len(first.out.splitlines()) == 1  # the tables are on stderr
    for words in (
        "Reviews",
        "Candidates on the test split",
        "Gates",
        "Decision, rule by rule",
        "promoted",
        "make dashboard",
    ):
        assert words in first.err
    assert command_line.find_production("sentiment") == command_line.find_champion("sentiment") == "1"


def test_every_artifact_has_a_page_and_none_is_pickled(first):
    outputs = {
        f"{step}.{name}": artifact
        for step, response in steps(first.summary).items()
        for name, artifact in response.regular_outputs.items()
    }
    assert len(outputs) > 15
    stored_by = {name: artifact.materializer.import_path for name, artifact in outputs.items()}
    assert not {name: path for name, path in stored_by.items() if "pickle" in path.lower()}
    texts = {"choose.challenger", "promote.model_version"}  # strings: the dashboard shows their value
    assert {name for name, path in stored_by.items() if not path.startswith("materializers.")} == texts
    assert {name for name, artifact in outputs.items() if not artifact.visualizations} <= texts


def test_mlflow_loads_the_champion_without_the_project(first, tmp_path):
    code = """
import json, mlflow, pandas, sys
mlflow.set_tracking_uri(sys.argv[1])
model = mlflow.pyfunc.load_model("models:/sentiment@champion")
texts = ["A wonderful, moving film.", "Awful. The worst and most boring film ever."]
answers = model.predict(texts)
assert model.predict(pandas.DataFrame({"asin": ["B001", "B002"], "text": texts})) == answers
print(json.dumps(answers))
print(json.dumps(sorted({name.partition(".")[0] for name in sys.modules} & {"zenml", "transformers", "steps"})))
"""
    assert first.code == 0
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    command = [sys.executable, "-c", code, command_line.tracking_uri()]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0, done.stderr
    answers, imported = map(json.loads, done.stdout.splitlines()[-2:])
    assert [set(answer) for answer in answers] == [{"label", "score", "positive"}] * 2
    assert answers[0]["positive"] > answers[1]["positive"]
    assert imported == []


def test_both_registries_carry_the_model_card(first):
    import mlflow
    from zenml.client import Client

    assert first.code == 0
    registered = mlflow.MlflowClient(command_line.tracking_uri()).get_model_version_by_alias("sentiment", "champion")
    card = Client().get_model_version("sentiment", "1").description
    assert card == registered.description
    for words in ("Maas et al. 2011", "accuracy", "source=imdb", "negation_far"):
        assert words in card


def test_every_number_is_in_mlflow(first):
    import mlflow

    client = mlflow.MlflowClient(command_line.tracking_uri())
    run = client.get_run(client.get_model_version_by_alias("sentiment", "champion").run_id)
    for name, metrics in first.summary["metrics"].items():
        assert run.data.metrics[f"{name}.accuracy"] == pytest.approx(metrics["accuracy"], abs=1e-5)
    assert run.data.params["transformer.max_length"] == "48"
    assert run.data.tags["promoted"] == "True"


def test_a_second_run_comes_from_cache_and_promotes_nothing(first, train):
    before = command_line.list_versions("sentiment")
    second = command_line.run(*train("sentiment"))
    summary = second.summary
    status = {name: step.status.value for name, step in steps(summary).items()}
    fresh = {"evaluate_champion", "decide", "promote"}
    assert {name for name, value in status.items() if value != "cached"} <= fresh
    assert (summary["promoted"], summary["model_version"]) == (False, "1")
    assert summary["reason"] == "identical to champion version 1"
    assert "Nothing changed since the last run" in second.err
    assert command_line.list_versions("sentiment") == before
    assert command_line.find_production("sentiment") == command_line.find_champion("sentiment") == "1"
    assert first.summary["metrics"]["cascade"] == summary["metrics"]["cascade"]


def print_score(model):
    """Runs in a process of its own: MLflow lets it import the code that is stored with the model."""
    import mlflow

    score = mlflow.pyfunc.load_model(f"models:/{model}@champion").predict(["A film."])[0]["score"]
    print(f"\nscore: {score}")  # noqa: T201


def test_a_transformer_alone_is_promoted_and_served(first, train, tmp_path):
    """Uses the cached checkpoint of the first run."""
    assert first.code == 0
    alone = command_line.run(*train("alone", "--set", "linear.enabled=false", "--set", "cascade.enabled=false")).summary
    assert (alone["challenger"], alone["promoted"]) == ("transformer", True)
    assert steps(alone)["train_transformer"].status.value == "cached"
    environment = {**os.environ, "MLFLOW_TRACKING_URI": command_line.tracking_uri()}
    process = forked.start(print_score, "alone", folder=tmp_path, env=environment)
    assert process.code == 0, process.err
    (score,) = (line for line in process.out.splitlines() if line.startswith("score: "))  # libraries print, too
    assert 0.5 <= float(score.removeprefix("score: ")) <= 1


def test_a_linear_model_trained_again_is_the_same_version(train, reviews_file):
    arguments = train("again", *command_line.LINEAR, "--set", f"source.source=file:{reviews_file}")
    assert command_line.run(*arguments).summary["promoted"]
    repeated = command_line.run(*arguments, "--no-cache").summary
    assert (repeated["model_version"], repeated["promoted"]) == ("1", False)
    assert repeated["reason"] == "identical to champion version 1"
    assert {step.status.value for step in steps(repeated).values()} == {"completed"}
    from registry import versions

    measured = steps(repeated)["evaluate_linear"].regular_outputs["linear_evaluation"]
    assert versions.get_artifact("again", "1", "linear_evaluation").id == measured.id  # the latest
