"""The search on the command line: real trials, in ZenML and MLflow, from the first one to the profile."""

import json
import os
import re
from pathlib import Path

import pytest
import yaml

from pipelines.search import read_tune_settings, settings_of_trial
from sentiment.errors import UserError
from tests.helpers import command_line

TUNE = """
study: {study}
base: {base}
candidate: linear
space:
  linear.inverse_regularization: {{choices: [0.01, 10.0]}}
  linear.longest_ngram: {{choices: [1, 3]}}
budget: {{minutes: 600, trials: 2}}
confirm: {{best: 1, seeds: 2}}
folds: null
sampler: grid
profile: {folder}/train.{study}.yaml
"""


@pytest.fixture(scope="module")
def search(tmp_path_factory, reviews_file):
    """Returns the arguments of a search named ``study`` over a small linear profile."""
    folder = tmp_path_factory.mktemp("search")
    base = folder / "base.yaml"
    smoke = yaml.safe_dump({"extends": f"{command_line.ROOT}/configs/train.smoke.yaml", "model": "searched"})
    base.write_text(smoke + f"source: {{source: 'file:{reviews_file}', rows: null}}\n")

    def arguments(study: str, *more: str) -> list[str]:
        config = folder / f"tune.{study}.yaml"
        config.write_text(TUNE.format(study=study, base=base, folder=folder))
        return ["--pipeline", "tune", "--config", str(config), "--json", *more]

    arguments.folder = folder
    return arguments


@pytest.fixture(scope="module")
def first(search):
    return command_line.run(*search("grid"))


def test_a_search_ends_with_a_verdict_and_a_profile_that_train_takes(first, search):
    summary = first.summary
    assert summary["trials"] == 2
    assert summary["winner"]["values"]["log_loss"] > 0
    assert summary["verdict"] in " ".join(first.err.split())
    profile = Path(summary["profile"])
    written = yaml.safe_load(profile.read_text())
    params = summary["winner"]["params"]
    base = {"linear.inverse_regularization": 10.0, "linear.longest_ngram": 3}
    changed = {key.removeprefix("linear."): value for key, value in params.items() if value != base[key]}
    assert written == {"extends": "base.yaml", **({"linear": changed} if changed else {})}
    trained = command_line.run("--pipeline", "train", "--config", str(profile), "--json", *command_line.LINEAR)
    assert trained.summary["challenger"] == "linear"


def test_trials_take_their_splits_from_cache(first):
    from zenml.client import Client

    runs = Client().list_pipeline_runs(pipeline="trial", size=50, hydrate=True, sort_by="created").items
    _, *later = [{name: step.status.value for name, step in run.steps.items()} for run in runs]
    shared = ("load", "divide", "check_splits")
    prepared = [status for steps in later for name, status in steps.items() if name in shared]
    assert set(prepared) == {"cached"}
    assert "completed" in [steps["train_linear"] for steps in later]


def test_each_trial_is_a_run_below_that_of_the_search_and_names_its_zenml_run(first):
    from zenml.client import Client

    from cli.session import session
    from registry.mlflow_registry import connect

    with session("local", debug=False):
        client = connect()
        experiment = client.get_experiment_by_name("tune")
        runs = client.search_runs([experiment.experiment_id], max_results=100)
        (parent,) = [run for run in runs if run.data.tags.get("study") == "grid"]
        children = [run for run in runs if run.data.tags.get("mlflow.parentRunId") == parent.info.run_id]
        files = {file.path for file in client.list_artifacts(parent.info.run_id)}
    assert len(children) == 3
    assert "base" in [run.data.tags["trial"] for run in children]
    for run in children:
        assert Client().get_pipeline_run(run.data.tags["zenml_run"]).pipeline.name == "trial"
        assert run.data.metrics["log_loss"] > 0
        assert run.info.status == "FINISHED"
    assert parent.data.tags["verdict"] == first.summary["verdict"]
    assert files == {"tuning.html", "profile.yaml"}


def test_the_report_is_an_artifact_with_its_page(first):
    from zenml.client import Client

    run = Client().get_pipeline_run(first.summary["run"])
    (artifact,) = run.steps["report_tuning"].outputs["tuning"]
    report = artifact.load()
    assert (report.study, report.verdict, len(report.trials)) == ("grid", first.summary["verdict"], 2)
    assert artifact.visualizations


