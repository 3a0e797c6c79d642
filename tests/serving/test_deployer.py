"""The deployer with real Bentos: the live version stays live, whatever happens to the next one."""

import os
import signal
import socket
import subprocess
import sys
from collections import Counter
from pathlib import Path
from uuid import UUID, uuid4

import httpx
import pytest

from bento.client import GrpcClient, HttpClient
from bento.stubs import sentiment_pb2
from sentiment.errors import UserError
from sentiment.monitoring.prediction_log import read_log
from serving.front import Front
from serving.record import lock_deployment, read_live, write_live
from serving.service import SERVICES, STATE, BentoService
from serving.services import Services
from stacks import processes
from tests.helpers.loopback import until
from tests.helpers.programs import needs_nginx
from tests.helpers.traffic import SERVED_BY, TEXTS, load

ROOT = Path(__file__).resolve().parents[2]
REQUEST = sentiment_pb2.PredictRequest(texts=TEXTS).SerializeToString()
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def deployer(deployer_of):
    return deployer_of("deployer")


@pytest.fixture
def live(deployer, bentos):
    """The live deployment."""
    found = deployer.live()
    if found is None or not found.healthy:
        found = deployer.switch(deployer.start(bentos["1"]), run="first")
    assert found.healthy
    return found


@pytest.fixture
def other(live, bentos):
    """The version that is not live."""
    return bentos["2" if live.bento.version == "1" else "1"]


def service_id(live):
    return UUID(live.service)


def running(deployer):
    """Folders of the services that have running processes."""
    found = processes.find_by_variable(STATE, below=deployer.root)
    return {path.parent.name for _, path in found}


def listed():
    from zenml.client import Client

    return {str(service.id) for service in Client().list_services().items}


def predictions(address, count, name="asked-{}"):
    """Responses to this many requests."""
    with httpx.Client(base_url=address, trust_env=False) as client:
        for i in range(count):
            headers = {"X-Request-Id": name.format(i)}
            yield client.post("/v1/predict", json={"texts": TEXTS}, headers=headers).raise_for_status()


def version_at(address):
    return next(predictions(address, 1)).json()["model_version"]


@needs_nginx
def test_deploying_and_rolling_back_under_load_loses_no_request(deployer, live, bentos, other):
    with load(live.http, live.grpc, message=REQUEST, callers=2) as met:
        for bento in (other, live.bento):
            service = deployer.start(bento)
            list(predictions(service.http_address, 1, "asked-in-a-test"))
            deployment = deployer.switch(service, run="next")
            assert (deployment.bento, deployment.run, deployment.front) == (bento, "next", True)
            assert deployment.healthy
            assert running(deployer) == {deployment.service}  # the previous one is gone
            until(lambda name=deployment.service: met.http[name] and met.grpc[name])
    assert met.failures == []
    assert len(met.http) == len(met.grpc) == 3  # the previous, the new, and the previous version again
    assert listed() == {deployment.service}
    with HttpClient(live.http) as http, GrpcClient(live.grpc) as grpc:
        assert http.predict(TEXTS).model_version == grpc.predict(TEXTS).model_version == live.bento.version
    logged = deployer.root / "predictions" / "reviews"
    assert service.prediction_log.resolve() == logged.resolve()
    until(lambda: {r.model_version for r in read_log(logged).records} == {"1", "2"})
    assert "asked-in-a-test" not in {r.request for r in read_log(logged).records}


def test_a_service_that_does_not_start_is_removed(deployer, live, other, tmp_path):
    before, known = live, listed()
    missing = other.model_copy(update={"tag": "sentiment:missing"})
    with pytest.raises(
        UserError, match=r"Bento sentiment:missing: ended while it started: .*Failed to load.*Its log: "
    ):
        deployer.start(missing)
    (tmp_path / "tokens").touch()
    guarded = deployer.config.model_copy(update={"tokens_file": str(tmp_path / "tokens")})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(deployer, "_config", guarded)
        with pytest.raises(UserError, match=r"a worker ended while it started: .*holds no token"):
            deployer.start(other)
    assert deployer.live() == before
    assert running(deployer) == {before.service}
    assert listed() == known
    assert "holds no token" in (deployer.root / "failed.log").read_text()


def test_once_live_a_failure_does_not_revert_it(deployer, live, other, bentos, monkeypatch):
    for bento, error in ((other, OSError("ZenML's server is away")), (live.bento, KeyboardInterrupt())):

        def fails(*_, error=error):
            raise error

        service = deployer.start(bento)
        monkeypatch.setattr(Services, "remove_others", fails)
        if isinstance(error, OSError):
            assert deployer.switch(service, run="next").healthy
        else:
            with pytest.raises(KeyboardInterrupt):
                deployer.switch(service, run="next")
        monkeypatch.undo()
        assert deployer.is_live(service)
        with pytest.raises(UserError, match="is live"):
            deployer.discard(service)
        assert deployer.live().service == str(service.uuid)
    deployer.discard(deployer.start(other))  # the port is free, and the remains are removed
    assert running(deployer) == {str(service.uuid)}


