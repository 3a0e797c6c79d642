"""Tokens, TLS, limits of size, time and number, on the running service."""

import asyncio
import contextlib
import json
import select
import socket
from collections import Counter

import grpc
import httpx
import pytest
from pydantic import ValidationError

from bento.client import GrpcClient, HttpClient, ServiceError
from bento.guard import MAX_BYTES_IN_FLIGHT
from bento.predictor import MAX_BODY_BYTES
from bento.settings import ServiceSettings
from bento.stubs import sentiment_pb2 as pb
from sentiment.errors import UserError
from sentiment.monitoring.prediction_log import read_log
from serving.rollouts.access import Access
from tests.helpers.certificates import certificate
from tests.helpers.loopback import until

pytestmark = pytest.mark.slow
TEXTS = ["a lovely film with a superb ending", "a dull plot and a tedious actor"]
MIB = 1 << 20


def raw(port):
    return socket.create_connection(("127.0.0.1", port), timeout=20)


def test_only_bearers_of_a_token_are_answered(serve, tmp_path):
    file = tmp_path / "tokens"
    file.write_text("from-a-file\n")
    booted = serve(tokens="first,second", tokens_file=file, log=tmp_path / "log")
    for token in ("first", "second", "from-a-file"):
        with HttpClient(booted.http, token=token) as http, GrpcClient(booted.grpc, token=token) as client:
            assert http.predict(TEXTS).predictions[0].score == client.predict(TEXTS).predictions[0].score
            assert http.info() == client.info()
            http.feedback("0" * 32, "negative")
            client.feedback("0" * 32, "negative")
    log = tmp_path / "log"
    until(lambda: len(read_log(log).feedback) == 6)
    clients = Counter(entry.client for entry in read_log(log).feedback)  # told apart without showing their tokens
    assert sorted(clients.values()) == [2, 2, 2]
    assert not {"first", "second", "from-a-file", None} & set(clients)
    for token in (None, "", "third", "first,second", "firs"):
        for client in (HttpClient(booted.http, token=token), GrpcClient(booted.grpc, token=token)):
            with client, pytest.raises(ServiceError) as caught:
                client.predict(TEXTS)
            assert caught.value.code == "UNAUTHENTICATED"
    answer = httpx.post(f"{booted.http}/v1/predict", content=b"not even read", headers={"Authorization": "Basic first"})
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")
    for path in ("/livez", "/readyz", "/ping", "/metrics"):  # probes have no token
        assert httpx.get(booted.http + path).status_code == 200
    assert "first" not in booted.output


def test_pages_of_the_allowed_origins_may_call(serve):
    booted = serve(origins="https://shop.example, http://localhost:8080", tokens="secret")
    ask = {"access-control-request-method": "POST", "access-control-request-headers": "authorization,content-type"}
    url, body = f"{booted.http}/v1/predict", {"texts": TEXTS}
    for origin in ("https://shop.example", "http://localhost:8080"):
        allowed = httpx.options(url, headers={"origin": origin, **ask})
        assert (allowed.status_code, allowed.headers["access-control-allow-origin"]) == (200, origin)
        assert {"authorization", "content-type"} <= set(allowed.headers["access-control-allow-headers"].split(", "))
        for token, status in (("secret", 200), ("wrong", 401)):  # browsers read errors only with these headers
            answer = httpx.post(url, json=body, headers={"origin": origin, "authorization": f"Bearer {token}"})
            assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (status, origin)
    stranger = {"origin": "https://evil.example"}
    assert httpx.options(url, headers={**stranger, **ask}).status_code == 400
    answer = httpx.post(url, json=body, headers={**stranger, "authorization": "Bearer secret"})
    assert (answer.status_code, "access-control-allow-origin" in answer.headers) == (200, False)


@pytest.mark.parametrize("origins", ["shop.example", "https://shop.example/", "https://*.example", "null"])
def test_a_wrong_origin_is_refused(origins):
    with pytest.raises(ValidationError, match="is no origin such as"):
        ServiceSettings(origins=origins)


