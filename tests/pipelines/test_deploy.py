"""Deploys versions: a good one goes live, a bad one does not, and the live one stays live."""

import itertools
import json
import shutil
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pandas as pd
import pytest

from tests.helpers import command_line
from tests.helpers.loopback import free_ports
from tests.helpers.programs import needs_nginx

MODEL = "deployed"
STACK = "deploying"
SMALL = ("--set", "smoke.reviews=8", "--set", "smoke.p95_ms=5000")  # the cores may be busy
BRIEFLY = ("--set", "rollout.seconds=3", "--set", "rollout.min_requests=10", "--set", "rollout.max_latency_ratio=100")
TEXTS = ["This was lovely, witty and graceful.", "This was dull, clumsy and tedious."]


@pytest.fixture(scope="module")
def on_own_stack(tmp_path_factory):
    """A stack with addresses of its own, and one without a deployer."""
    from stacks.stack_file import read_stack

    folder = tmp_path_factory.mktemp("stacks")
    http, grpc = free_ports(2)
    local = (command_line.ROOT / "configs" / "stacks" / "local.yaml").read_text()
    assert "model_deployer" in local
    (folder / f"{STACK}.yaml").write_text(
        "components:\n"
        "  orchestrator: {flavor: local}\n"
        "  artifact_store: {flavor: local}\n"
        "  experiment_tracker: {flavor: mlflow}\n"
        "  model_deployer:\n    flavor: sentiment_bento\n"
        f"    configuration: {{http_port: {http}, grpc_port: {grpc}, workers: 1}}\n"
    )
    (folder / "bare.yaml").write_text("components: {orchestrator: {flavor: local}, artifact_store: {flavor: local}}\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("cli.session.read_stack", lambda name, _: read_stack(name, folder))
        yield folder / f"{STACK}.yaml"


def run(*arguments):
    return command_line.run("--stack", STACK, "--json", *arguments)


def deploy(*more):
    return run("--pipeline", "deploy", "--set", f"model={MODEL}", *SMALL, *more)


def command(name, *more):
    settings = SMALL if name in {"smoke", "rollback"} else ()
    return run(name, *settings, *(() if name == "stop" else ("--model", MODEL)), *more)


def live():
    return command("status").summary["live"]


@pytest.fixture(scope="module")
def versions(on_own_stack, train, reviews_file):
    """Version 1 is in production, version 2 is not."""
    arguments = train(MODEL, *command_line.LINEAR, "--set", f"source.source=file:{reviews_file}", "--stack", STACK)
    assert command_line.run(*arguments).summary["promoted"]
    second = command_line.run(*arguments, "--set", "linear.inverse_regularization=9").summary
    assert (second["promoted"], second["model_version"]) == (False, "2"), second["reason"]


@pytest.fixture(scope="module")
def first(versions):
    """Version 1 is live."""
    assert command("status").summary["live"] is None
    result = deploy()
    yield result
    command("stop")


@pytest.fixture
def unharmed(first):
    before = live()
    yield before
    assert before["healthy"]
    assert live() == before
    assert count_services() == 1


def count_services():
    """Counts the running services, live or not, as ``zenml model-deployer models list`` shows them."""
    from cli.session import session

    with session(STACK, debug=False):
        from serving.active import model_deployer

        return sum(service.is_running for service in model_deployer().find_model_server())


def folder_of(version, name) -> Path:
    from cli.session import session

    with session(STACK, debug=False):
        from registry import versions

        return Path(versions.get_artifact(MODEL, version, name).uri)


@pytest.fixture
def damaged(tmp_path):
    """Returns the folder of an artifact for the test to damage, and restores it afterwards."""
    kept = []

    def of(version, name):
        folder = folder_of(version, name)
        shutil.copytree(folder, tmp_path / "kept")
        kept.append(folder)
        return folder

    yield of
    for folder in kept:
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(tmp_path / "kept", folder)


def invert_scores(folder):
    """Turns every recorded score into its opposite."""
    path = folder / "data" / "predictions.parquet"
    predictions = pd.read_parquet(path)
    predictions.assign(p_positive=1 - predictions["p_positive"]).to_parquet(path, index=False)


def change_manifest(folder):
    manifest = folder / "data" / "manifest.json"
    manifest.write_text(manifest.read_text().replace('"temperature": ', '"temperature": 1'))


def last_run():
    from zenml.client import Client

    return Client().list_pipeline_runs(pipeline="deploy", sort_by="desc:created", size=1).items[0]


def test_the_production_version_goes_live_over_both_protocols(first):
    from bento.client import GrpcClient, HttpClient

    summary = first.summary
    assert (summary["model_version"], summary["deployed"]) == ("1", True)
    assert set(summary["checks"]["smoke"]) >= {f"scores over {p}" for p in ("HTTP", "gRPC")}
    assert all(check["passed"] for check in summary["checks"]["smoke"].values())
    assert set(summary["durations"]) == {"build", "roll_out"}
    with HttpClient(summary["http"]) as http, GrpcClient(summary["grpc"]) as grpc:
        answers = [client.predict(TEXTS) for client in (http, grpc)]
    for answer in answers:
        assert answer.model_version == "1"
        assert [p.label for p in answer.predictions] == ["positive", "negative"]
    for words in ("deployed", "scores over gRPC", f"curl {summary['http']}/v1/predict"):
        assert words in first.err


def test_the_bento_has_lineage_labels_and_every_artifact_has_a_page(first):
    steps = last_run().steps
    bento = steps["build"].regular_outputs["bento"]
    labels = bento.load().labels
    assert labels["model_version"] == "1"
    for name in ("fingerprint", "data_fingerprint", "pipeline_run", "mlflow_run", "git_commit"):
        assert labels[name], name
    artifacts = [bento, *(a for found in steps["roll_out"].outputs.values() for a in found)]
    assert {a.name for a in artifacts} == {"bento", "deployment", "smoke_checks"}
    assert all(a.visualizations and a.materializer.import_path.startswith("materializers.") for a in artifacts)


def test_status_shows_the_live_version(first):
    summary = command("status").summary
    live = summary["live"]
    assert (live["bento"]["version"], live["kind"], live["healthy"]) == ("1", "linear", True)
    assert (live["http"], live["grpc"], live["run"]) == tuple(first.summary[k] for k in ("http", "grpc", "run"))
    assert (summary["production"], summary["warning"]) == ("1", None)
    assert [d["number"] for d in summary["decisions"]] == ["1", "2"]
    out = command_line.run("status", "--stack", STACK, "--model", MODEL).out
    for words in (live["http"], live["grpc"], live["bento"]["tag"], "linear", "answers over HTTP and gRPC"):
        assert words in out


def test_smoke_tests_a_service_at_its_address(unharmed):
    at = ("--http", unharmed["http"], "--grpc", unharmed["grpc"])
    right = command("smoke", *at).summary
    assert (right["passed"], right["bento"]) == (True, unharmed["bento"]["tag"])
    wrong = command("smoke", *at, "--version", "2")
    assert wrong.code == 1
    failed = {name for name, check in json.loads(wrong.out.splitlines()[-1])["checks"].items() if not check["passed"]}
    assert {"model over HTTP", "model over gRPC"} <= failed


def test_the_report_shows_the_live_version(unharmed, tmp_path):
    summary = command("report", "--output", tmp_path / "report.html").summary
    assert summary["live"] == {key: value for key, value in unharmed.items() if key not in ("kind", "stages")}
    assert summary["health"]["requests"] >= 1
    assert "Version 1 (linear) is champion; it is live and answers" in (tmp_path / "report.html").read_text()


def test_a_second_deployment_has_nothing_to_do(unharmed):
    again = deploy()
    assert not again.summary["deployed"]
    assert again.summary["reason"] == "nothing to do: version 1 is live and healthy"


def test_changed_settings_reach_the_live_service(first, on_own_stack, tmp_path):
    """Deploys the same version again, with tokens, other tokens, and none."""
    from bento.client import HttpClient, ServiceError

    before, text, tokens = live(), on_own_stack.read_text(), tmp_path / "tokens"
    tokens.write_text("secret\n")
    on_own_stack.write_text(text.replace("workers: 1", f"workers: 1, tokens_file: {tokens}"))
    try:
        assert deploy().summary["reason"] == "every check passed"
        now = live()
        assert (now["bento"], now["http"], now["healthy"]) == (before["bento"], before["http"], True)
        with HttpClient(now["http"]) as stranger, pytest.raises(ServiceError, match="UNAUTHENTICATED"):
            stranger.predict(TEXTS)
        assert "nothing to do" in deploy().summary["reason"]
        tokens.write_text("another\n")
        refused = deploy("--set", "version=2", "--set", "rollout.mode=canary")  # it would send the wrong token
        assert refused.code == 2
        assert "version 1 was started with other settings than those of today" in refused.err
        assert deploy().summary["deployed"]
        with HttpClient(now["http"], token="another") as client:
            assert client.predict(TEXTS).model_version == "1"
    finally:
        on_own_stack.write_text(text)
        assert deploy().summary["deployed"]
    with HttpClient(now["http"]) as client:
        assert client.predict(TEXTS).model_version == "1"
    assert count_services() == 1


def test_a_version_with_wrong_scores_does_not_go_live_and_its_report_is_kept(unharmed, damaged):
    invert_scores(damaged("2", "linear_evaluation"))
    result = deploy("--set", "version=2")
    assert result.code == 2
    error = result.err.splitlines()[-1]
    assert error.startswith("error: suite smoke: critical checks failed: scores over HTTP: 8 of 8 reviews differ")
    assert "scores over gRPC" in result.err
    run = last_run()
    assert run.status.value == "failed"
    (report,) = run.steps["roll_out"].outputs["smoke_checks"]
    assert not report.load().passed


def test_a_damaged_model_is_not_packaged(unharmed, damaged):
    change_manifest(damaged("2", "servable"))
    result = deploy("--set", "version=2")
    assert result.code == 2
    assert "the servable of version 2 is damaged" in result.err.splitlines()[-1]


@pytest.mark.parametrize("name", ["servable", "splits", "linear_evaluation"])
def test_a_missing_artifact_is_named(name, unharmed, damaged):
    shutil.rmtree(damaged("2", name))
    result = deploy("--set", "version=2")
    assert result.code == 2
    assert f"the files of version 2's {name} are gone" in result.err.splitlines()[-1]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--set", "model=unknown"], "no version is in production"),
        (["--set", "version=99"], "there is no version 99"),
        (["--stack", "bare"], "has no model deployer"),
    ],
)
def test_a_deployment_without_version_or_deployer_is_one_line(arguments, words, versions):
    result = deploy(*arguments)
    assert result.code == 2
    assert result.err.splitlines()[-1].startswith("error: ")
    assert words in result.err.splitlines()[-1]