def test_one_deployment_at_a_time(deployer, live, other):
    with (
        lock_deployment(deployer.root, "deploying sentiment:other"),
        pytest.raises(UserError, match=rf"is busy: process {os.getpid()} is deploying sentiment:other, since "),
    ):
        deployer.start(other)
    assert deployer.live() == live


def test_tokens_of_the_environment_do_not_leave_a_service_open(deployer, live, other, monkeypatch):
    monkeypatch.setenv("SENTIMENT_TOKENS", "secret")
    with pytest.raises(UserError, match=r"SENTIMENT_TOKENS: .*tokens_file") as caught:
        deployer.start(other)
    assert "secret" not in str(caught.value)


def test_a_service_does_not_know_the_deployers_secrets(deployer, live, other, monkeypatch):
    foreign = ("AWS_SECRET_ACCESS_KEY", "MLFLOW_TRACKING_PASSWORD", "SENTIMENT_S3_SECRET_KEY", "GH_TOKEN")
    for name in foreign:
        monkeypatch.setenv(name, "hunter2")
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.setenv("OTEL_SERVICE_NAME", "reviews")
    service = deployer.start(other)
    try:
        for process in (service.process(), *service.process().children(recursive=True)):
            known = process.environ()
            assert "hunter2" not in known.values()
            assert known["OMP_NUM_THREADS"] == "1"
            assert known["OTEL_SERVICE_NAME"] == "reviews"
            assert known["BENTOML_HOME"] == os.environ["BENTOML_HOME"]
    finally:
        deployer.discard(service)


@needs_nginx
def test_shadow_then_canary_then_discarded(deployer, live, other):
    service = deployer.start(other)
    former = BentoService.read(deployer.root, service_id(live))

    deployer.shadow(service)
    assert {answer.headers[SERVED_BY] for answer in predictions(live.http, 10, "copied-{}")} == {live.service}
    wanted = {f"copied-{i}" for i in range(10)}
    for one in (service, former):
        until(lambda one=one: {r.request for r in read_log(one.prediction_log).records} >= wanted)
    assert {r.model_version for r in read_log(service.prediction_log).records} == {other.version}

    deployer.canary(service, 40)
    versions = Counter(answer.json()["model_version"] for answer in predictions(live.http, 300))
    assert 75 < versions[other.version] < 165  # 300 draws: the standard deviation is 8.5
    with GrpcClient(live.grpc) as client:
        versions = Counter(client.predict(TEXTS).model_version for _ in range(300))
    assert 75 < versions[other.version] < 165
    assert deployer.live() == live

    os.kill(service.process().pid, signal.SIGKILL)  # its worker keeps serving: kill that, too
    processes.kill(found for found, _ in processes.find_by_variable(STATE, below=service.folder))
    assert len(list(predictions(live.http, 20))) == 20
    deployer.discard(service)
    assert {answer.headers[SERVED_BY] for answer in predictions(live.http, 20)} == {live.service}
    assert running(deployer) == {live.service}
    assert not service.folder.exists()


def test_a_killed_service_is_seen_and_replaced(deployer, live, other):
    service = BentoService.read(deployer.root, service_id(live))
    os.kill(service.process().pid, signal.SIGKILL)
    until(lambda: not deployer.live().healthy)
    deployment = deployer.switch(deployer.start(other), run="after")
    assert deployment.healthy
    assert running(deployer) == {deployment.service}  # no worker of the killed service


@needs_nginx
def test_a_killed_front_is_seen_and_started_again(deployer, live):
    os.kill(Front(deployer.root / "front", deployer.config).master().pid, signal.SIGKILL)
    until(lambda: not deployer.live().healthy)
    deployer.start_model_server(service_id(live))
    assert deployer.live() == live


DEPLOY_AND_DIE = """
import os, signal, sys
from sentiment.deployment import Bento
from serving.deployer import BentoDeployer
from zenml.client import Client

move = BentoDeployer._move
BentoDeployer._move = lambda *arguments: (move(*arguments), os.kill(os.getpid(), signal.SIGKILL))
deployer = Client().active_stack.model_deployer
deployer.switch(deployer.start(Bento.model_validate_json(sys.argv[1])), run="killed")
"""


@needs_nginx
def test_a_deployer_killed_when_the_traffic_has_moved(deployer, live, other):
    with load(live.http, live.grpc, message=REQUEST, callers=1) as met:
        command = [sys.executable, "-c", DEPLOY_AND_DIE, other.model_dump_json()]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode == -signal.SIGKILL, done.stderr
        assert len(running(deployer)) == 2
        now = deployer.live()
        assert (now.bento, now.run, now.healthy) == (other, "killed", True)
        cleared_up(deployer, now)
    assert met.failures == []