def test_an_empty_token_file_does_not_open_the_service(serve, tmp_path):
    (tmp_path / "tokens").write_text("\n")
    booted = serve(tokens_file=tmp_path / "tokens", wait=False)
    until(lambda: "SENTIMENT_TOKENS_FILE: holds no token" in booted.output)
    with HttpClient(booted.http) as client:
        assert not client.ready()
    with pytest.raises(UserError, match="SENTIMENT_TOKENS: holds no token"):  # two variables are not set
        ServiceSettings(tokens=",").accepted_tokens()


@pytest.mark.parametrize("name", ["tls_certificate", "tls_key"])
def test_half_of_tls_does_not_open_the_service(serve, tmp_path, name):
    pair = "SENTIMENT_TLS_CERTIFICATE, SENTIMENT_TLS_KEY: one is set without the other"
    with pytest.raises(UserError, match=pair):
        ServiceSettings(**{name: tmp_path / "half.pem"})
    assert ServiceSettings(tls_certificate=tmp_path, tls_key=tmp_path).tls_key == tmp_path
    booted = serve(**{name: tmp_path / "half.pem"}, wait=False)
    until(lambda: pair in booted.output)
    with GrpcClient(booted.grpc, retries=0) as client:
        assert not client.ready()


def test_tls_on_both_protocols(serve, tmp_path):
    pem, key = certificate(tmp_path, "api.example.com", trusted=False)  # signed by an unknown authority
    name, at = "api.example.com", "127.0.0.1"
    arguments = ("--ssl-certfile", str(pem), "--ssl-keyfile", str(key))
    booted = serve(tls_certificate=pem, tls_key=key, arguments=arguments, wait=False)
    with (
        HttpClient(f"https://{at}:{booted.http_port}", ca=pem, name=name, timeout=60, retries=0) as http,
        GrpcClient(booted.grpc, ca=pem, name=name, timeout=60, retries=0) as client,
    ):
        until(http.ready)
        assert http.predict(TEXTS).predictions[0].score == client.predict(TEXTS).predictions[0].score
    own = Access(f"https://{at}:{booted.http_port}", booted.grpc, certificate=pem, proxied=False)
    with own.raw_http() as pages, own.http_client() as http, own.grpc_client() as client:
        assert pages.get("/metrics").status_code == 200
        assert http.ready()
        assert client.ready()
    for address, expected in (
        (f"https://{at}:{booted.http_port}", None),
        (f"https://localhost:{booted.http_port}", "x"),
    ):
        with HttpClient(address, ca=pem, name=expected, retries=0) as stranger:
            assert not stranger.ready()
    with GrpcClient(booted.grpc, timeout=3, retries=0) as plain, pytest.raises(ServiceError) as caught:
        plain.predict(TEXTS)
    assert caught.value.code in ("UNAVAILABLE", "DEADLINE_EXCEEDED")


def test_a_body_over_the_limit_is_not_read(service):
    with raw(service.http_port) as connection:
        connection.sendall(b"POST /v1/predict HTTP/1.1\r\nHost: x\r\nContent-Length: 2000000\r\n\r\n")
        answer = b"".join(iter(lambda: connection.recv(4096), b""))  # it answers and closes without reading the body
    assert answer.startswith(b"HTTP/1.1 413")
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["error"]["code"] == "RESOURCE_EXHAUSTED"


def test_a_body_over_the_limit_is_refused_in_chunks_too(service):
    def chunks():
        for _ in range(40):
            yield b"a" * 50_000

    with contextlib.suppress(httpx.WriteError):  # it may close the connection while we are sending
        assert httpx.post(f"{service.http}/v1/predict", content=chunks(), timeout=10).status_code == 413
    assert httpx.get(f"{service.http}/readyz").status_code == 200


