"""The smoke test against a running Bento."""

import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from sentiment.models import Classifier
from sentiment.models.engines.choice import BF16, INT8, ONNX, VARIABLE, fastest
from sentiment.models.engines.processor import instructions
from serving.rollouts.access import Access
from serving.rollouts.settings import SmokeSettings
from serving.rollouts.smoke import smoke_test
from serving.rollouts.smoke_set import Known

TEXTS = ["a lovely film with a superb ending", "a dull plot and a tedious actor", "the camera", "superb " * 200]
ENGINE = fastest((BF16, INT8, ONNX), instructions())
SETTINGS = SmokeSettings(p95_ms=5000)  # the test machine may be busy


@pytest.fixture(scope="module")
def known(servable):
    return [Known(text, p) for text, p in zip(TEXTS, Classifier.load(servable).predict_proba(TEXTS), strict=True)]


def failed(access, bento, known):
    return {check.name: check for check in smoke_test(access, bento, known, SETTINGS, engine=ENGINE).failures()}


def test_a_good_service_passes_every_check(service, bento, known):
    report = smoke_test(Access(service.http, service.grpc), bento, known, SETTINGS, engine=ENGINE)
    assert not report.failures()
    assert len(report.checks) == 10
    assert {check.count for check in report.checks if check.name.startswith("bad requests")} == {14, 9}


def test_other_scores_and_another_bento_fail_over_both_protocols(service, bento, known):
    access = Access(service.http, service.grpc)
    wrong = [*known[:3], Known(known[3].text, known[3].positive - 0.03)]
    assert set(failed(access, bento, wrong)) == {"scores over HTTP", "scores over gRPC"}
    other = bento.model_copy(update={"version": "8"})
    assert set(failed(access, other, known)) == {"model over HTTP", "model over gRPC"}


def test_a_service_that_is_not_there_fails_with_the_reason(bento, known):
    checks = failed(Access("http://127.0.0.1:9", "127.0.0.1:9"), bento, known)
    assert set(checks) == {"answers over HTTP", "answers over gRPC"}
    assert all("UNAVAILABLE" in check.observed for check in checks.values())


@pytest.mark.slow
@pytest.mark.parametrize("engine", [BF16, INT8, ONNX])
def test_a_service_on_any_engine_gives_the_scores_of_that_engine(serve, servable, bento, known, engine, monkeypatch):
    booted = serve(engine=engine)
    access = Access(booted.http, booted.grpc)
    elsewhere = {check.name: check for check in smoke_test(access, bento, known, SETTINGS, engine="numpy").checks}
    assert all(check.passed for check in elsewhere.values())
    assert elsewhere["scores over gRPC"].observed.startswith(f"{engine} instead of numpy: 100% of 4 labels are equal")
    monkeypatch.setenv(VARIABLE, engine)
    same = [Known(k.text, p) for k, p in zip(known, Classifier.load(servable).predict_proba(TEXTS), strict=True)]
    assert not smoke_test(access, bento, same, SETTINGS, engine=engine).failures()


@pytest.mark.slow
def test_a_guarded_service_must_refuse_strangers(serve, bento, known):
    booted = serve(tokens="secret")
    report = smoke_test(Access(booted.http, booted.grpc, token="secret"), bento, known, SETTINGS, engine=ENGINE)
    assert not report.failures()
    assert {check.count for check in report.checks if check.name.startswith("bad requests")} == {15, 10}
    assert set(failed(Access(booted.http, booted.grpc, token="other"), bento, known)) == {
        "answers over HTTP", "answers over gRPC",
    }  # fmt: skip


class Elsewhere(BaseHTTPRequestHandler):
    """A page, and JSON of another kind."""

    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"<html>" if self.path == "/page/v1/info" else b'{"name": "another"}')

    do_POST = do_GET  # noqa: N815  # the standard library's name

    def log_message(self, *_):
        pass


def test_other_addresses_fail_with_the_reason(bento, known):
    with HTTPServer(("127.0.0.1", 0), Elsewhere) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        at = f"http://127.0.0.1:{server.server_port}"
        for address, words in {
            "http://localhost:abc": "InvalidURL",
            f"{at}/page": "no JSON",
            at: "not an answer of this service: 'model_version'",
        }.items():
            assert words in failed(Access(address, "127.0.0.1:9"), bento, known)["answers over HTTP"].observed
        server.shutdown()
