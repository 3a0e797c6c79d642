"""``stack check`` against the real servers, with every failure that it reports."""

import json
import socket
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from cli import app
from sentiment.errors import UserError
from serving.flavor import BentoDeployerConfig
from serving.front import Front
from serving.nginx import Route
from stacks.check import check, require
from stacks.stack_file import KINDS, ROOT, read_stack
from tests.helpers import sagemaker
from tests.helpers.certificates import certificate
from tests.helpers.loopback import free_ports
from tests.helpers.programs import needs_nginx
from tests.helpers.stand_in import stand_ins

CLOUD = (ROOT / "configs" / "stacks" / "cloud.yaml").read_text()
LOCAL = "components: {orchestrator: {flavor: local}, artifact_store: {flavor: local%s}%s}\n"
REMOTE = """
secrets: {s3: {aws_access_key_id: "${KEY}", aws_secret_access_key: "${KEY}"}, mlflow: {user: "${KEY}", word: "${KEY}"}}
components:
  orchestrator: {flavor: local}
  artifact_store:
    flavor: s3
    configuration:
      path: s3://bucket/zenml
      authentication_secret: s3
      client_kwargs: {endpoint_url: "%(url)s", region_name: us-east-1}
      config_kwargs: {connect_timeout: 60, read_timeout: 60, retries: {mode: standard, max_attempts: 10}}
  experiment_tracker:
    flavor: mlflow
    configuration: {tracking_uri: "%(url)s", tracking_username: "{{mlflow.user}}", tracking_password: "{{mlflow.word}}"}
server: {url: "%(url)s", api_key: "${KEY}"}
"""


@pytest.fixture
def proofs_of(tmp_path, monkeypatch):
    """The results of the check of a stack file, by component."""
    monkeypatch.setenv("KEY", "hunter2")

    def proofs_of(text, only=None, **limit):
        (tmp_path / "it.yaml").write_text(text)
        others = {"ZenML server", "requirements", *KINDS} - {only} if only else ()
        return {proof.component: proof for proof in check(read_stack("it", tmp_path), without=tuple(others), **limit)}

    return proofs_of