@needs_nginx
def test_the_remedy_of_a_damaged_record_costs_no_request(deployer, live, other):
    (deployer.root / "live.json").write_text("{")
    with pytest.raises(UserError, match=r"live\.json: is damaged\. Remove it, and deploy again\."):
        deployer.start(other)
    with load(live.http, live.grpc, message=REQUEST, callers=1) as met:
        (deployer.root / "live.json").unlink()
        deployment = deployer.switch(deployer.start(other), run="mended")
        until(lambda: met.http[deployment.service] and met.grpc[deployment.service])
    assert (deployment.bento, deployment.healthy) == (other, True)
    assert met.failures == []
    assert set(met.http) == {live.service, deployment.service}
    assert running(deployer) == listed() == {deployment.service}


@needs_nginx
def test_a_deployer_killed_before_the_traffic_moves(deployer, live, other):
    left = uuid4()
    state = deployer.root / SERVICES / str(left) / "state"
    state.mkdir(parents=True)
    worker = subprocess.Popen(["sleep", "60"], env={STATE: str(state)})
    write_live(deployer.root, live.model_copy(update={"bento": other, "service": str(left)}), live)
    assert len(running(deployer)) == 2
    assert deployer.live() == live
    cleared_up(deployer, live)
    worker.wait(timeout=5)


def cleared_up(deployer, live):
    """By the next deployment, even one that fails."""
    with pytest.raises(UserError, match="missing"):
        deployer.start(live.bento.model_copy(update={"tag": "sentiment:missing"}))
    assert deployer.live() == live
    assert running(deployer) == listed() == {live.service}
    assert read_live(deployer.root).former is None


def test_zenmls_command_line(deployer, live):
    zenml = Path(sys.executable).with_name("zenml")
    shown = subprocess.check_output(
        [zenml, "model-deployer", "models", "list"], cwd=ROOT, text=True, stderr=subprocess.STDOUT, timeout=120
    )
    row = next(line for line in shown.splitlines() if live.service in line)
    assert "sentiment_bento" in row
    assert "reviews" in row
    assert "✅" in row
    assert f"{live.http}/v1/predict" in command("get-url", live.service)
    assert live.bento.tag in command("describe", live.service)
    assert "Completed" in command("logs", live.service)

    command("stop", live.service)
    assert not deployer.live().healthy
    command("start", live.service)
    assert deployer.live() == live
    command("delete", live.service)
    assert deployer.live() is None
    assert running(deployer) == listed() == set()
    assert not deployer.stop()


def command(*arguments):
    """ZenML's command line, in this process."""
    from click.testing import CliRunner
    from zenml.cli.cli import cli

    result = CliRunner().invoke(cli, ["model-deployer", "models", *arguments])
    assert result.exit_code == 0, result.output
    return result.output.replace("\n", "")


def test_without_a_front_a_switch_goes_back_if_it_fails(deployer_of, bentos, monkeypatch):
    deployer = deployer_of("frontless", front="none")
    first = deployer.switch(deployer.start(bentos["1"]), run="first")
    assert (first.front, first.healthy) == (False, True)
    assert version_at(first.http) == "1"
    second = deployer.start(bentos["2"])
    assert version_at(first.http) == "1"
    with pytest.raises(UserError, match="no live service behind nginx"):
        deployer.canary(second, 10)

    launch = BentoService.launch

    def fails(service):
        if service.bento.version == "2":
            raise UserError("the disk is full")
        launch(service)

    with monkeypatch.context() as patch:
        patch.setattr(BentoService, "launch", fails)
        with pytest.raises(UserError, match="the disk is full"):
            deployer.switch(second, run="second")
    deployer.discard(second)
    assert deployer.live() == first
    assert version_at(first.http) == "1"
    (deployer.root / "live.json").write_text("{")
    with pytest.raises(UserError, match="Remove it, and deploy again"):
        deployer.start(bentos["2"])
    (deployer.root / "live.json").unlink()
    assert deployer.switch(deployer.start(bentos["2"]), run="mended").healthy
    assert version_at(first.http) == "2"
    assert deployer.stop()
    assert deployer.live() is None
    assert running(deployer) == set()
    assert not deployer.stop()


def test_a_port_that_is_taken_is_named_at_once(deployer_of, bentos):
    deployer = deployer_of("taken")
    with socket.socket() as somebody:
        somebody.bind(("127.0.0.1", deployer.config.http_port))
        somebody.listen()
        with pytest.raises(UserError, match=f"live address: port {deployer.config.http_port} is in use"):
            deployer.start(bentos["1"])


def test_a_damaged_record_is_reported(deployer_of):
    deployer = deployer_of("damaged")
    write_live(deployer.root, None)
    deployer.root.mkdir(parents=True)
    (deployer.root / "live.json").write_text("{")
    with pytest.raises(UserError, match=r"live\.json: is damaged"):
        deployer.live()
    (deployer.root / "live.json").unlink()


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"http_port": 70_000}, "http_port"),
        ({"htp_port": 3000}, "htp_port"),
        ({"front": "apache"}, "front"),
        ({"host": "localhost"}, "host"),
        ({"tls_key": "key.pem"}, "tls_certificate and tls_key go together"),
    ],
)
def test_a_wrong_setting_is_one_line(deployer_of, settings, words):
    with pytest.raises(UserError) as caught:
        deployer_of("wrong", **settings)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)
