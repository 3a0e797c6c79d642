"""Deletes real runs, versions, MLflow's runs and Bentos of a small ZenML, also beside a run and after kill -9."""

import os
import pkgutil
import signal
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Annotated

import pytest
import yaml
from zenml import pipeline, step

from tests.helpers import command_line
from tests.helpers.own_zenml import fresh_zenml, own_zenml

MODEL = "pruned"
MIDDLE: list = []  # what the step ``train_linear`` does: a prune beside its run


@step(enable_cache=True)
def load() -> Annotated[str, "reviews"]:
    """Is cached in every run after the first one."""
    return "the reviews"


@step(enable_cache=False, experiment_tracker=True)
def train_linear(reviews: str, number: int) -> Annotated[str, "servable"]:
    import mlflow

    mlflow.log_text("x" * 1000, "page.html")
    for action in MIDDLE:
        action()
    return f"{reviews} {number}"


@step(enable_cache=False)
def evaluate(servable: str, champion: str) -> Annotated[str, "evaluation"]:
    return f"{servable} {champion}"


@pipeline(name="train")
def train(number: int, champion: str | None = None) -> None:
    from registry.versions import get_artifact

    servable = train_linear(load(), number)
    if champion:  # as the train pipeline does: ZenML asks for this version only when the step starts
        evaluate(servable, get_artifact(MODEL, champion, "servable"))


def add_version(number, champion=None):
    """Trains a version as the pipeline does: in ZenML, in MLflow's registry, and as a Bento."""
    from zenml.client import Client

    from registry import mlflow_registry, versions

    done = train.with_options(run_name=f"train-{number}")(number, champion)
    run = Client().get_pipeline_run(done.id)
    artifact = run.steps["train_linear"].regular_outputs["servable"]
    facts = {"kind": "linear", "fingerprint": f"f{number}", "promoted": False, "reason": "", "pipeline_run": run.name}
    version = versions.create_version(MODEL, facts, "card")
    versions.link_artifacts(MODEL, version.number, [artifact])
    client = mlflow_registry.connect()
    experiment = client.get_experiment_by_name("train").experiment_id
    tracked = next(r.info for r in client.search_runs([experiment]) if r.info.run_name == run.name)
    if not client.search_registered_models(f"name='{MODEL}'"):
        client.create_registered_model(MODEL)
    tags = {"fingerprint": f"f{number}", "zenml_version": version.number}
    client.create_model_version(MODEL, f"{tracked.artifact_uri}/page.html", tracked.run_id, tags=tags)
    bento = Path(os.environ["BENTOML_HOME"], "bentos", MODEL, f"v{number}-f{number}-code")
    model = Path(os.environ["BENTOML_HOME"], "models", MODEL, f"v{number}-f{number}")
    labels = {"model": MODEL, "model_version": version.number, "fingerprint": f"f{number}"}
    for folder in (bento, model):
        folder.mkdir(parents=True)
    (bento / "bento.yaml").write_text(yaml.safe_dump({"labels": labels}))
    return SimpleNamespace(run=run, artifact=artifact, tracked=tracked, bento=bento, model=model)


@pytest.fixture(scope="module")
def world(tmp_path_factory, unsynced_databases):
    """A ZenML with five versions; version 3 is in production, and a rollback would restore version 1."""
    folder = tmp_path_factory.mktemp("prune")
    homes = {"BENTOML_HOME": folder / "bentoml", "SENTIMENT_CACHE": folder / "cache"}
    fresh_zenml(folder / "zenml")
    with pytest.MonkeyPatch.context() as patch, own_zenml(folder / "zenml"):
        for name, value in homes.items():
            patch.setenv(name, str(value))
        from cli.session import session

        with session("local", debug=False):
            from zenml.client import Client

            made = {str(n): add_version(n) for n in range(1, 6)}
            Client().update_model_version(MODEL, "3", stage="production")
            from zenml import log_metadata

            log_metadata(metadata={"replaced": "1"}, model_name=MODEL, model_version="3")
            yield SimpleNamespace(made=made, store=Path(Client().active_stack.artifact_store.path), folder=folder)


def prune(*more):
    return command_line.run("prune", "--model", MODEL, "--json", *more)