@contextmanager
def answering(status, body=b"", seconds=0.0):
    """A server that gives every request the same answer."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"  # sends 100 Continue, otherwise S3's clients wait a second for it

        def answer(self):
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            time.sleep(seconds)
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = do_PUT = do_DELETE = answer  # noqa: N815  # the standard library's names

        def log_message(self, *args):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def s3_error(code):
    return f"<Error><Code>{code}</Code><Message>hidden</Message></Error>".encode()


def test_a_local_stack_is_proven(proofs_of, tmp_path):
    proofs = proofs_of(LOCAL % (f", configuration: {{path: '{tmp_path}'}}", ", experiment_tracker: {flavor: mlflow}"))
    assert {name: proof.passed for name, proof in proofs.items()} == {
        "orchestrator": True, "artifact_store": True, "experiment_tracker": True,
    }  # fmt: skip
    assert "written, read and deleted" in proofs["artifact_store"].words
    assert sorted(path.name for path in tmp_path.iterdir()) == ["it.yaml"]


def test_a_folder_that_cannot_be_written(proofs_of, tmp_path):
    (tmp_path / "file").touch()
    proof = proofs_of(LOCAL % (f", configuration: {{path: '{tmp_path}/file/below'}}", ""))["artifact_store"]
    assert (proof.passed, proof.words) == (False, f"{tmp_path}/file/below: Not a directory")


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ((404, s3_error("NoSuchBucket")), "there is no bucket bucket at {url}. Create it"),
        ((403, s3_error("InvalidAccessKeyId")), "{url} refuses the key (InvalidAccessKeyId). Fix"),
        ((403, s3_error("SignatureDoesNotMatch")), "{url} refuses the key (SignatureDoesNotMatch). Fix"),
        ((403, s3_error("AccessDenied")), "{url} refuses access to the bucket bucket (AccessDenied). Fix"),
        ((400, s3_error("ExpiredToken")), "{url} answers that the key has expired. Get another one"),
        ((400, s3_error("AuthorizationHeaderMalformed")), "the bucket bucket is in another region"),
        ((403, s3_error("RequestTimeTooSkewed")), "the clock of this machine is not that of {url}"),
        ((503, s3_error("SlowDown")), "{url} is overloaded (503 SlowDown). Try again later"),
        ((500, s3_error("InternalError")), "{url} is failing (500 InternalError). Check its log"),
        ((502, b""), "{url} is failing (502"),
        ((200, b""), "s3://bucket does not return the bytes that were written"),
    ],
)
def test_each_answer_of_s3_is_one_clear_line(answer, words, proofs_of):
    with answering(*answer) as url:
        proof = proofs_of(REMOTE % {"url": url}, "artifact_store")["artifact_store"]
    assert proof.passed is False
    assert words.format(url=url) in f"{proof.words}. {proof.remedy}"


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ((401, b""), "MLflow at {url} does not know this user and password. Fix"),
        ((403, b""), "MLflow at {url} accepts our credentials, but denies this. Give the user the permission"),
        ((200, b"2.9.1"), "MLflow at {url} is version 2.9.1, this machine has 3."),
        ((200, b"<html>"), "{url} is no MLflow server. Is it running?"),
        ((404, b"no"), "{url} is no MLflow server"),
        ((500, b""), "MLflow at {url} fails: it answers 500. Check its log"),
    ],
)
def test_each_answer_of_mlflow_is_one_clear_line(answer, words, proofs_of):
    with answering(*answer) as url:
        proof = proofs_of(REMOTE % {"url": url}, "experiment_tracker")["experiment_tracker"]
    assert proof.passed is False
    assert words.format(url=url) in f"{proof.words}. {proof.remedy}"


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ((200, b"{}"), "{url} is no ZenML server. Is it running?"),
        ((404, b""), "{url} is no ZenML server"),
        ((200, b'{"version": "0.70.0"}'), "ZenML at {url} is version 0.70.0, this machine has 0."),
        ((503, b""), "ZenML at {url} fails: it answers 503"),
    ],
)
def test_each_answer_of_zenml_is_one_clear_line(answer, words, proofs_of):
    with answering(*answer) as url:
        proof = proofs_of(REMOTE % {"url": url}, "ZenML server")["ZenML server"]
    assert proof.passed is False
    assert words.format(url=url) in f"{proof.words}. {proof.remedy}"


@pytest.mark.slow  # it waits for a silent server
def test_an_unreachable_and_a_silent_server(proofs_of):
    url = f"http://127.0.0.1:{free_ports(1)[0]}"
    for proof in (proofs := proofs_of(REMOTE % {"url": url})).values():
        if proof.component != "orchestrator":
            assert proof.passed is False
            assert url in proof.words
            assert "cannot be reached" in proof.words
            assert "make cloud-up" in proof.remedy
    assert "hunter2" not in repr(proofs)

    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        started = time.monotonic()
        proofs = proofs_of(REMOTE % {"url": url})
        assert time.monotonic() - started < 30  # the stack file says 60
    for name in ("artifact_store", "experiment_tracker", "ZenML server"):
        assert proofs[name].passed is False
        assert "answer within" in proofs[name].words


def test_a_server_that_drips_is_not_waited_for(proofs_of):
    with answering(200, b"3.1", seconds=60) as url:
        started = time.monotonic()
        proofs = proofs_of(REMOTE % {"url": url}, limit=1.0)
        assert time.monotonic() - started < 30
    assert proofs["orchestrator"].passed
    assert not proofs["artifact_store"].passed


def test_missing_requirements_are_named(proofs_of):
    def proof(requirements):
        return proofs_of(f"requirements: {requirements}\n" + LOCAL % ("", ""))["requirements"]

    assert proof("{packages: [mlflow>=3, pydantic], programs: [sh]}").passed
    for requirements, words in {
        "{packages: [mlflow<3]}": "mlflow is 3.",
        "{packages: [no-such-package]}": "the package no-such-package is missing",
        "{packages: ['==3']}": "'==3' names no package",
        "{programs: [no-such-program]}": "the program no-such-program is not on the PATH",
    }.items():
        assert proof(requirements).passed is False
        assert proof(requirements).words.startswith(words)
        assert proof(requirements).remedy


def test_ports_of_the_deployer(proofs_of, monkeypatch):
    def proof(ports, front="auto"):
        settings = f"{{http_port: {ports[0]}, grpc_port: {ports[1]}, front: {front}}}"
        more = f", model_deployer: {{flavor: sentiment_bento, configuration: {settings}}}"
        return proofs_of(LOCAL % ("", more))["model_deployer"]

    ports = free_ports(2)
    assert proof(ports).passed
    assert proof(ports).words.endswith(f"ports {ports[0]} and {ports[1]} are free")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", ports[1]))
        taken.listen()
        assert proof(ports).words == f"port {ports[1]} is used, and not by this project's service"
    monkeypatch.setattr("stacks.probes.machine.find_program", lambda name: None)
    assert proof(ports).words.startswith("without nginx: a switch takes seconds")
    assert (proof(ports, "nginx").passed, proof(ports, "nginx").words) == (False, "nginx is not installed")


@pytest.fixture
def deployer_proof(proofs_of):
    """The check of the deployer with these settings."""

    def deployer_proof(**settings):
        written = json.dumps({"flavor": "sentiment_bento", "configuration": settings})
        return proofs_of(LOCAL % ("", f", model_deployer: {written}"))["model_deployer"]

    return deployer_proof


def test_files_of_the_deployer(deployer_proof, tmp_path, monkeypatch):
    public, private = certificate(tmp_path, "localhost", trusted=True)
    there = {"tokens_file": str(private), "tls_certificate": str(public), "tls_key": str(private)}
    assert deployer_proof(**there).passed
    for name in there:
        proof = deployer_proof(**{**there, name: "/nonexistent/it"})
        assert (proof.passed, proof.words) == (False, f"{name} /nonexistent/it: there is no such file")
        assert proof.remedy == "Fix the stack file."
    monkeypatch.setattr("os.access", lambda *_: False)  # root may read everything
    assert deployer_proof(**there).words.endswith(": is not readable")


@needs_nginx
@pytest.mark.slow
def test_a_listener_with_tls_is_queried(deployer_proof, tmp_path):
    public, private = certificate(tmp_path, "localhost", trusted=True)
    http, grpc = free_ports(2)
    settings = {"http_port": http, "grpc_port": grpc, "tls_certificate": str(public), "tls_key": str(private)}
    with socket.socket() as stranger:
        stranger.bind(("127.0.0.1", http))
        stranger.listen()
        proof = deployer_proof(**settings)
        assert (proof.passed, proof.words) == (False, f"port {http} is used, and not by this project's service")
    front = Front(tmp_path / "front", BentoDeployerConfig(**settings))
    with stand_ins(1) as (service,):
        front.apply(Route(service.backend))
        try:
            assert deployer_proof(**settings).words.endswith(f"live at https://127.0.0.1:{http}")
        finally:
            front.stop()


def test_a_component_that_cannot_be_proven_is_reported(proofs_of):
    proofs = proofs_of(
        "components: {orchestrator: {flavor: sagemaker}, artifact_store: {flavor: gcp},"
        " container_registry: {flavor: aws}}"
    )
    assert {proof.passed for proof in proofs.values()} == {None}
    assert proofs["orchestrator"].words == "not proven: sagemaker: needs a run there"
    assert proofs["container_registry"].words.startswith("not proven: needs a login and an image")


@pytest.mark.parametrize(
    ("change", "passed", "words"),
    [
        ({}, True, "ECR repository, endpoint sentiment and instance type in eu-central-1"),
        (
            {"repository": f"{sagemaker.REPOSITORY}-typo"},
            False,
            "model deployer, repository: there is no ECR repository sentiment-typo in eu-central-1",
        ),
        ({"region": "Frankfurt"}, False, "region: String should match pattern"),
    ],
)
def test_the_endpoint_of_a_stack_is_proven_by_the_deployers_own_checks(change, passed, words, proofs_of):
    settings = {"region": sagemaker.REGION, "role": sagemaker.ROLE, "repository": sagemaker.REPOSITORY} | change
    deployer = json.dumps({"flavor": "sentiment_sagemaker", "configuration": settings})
    with sagemaker.account():
        proof = proofs_of(LOCAL % ("", f", model_deployer: {deployer}"), only="model_deployer", limit=60)
    assert proof["model_deployer"].passed is passed
    assert proof["model_deployer"].words.startswith(words)


def test_secrets_that_only_zenml_knows_leave_it_unproven(proofs_of):
    text = LOCAL.replace("local%s", "s3, configuration: {path: 's3://b', authentication_secret: elsewhere}")
    proof = proofs_of(text % "")["artifact_store"]
    assert proof.passed is None
    assert "the secret elsewhere is kept by ZenML" in proof.words


def test_a_cluster_that_is_not_there(proofs_of, monkeypatch, tmp_path):
    text = (LOCAL % ("", "")).replace(
        "orchestrator: {flavor: local}", "orchestrator: {flavor: kubernetes, configuration: {kubernetes_context: mine}}"
    )
    monkeypatch.setenv("PATH", str(tmp_path))
    assert proofs_of(text)["orchestrator"].words == "kubectl is not installed"
    (tmp_path / "kubectl").write_text('#!/bin/sh\necho "error: context \\"mine\\" does not exist" >&2\nexit 1\n')
    (tmp_path / "kubectl").chmod(0o755)
    words = 'the cluster cannot be reached: error: context "mine" does not exist'
    assert proofs_of(text)["orchestrator"].words == words
    (tmp_path / "kubectl").write_text("#!/bin/sh\necho ok\n")
    assert proofs_of(text)["orchestrator"].words.startswith("the cluster answers (context mine)")


def test_a_run_starts_only_if_everything_elsewhere_is_there(tmp_path, monkeypatch):
    monkeypatch.setenv("KEY", "hunter2")
    url = f"http://127.0.0.1:{free_ports(1)[0]}"
    (tmp_path / "it.yaml").write_text(REMOTE % {"url": url})
    with pytest.raises(UserError) as caught:
        require(read_stack("it", tmp_path))
    assert str(caught.value).startswith(f"stack it, ZenML server: ZenML at {url} cannot be reached")
    assert "(2 more: python run.py stack check it)" in str(caught.value)


@pytest.mark.slow
def test_the_real_servers(cloud, tmp_path, monkeypatch):
    def proofs(**changed):
        for name, value in {**cloud.environment, **changed}.items():
            monkeypatch.setenv(name, value)
        (tmp_path / "real.yaml").write_text(CLOUD.replace("3100", "3190").replace("3101", "3191"))
        return {proof.component: proof for proof in check(read_stack("real", tmp_path))}

    right = proofs()
    assert {name for name, proof in right.items() if proof.passed is not True} == set(), right
    assert "s3://sentiment: an object was written, read and deleted" in right["artifact_store"].words
    assert "accepts our credentials; experiments and registry were searched" in right["experiment_tracker"].words
    assert "the API key is valid" in right["ZenML server"].words
    left = cloud.bucket().list_objects_v2(Bucket="sentiment", Prefix="zenml/.sentiment-check").get("Contents", [])
    assert left == []

    wrong = proofs(
        SENTIMENT_S3_SECRET_KEY="guessed", SENTIMENT_MLFLOW_PASSWORD="guessed", SENTIMENT_ZENML_API_KEY="guessed"
    )
    assert "refuses the key (SignatureDoesNotMatch)" in wrong["artifact_store"].words
    assert "does not know this user and password" in wrong["experiment_tracker"].words
    assert "refuses the API key" in wrong["ZenML server"].words
    assert "there is no bucket nowhere" in proofs(SENTIMENT_S3_BUCKET="nowhere")["artifact_store"].words
    shown = repr([right, wrong])
    assert not [v for name, v in cloud.environment.items() if v in shown and name.endswith(("KEY", "PASSWORD"))]


def test_the_command(capsys, monkeypatch):
    monkeypatch.chdir(ROOT)
    assert app.main(["stack", "check", "local", "--json"]) in (app.OK, app.FAILED)  # port 3000 may be in use
    summary = json.loads(capsys.readouterr().out)
    proofs = {proof["component"]: proof for proof in summary["proofs"]}
    assert proofs["artifact_store"]["passed"]
    assert summary["passed"] == all(proof["passed"] for proof in proofs.values())