def test_the_bodies_that_are_being_read_share_a_bound(serve):
    booted = serve()
    head = b"POST /v1/predict HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % MAX_BODY_BYTES
    unfinished = [raw(booted.http_port) for _ in range(MAX_BYTES_IN_FLIGHT // MAX_BODY_BYTES + 1)]
    try:
        for connection in unfinished:
            connection.sendall(head + bytes(MAX_BODY_BYTES - 1))
        refused, _, _ = select.select(unfinished, [], [], 20)
        answer = refused[0].recv(4096)
        assert answer.startswith(b"HTTP/1.1 503")
        assert b"retry-after: 1" in answer
    finally:
        for connection in unfinished:
            connection.close()
    with HttpClient(booted.http, retries=5) as http:  # the disconnected client no longer takes a place
        assert http.predict(TEXTS).model_version == "7"


def test_a_slow_body_is_not_waited_for(serve):
    booted = serve(timeout=1)
    with raw(booted.http_port) as connection:
        connection.sendall(b"POST /v1/predict HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")
        answer = connection.recv(4096)
    assert answer.startswith(b"HTTP/1.1 408")


def test_idle_and_trickling_connections_do_not_keep_others_out(service):
    idle = [raw(service.http_port) for _ in range(1000)]
    try:
        for connection in idle[:200]:
            connection.sendall(b"POST /v1/predict HTTP/1.1\r\nHost: x\r\nContent-Le")
        with HttpClient(service.http) as http, GrpcClient(service.grpc) as client:
            assert http.predict(TEXTS).predictions[0].score == client.predict(TEXTS).predictions[0].score
    finally:
        for connection in idle:
            connection.close()


def test_a_websocket_is_refused(service):
    upgrade = (
        b"GET /v1/predict HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    )
    with raw(service.http_port) as connection:
        connection.sendall(upgrade)
        assert connection.recv(4096).startswith(b"HTTP/1.1 403")


def test_a_client_that_disconnects_leaves_no_request_behind(serve):
    service = serve()
    body = json.dumps({"texts": [" ".join(["plot"] * 2000)] * 64}).encode()
    for sent in (10, len(body) // 2, len(body)):
        with raw(service.http_port) as connection:
            head = f"POST /v1/predict HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n"
            connection.sendall(head.encode() + body[:sent])
    with HttpClient(service.http) as http:
        assert http.predict(TEXTS).model_version == "7"
    service.stop()
    assert "Traceback" not in service.output
    assert "graceful shutdown exceeded" not in service.output  # no request hangs


def test_a_full_queue_answers_with_retry_after(serve):
    booted = serve(max_queue=64, max_requests=4, timeout=30)
    texts = [" ".join(["plot"] * 3000)] * 64

    async def flood():
        async with httpx.AsyncClient(base_url=booted.http, timeout=60) as client:
            return await asyncio.gather(*(client.post("/v1/predict", json={"texts": texts}) for _ in range(30)))

    answers = asyncio.run(flood())
    assert {a.status_code for a in answers} == {200, 503}
    refused = next(a for a in answers if a.status_code == 503)
    assert refused.headers["retry-after"] == "1"
    assert refused.json()["error"]["code"] == "UNAVAILABLE"

    with grpc.insecure_channel(booted.grpc) as channel:
        call = channel.unary_unary("/sentiment.v1.Sentiment/Predict")
        data = pb.PredictRequest(texts=texts).SerializeToString()
        outcomes = [call.future(data, timeout=60) for _ in range(30)]
        errors = [o.exception() for o in outcomes]
    codes = {e.code().name for e in errors if e}
    assert codes == {"UNAVAILABLE"}
    assert dict(next(e for e in errors if e).trailing_metadata())["retry-after"] == "1"
    assert None in errors


def test_a_slow_request_times_out(serve):
    booted = serve(timeout=0.05)
    texts = [" ".join(["plot"] * 3000)] * 64
    answer = httpx.post(f"{booted.http}/v1/predict", json={"texts": texts}, timeout=20)
    assert (answer.status_code, answer.json()["error"]["code"]) == (504, "DEADLINE_EXCEEDED")
    with GrpcClient(booted.grpc, timeout=20) as client, pytest.raises(ServiceError) as caught:
        client.predict(texts)
    assert caught.value.code == "DEADLINE_EXCEEDED"
    until(lambda: httpx.post(f"{booted.http}/v1/predict", json={"texts": TEXTS[:1]}).status_code == 200)