def state(world):
    """What is left, by version: its record, and each of its files and records elsewhere."""
    from zenml.client import Client

    from registry import versions
    from registry.mlflow_registry import connect

    runs = {run.name for run in Client().list_pipeline_runs(size=100).items}
    tags = {v.tags["zenml_version"] for v in connect().search_model_versions(f"name='{MODEL}'")}
    artifacts = {a.id for a in Client().list_artifact_versions(size=100).items}
    return {
        number: {
            "version": number in {v.number for v in versions.list_versions(MODEL)},
            "run": made.run.name in runs,
            "artifact": made.artifact.id in artifacts,
            "files": Path(made.artifact.uri).exists(),
            "mlflow run": Path(made.tracked.artifact_uri.removeprefix("file://")).exists(),
            "mlflow version": number in tags,
            "bento": made.bento.exists(),
            "model": made.model.exists(),
        }
        for number, made in world.made.items()
    }


def whole(world):
    """The versions of which everything is left; all others must be gone without a trace."""
    found = state(world)
    assert {len(set(parts.values())) for parts in found.values()} == {1}, found
    return {number for number, parts in found.items() if parts["version"]}


def proof_of_store():
    from stacks.check import check
    from stacks.stack_file import read_stack

    others = ("orchestrator", "experiment_tracker", "model_deployer")
    (proof,) = check(read_stack("local"), without=others, limit=60)
    assert proof.passed
    return proof.words


def test_a_dry_run_shows_and_deletes_nothing(world):
    shown = prune("--keep", "1", "--dry-run")
    summary = shown.summary
    assert (summary["outcome"], summary["versions"], summary["runs"]) == ("planned", ["2", "4"], ["train-4", "train-2"])
    assert summary["stay"] == {"1": "target of a rollback", "3": "in production", "5": "one of the newest 1"}
    assert summary["freed"]["artifacts"] == {"count": 2, "bytes": summary["freed"]["artifacts"]["bytes"]}
    assert all(summary["freed"][kind]["bytes"] for kind in ("artifacts", "step logs", "MLflow runs and models"))
    assert "version 3 stays: in production" in shown.err
    assert whole(world) == set(world.made)
    assert prune("--keep", "1", "--older-than", "1d", "--dry-run").summary["versions"] == []


class Killed(BaseException):
    """Ends a prune where it is; no code of the project catches it."""


DYING = """
import os, signal, sys
from cli import app
from registry.retention import records
records.delete_artifact = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
app.main(sys.argv[1:])
"""


def test_a_crash_at_any_point_leaves_nothing_broken_and_the_next_prune_finishes(world, monkeypatch):
    def require_harmless():
        """No version and no run refers to files that are gone, and ``stack check`` shows the crash."""
        for number, parts in state(world).items():
            assert parts["files"] or not (parts["version"] or parts["run"]), (number, parts)
            assert parts["artifact"] or not parts["files"], (number, parts)  # otherwise no prune would find the files
        assert "a deletion that began" in proof_of_store()

    for place, after in {
        "registry.retention.records.delete_version": 0,  # its Bento and MLflow's version are gone
        "registry.retention.records.delete_run": 1,
    }.items():
        with monkeypatch.context() as patch, pytest.raises(Killed):
            patch.setattr(place, dying(place, after))
            prune("--keep", "1")
        require_harmless()

    command = [sys.executable, "-c", DYING, "prune", "--model", MODEL, "--keep", "1"]
    killed = subprocess.run(command, cwd=command_line.ROOT, capture_output=True, check=False)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    require_harmless()
    assert prune().summary == {"outcome": "busy"}  # for the lease of the killed process
    monkeypatch.setattr("registry.locks.LEASE", timedelta(0))

    for place in (
        "registry.retention.records.delete_stored",  # the logs are gone, the files of an artifact are not
        "zenml.client.Client.delete_artifact_version",
        "registry.retention.tracked._delete_files",
    ):
        with monkeypatch.context() as patch, pytest.raises(Killed):
            patch.setattr(place, dying(place, 0))
            prune("--keep", "1")
        require_harmless()
    finished = prune("--keep", "100")  # a larger number does not save what is half-deleted
    assert "an earlier prune did not finish" in finished.err
    assert finished.summary["outcome"] == "pruned"
    assert whole(world) == {"1", "3", "5"}
    assert "deletion" not in proof_of_store()