def test_started_again_a_search_goes_on_to_its_larger_budget_and_trains_nothing_twice(first, search):
    again = command_line.run(*search("grid"))
    assert again.summary["trials"] == 2
    assert again.summary["winner"] == first.summary["winner"]
    more = command_line.run(*search("grid", "--set", "budget.trials=4"))
    assert more.summary["trials"] == 4


def test_two_processes_share_a_search(search):
    both = command_line.run_process(*search("both", "--set", "workers=2", "--set", "budget.trials=4")).summary
    assert both["trials"] == 4
    from zenml.client import Client

    run = Client().get_pipeline_run(both["run"])
    report = run.steps["report_tuning"].outputs["tuning"][0].load()
    assert len({tuple(t.params.values()) for t in report.trials}) == 4
    assert (Path(os.environ["SENTIMENT_CACHE"]) / "tuning" / "both.worker-1.log").exists()


def test_a_budget_without_time_for_a_trial_is_refused_and_the_base_is_kept(search):
    failed = command_line.run(*search("short", "--set", "budget.minutes=0.0001"))
    assert failed.code == 2
    assert "leave no time for a trial: the base took" in failed.err
    assert "the base's figures are kept" in failed.err
    assert command_line.run(*search("short", "--set", "confirm.seeds=0")).summary["gain"] is None


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("space={linear.inverse_regularisation: {low: 1, high: 2}}", "Did you mean linear.inverse_regularization"),
        ("space={linaer.longest_ngram: {low: 1, high: 2}}", "Did you mean linear"),
        ("space={linear.longest_ngram: {low: 1, high: 9}}", "space.linear.longest_ngram: .*less than or equal to 3"),
        ("space={splits.test: {choices: [0.1, 0.2]}}", "splits does not change how a candidate is trained"),
        ("space={seed: {low: 1, high: 9}}", "seed does not change how a candidate is trained"),
        (
            "space={transformer.epochs: {low: 1, high: 2}}",
            "transformer does not change linear. Its settings: class_weights",
        ),
        ("space={export.int8: {choices: [true, false]}}", "export does not change linear"),
        (
            "space={linear.enabled: {choices: [true, false]}}",
            "linear.enabled does not change how a candidate is trained",
        ),
        ("storage=postgresql://user:secret@host/db", "the URL of the storage holds a password"),
        ("candidate=liner", "there is no candidate 'liner'. Did you mean linear"),
        ("trial={linear.hash_bit: 12}", "Did you mean linear.hash_bits"),
        ("space={}", "the space is empty"),
    ],
)
def test_a_space_that_does_not_fit_the_profile_is_refused_with_the_nearest_key(search, change, words):
    config = search("wrong")[3]
    with pytest.raises(UserError, match=words):
        read_tune_settings(Path(config), [change])


def test_a_trial_trains_its_candidate_and_its_stages_alone(search):
    settings = read_tune_settings(Path(search("alone")[3]), ["candidate=cascade", "trial={cascade.tolerance: 0.2}"])
    trial = settings_of_trial(settings, {"linear.longest_ngram": 1}, seed=99)
    assert (trial.linear.enabled, trial.transformer.enabled, trial.cascade.enabled) == (True, True, True)
    assert (trial.large_transformer.enabled, trial.seed, trial.linear.longest_ngram) == (False, 99, 1)
    assert trial.cascade.tolerance == 0.2


def test_a_transformer_is_pruned_while_it_trains_and_its_states_are_deleted(search, monkeypatch):
    small = {
        "transformer.max_length": 16, "transformer.evaluations": 2, "transformer.evaluation_rows": 20,
        "augmentation.examples": 0, "export.int8": False, "export.max_length": 16, "export.rows": 20,
    }  # fmt: skip
    changes = {
        "candidate": "transformer", "sampler": "random", "budget.trials": 1, "confirm.seeds": 0, "trial": small,
        "space": {"transformer.learning_rate": {"choices": [0.0001, 0.001]}},
    }  # fmt: skip
    sets = [word for key, value in changes.items() for word in ("--set", f"{key}={json.dumps(value)}")]
    states = Path(os.environ["SENTIMENT_CACHE"]) / "training"
    before = set(states.glob("*/checkpoint*"))
    monkeypatch.setattr("optuna.Trial.should_prune", lambda _: True)
    ended = command_line.run(*search("pruned", *sets))
    assert ended.code == 2
    assert "none of 1 trials was completed" in ended.err
    assert re.search(r"trial \d+ +pruned", ended.err)
    (of_base,) = set(states.glob("*/checkpoint*")) - before
    assert of_base.name == "checkpoint"  # a pruned trial leaves no states behind