def test_an_interrupt_stops_the_new_service(unharmed, monkeypatch):
    from serving.deployer import BentoDeployer

    def interrupt(*_, engine, threshold):
        raise KeyboardInterrupt

    monkeypatch.setattr(BentoDeployer, "test", interrupt)
    result = deploy("--set", "version=2")
    assert result.code == 130
    assert "python run.py status" in result.err


@pytest.fixture
def callers(first):
    """Clients over both protocols while the test runs; one failed request fails the test."""
    from bento.client import GrpcClient, HttpClient

    done, answered = threading.Event(), []

    def call(client):
        with client:
            while not done.is_set():
                answered.append(client.predict(TEXTS).model_version)
                done.wait(0.02)

    http, grpc = first.summary["http"], first.summary["grpc"]
    with ThreadPoolExecutor(4) as pool:
        calls = [pool.submit(call, kind(a)) for kind, a in ((HttpClient, http), (GrpcClient, grpc)) for _ in range(2)]
        yield answered
        done.set()
        for call in calls:
            call.result()


@needs_nginx
def test_a_shadow_is_compared_and_never_live(unharmed, callers):
    summary = deploy("--set", "version=2", "--shadow", *BRIEFLY).summary
    assert not summary["deployed"]
    assert summary["reason"] == "a shadow only compares: version 1 is still live"
    assert summary["bento"] != unharmed["bento"]["tag"]
    assert all(check["passed"] for check in summary["checks"]["shadow"].values())
    assert set(callers) == {"1"}