def dying(place, after):
    """Returns a function in place of one: it ends the process after a number of calls."""
    module, _, name = place.rpartition(".")
    calls = []
    original = getattr(pkgutil.resolve_name(module), name)

    def call(*arguments, **options):
        calls.append(place)
        if len(calls) > after:
            raise Killed
        return original(*arguments, **options)

    return call


def test_the_cache_still_serves_after_a_prune(world):
    from zenml.client import Client

    world.made["6"] = add_version(6)
    assert Client().get_pipeline_run("train-6").steps["load"].status.value == "cached"


def test_a_running_run_keeps_what_it_uses_and_everything_newer(world, monkeypatch):
    """The step prunes while it runs, as a timer does; version 5 is read by a later step only."""
    found = []
    monkeypatch.setattr("registry.retention.prune.SETTLE_S", 0)
    MIDDLE.append(lambda: found.append(prune("--keep", "1")))
    try:
        world.made["7"] = add_version(7, champion="5")
    finally:
        MIDDLE.clear()
    (summary,) = [result.summary for result in found]
    assert summary["running"] == ["train-7"]
    assert summary["stay"]["5"] == "used by train-7, which is running"
    assert whole(world) == {"1", "3", "5", "6", "7"}
    assert prune("--keep", "1").summary["versions"] == ["5", "6"]
    left = state(world)["5"]
    assert (left["version"], left["run"], left["files"]) == (False, False, True)  # train-7 has read its servable
    del world.made["5"]
    assert whole(world) == {"1", "3", "7"}


def test_a_second_prune_and_a_deployment_in_progress(world):
    from registry.locks import try_lock
    from serving.active import model_deployer
    from serving.record import lock_deployment

    with try_lock("old runs, versions and files are being deleted"):
        assert prune().summary == {"outcome": "busy"}
    world.made["8"] = add_version(8)
    with lock_deployment(model_deployer().root, "deploying it"):
        assert prune("--keep", "1", "--dry-run").summary["versions"] == ["7"]  # a plan needs no lock
        busy = prune("--keep", "1")
    assert busy.summary["versions"] == []
    assert "versions, Bentos and service logs stay this time" in " ".join(busy.err.split())
    assert whole(world) == {"1", "3", "7", "8"}


def test_status_shows_the_disk_use_and_names_prune_when_it_is_full(world, monkeypatch):
    shown = command_line.run("status", "--model", MODEL, "--json")
    disk = shown.summary["disk"]
    assert set(disk["bytes"]) == {"artifacts", "MLflow", "Bentos", "caches", "service logs"}
    assert disk["bytes"]["artifacts"] > 0 < disk["bytes"]["MLflow"]
    assert "run.py prune" not in shown.err
    monkeypatch.setattr("registry.retention.disk_use.FULL_SHARE", 0.0)
    assert "python run.py prune" in command_line.run("status", "--model", MODEL, "--json").err


def test_a_damaged_journal_is_refused_and_stays(world):
    from stacks.probes.storage import JOURNAL

    (world.store / JOURNAL).write_text('{"versions": ["pruned:1"')
    assert "a deletion has not finished" in proof_of_store()
    for words in ((), ("--dry-run",)):
        refused = prune(*words)
        assert refused.code == 2 and "journal of an earlier prune is damaged" in " ".join(refused.err.split())
        assert JOURNAL in refused.err.replace("\n", "")
    (world.store / JOURNAL).unlink()


@pytest.fixture
def between(monkeypatch):
    """Does something after the plan was made, and before anything is deleted."""
    from cli.commands import prune as command

    show = command._show

    def set_action(action):
        monkeypatch.setattr(command, "_show", lambda *arguments: (show(*arguments), action()))

    return set_action