@needs_nginx
def test_a_canary_without_traffic_is_aborted(unharmed):
    result = deploy("--set", "version=2", "--canary", "10", *BRIEFLY, "--set", "rollout.seconds=1")
    assert result.code == 2
    assert "suite canary: critical checks failed: requests: 0, must be at least 10" in result.err.splitlines()[-1]


def test_a_rollback_that_fails_changes_nothing(unharmed, damaged):
    change_manifest(damaged("2", "servable"))
    assert command("rollback", "--to", "2", *command_line.APPROVED).code == 2
    assert command("status").summary["production"] == "1"


@needs_nginx
def test_promotion_canary_and_rollback_lose_no_request(first, callers):
    promoted = command("promote", "--version", "2", *command_line.APPROVED)
    assert "version 1 is still live: make deploy" in promoted.err
    assert "version 2 is in production: make deploy" in command("status").summary["warning"]

    summary = deploy("--canary", "30", *BRIEFLY).summary
    assert (summary["deployed"], summary["model_version"]) == (True, "2")
    assert set(summary["checks"]["canary"]) == {"agreement", "requests", "errors", "latency"}
    assert len(list(itertools.groupby(callers))) > 5  # for a while, both versions answered
    assert live()["bento"]["version"] == "2"

    dry = command("rollback", "--dry-run")
    assert not dry.summary["changed"]
    assert live()["bento"]["version"] == command("status").summary["production"] == "2"

    back = command("rollback").summary
    assert (back["from"], back["to"], back["changed"], back["deployment"]["deployed"]) == ("2", "1", True, True)
    status = command("status").summary
    assert (status["live"]["bento"]["version"], status["production"], status["warning"]) == ("1", "1", None)
    assert callers[-1] == "1"
    assert count_services() == 1


def test_stop(first):
    assert command("stop").summary == {"stopped": True}
    assert count_services() == 0
    assert command("status").summary["live"] is None
    again = command("stop")
    assert again.summary == {"stopped": False}
    assert "no service is live" in again.err