def test_what_comes_into_use_after_the_plan_stays_and_planning_keeps_no_deployment_out(world, between, monkeypatch):
    """Version 7 is planned each time, and then an MLflow alias, another stack or a new run needs it."""
    from uuid import uuid4

    from zenml import log_metadata

    from registry.mlflow_registry import connect
    from registry.retention import prune as pruning
    from registry.retention import records
    from registry.retention.rules import Run
    from serving.active import model_deployer

    everything = {"1", "3", "7", "8"}

    def need(reason, action, *, undo):
        between(lambda: (model_deployer().lock("rolling back").close(), action()))
        assert prune("--keep", "1").summary["versions"] == ["7"]
        assert whole(world) == everything, reason
        assert prune("--keep", "1", "--dry-run").summary["stay"]["7"] == reason
        undo()

    entry = next(v for v in connect().search_model_versions(f"name='{MODEL}'") if v.tags["zenml_version"] == "7")
    need(
        "has the alias shadow in MLflow",
        lambda: connect().set_registered_model_alias(MODEL, "shadow", entry.version),
        undo=lambda: connect().delete_registered_model_alias(MODEL, "shadow"),
    )

    def set_live(live):
        log_metadata(metadata={"live_on_cloud": live}, model_name=MODEL, model_version="7")

    need("live on stack cloud", lambda: set_live(True), undo=lambda: set_live(False))
    run = Run(uuid4(), "late", "evaluate", pruning.datetime.now(), active=True)

    def start_late_run():
        monkeypatch.setattr(records, "list_active", lambda now: [run])
        monkeypatch.setattr(records, "find_inputs", lambda *_: (set(), {"7"}))

    monkeypatch.setattr(pruning, "SETTLE_S", 0)
    listing = records.list_active
    need("used by late, which is running", start_late_run, undo=lambda: None)
    monkeypatch.setattr(records, "list_active", listing)


def test_a_switch_and_a_stop_record_what_is_live_on_the_stack(world):
    from zenml.client import Client

    from registry import versions

    def recorded():
        found = {n: Client().get_model_version(MODEL, n).run_metadata for n in ("7", "8")}
        return {n: facts.get(f"live_on_{Client().active_stack_model.name}") for n, facts in found.items()}

    versions.record_live(MODEL, "7")
    assert recorded() == {"7": True, "8": None}
    assert versions.find_live_stacks(MODEL) == {}  # the deployer of the active stack is asked itself
    versions.record_live(MODEL, "8")
    assert recorded() == {"7": False, "8": True}
    versions.record_live("", "")  # as stop does
    assert recorded() == {"7": False, "8": False}


def test_a_version_of_another_stack_stays(world, monkeypatch):
    """Its MLflow there may still point an alias at it."""
    import dataclasses

    from registry.retention import records

    def moved(now, list_runs=records.list_runs):
        return [dataclasses.replace(r, here=r.name != "train-7", stack="cloud") for r in list_runs(now)]

    monkeypatch.setattr(records, "list_runs", moved)
    assert prune("--keep", "1", "--dry-run").summary["stay"]["7"] == "of stack cloud"


def test_a_failure_of_mlflow_deletes_no_record_and_the_next_prune_goes_on(world, monkeypatch):
    from mlflow.exceptions import MlflowException
    from mlflow.protos.databricks_pb2 import TEMPORARILY_UNAVAILABLE

    def fail(*_):
        raise MlflowException("busy", TEMPORARILY_UNAVAILABLE)

    with monkeypatch.context() as patch:
        patch.setattr("mlflow.MlflowClient.delete_model_version", fail)
        assert prune("--keep", "1").code != 0
    assert (state(world)["7"]["version"], state(world)["7"]["mlflow version"]) == (True, True)
    with monkeypatch.context() as patch:
        patch.setattr("mlflow.MlflowClient.delete_run", fail)
        assert prune("--keep", "1").code != 0
    assert not state(world)["7"]["version"]
    assert "a deletion that began" in proof_of_store()
    prune("--keep", "1")
    assert whole(world) == {"1", "3", "8"}
    assert "deletion" not in proof_of_store()


def test_an_artifact_that_a_late_run_was_given_stays_with_its_record(world, between, monkeypatch):
    from uuid import uuid4

    from registry.retention import prune as pruning
    from registry.retention import records
    from registry.retention.rules import Run

    world.made["9"] = add_version(9)
    waits, given = [], world.made["8"].artifact.id
    monkeypatch.setattr(pruning.time, "sleep", waits.append)
    run = Run(uuid4(), "late", "evaluate", pruning.datetime.now(), active=True)

    def start_late_run():
        monkeypatch.setattr(records, "list_active", lambda now: [run])
        monkeypatch.setattr(records, "find_inputs", lambda *_: ({given}, set()))

    between(start_late_run)
    assert prune("--keep", "1").summary["versions"] == ["8"]
    remaining = state(world)["8"]
    assert (remaining["version"], remaining["artifact"], remaining["files"]) == (False, True, True)
    assert pruning.SETTLE_S in waits
