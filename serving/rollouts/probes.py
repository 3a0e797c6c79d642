"""The requests of the smoke test over each protocol: predictions with their time, and bad requests to be refused."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from bento.predictor import MAX_CHARACTERS, MAX_TEXTS
from sentiment.reviews.table import LABELS
from serving.rollouts.access import TIMEOUT_S, Access

if TYPE_CHECKING:
    import httpx
    from grpc import Channel, UnaryUnaryMultiCallable

    from bento.client import GrpcClient, HttpClient

Case = tuple[str, str, str]  # case, expected result, actual result

WARM_UP_REQUESTS = 3  # untimed: the first ones allocate buffers that later ones reuse
HEALTH = ("/livez", "/readyz", "/healthz", "/ping")
TEXT = "A film with a beginning and an end."
# Bad requests over both protocols, and their gRPC status
BAD_TEXTS: dict[str, tuple[list[str], str]] = {
    "no text": ([], "INVALID_ARGUMENT"),
    f"{MAX_TEXTS + 1} texts": ([TEXT] * (MAX_TEXTS + 1), "INVALID_ARGUMENT"),
    "empty text": ([TEXT, ""], "INVALID_ARGUMENT"),
    "blank text": ([TEXT, " \t\n"], "INVALID_ARGUMENT"),
    "text too long": (["a" * (MAX_CHARACTERS + 1)], "INVALID_ARGUMENT"),
    "body too large": (["a" * MAX_CHARACTERS] * MAX_TEXTS, "RESOURCE_EXHAUSTED"),
}
HTTP_STATUS = {"INVALID_ARGUMENT": 422, "RESOURCE_EXHAUSTED": 413}
# Bad requests over HTTP alone: method, path, body, status
BAD_HTTP: dict[str, tuple[str, str, bytes, int]] = {
    "broken JSON": ("POST", "/v1/predict", b'{"texts": ["A film', 400),
    "not UTF-8": ("POST", "/v1/predict", b'{"texts": ["caf\xe9"]}', 400),
    "no body": ("POST", "/v1/predict", b"", 422),
    "unknown field": ("POST", "/v1/predict", json.dumps({"texts": [TEXT], "text": TEXT}).encode(), 422),
    "text for a list": ("POST", "/v1/predict", json.dumps({"texts": TEXT}).encode(), 422),
    "number for a text": ("POST", "/v1/predict", json.dumps({"texts": [10**400]}).encode(), 422),
    "wrong method": ("GET", "/v1/predict", b"", 405),
    "unknown path": ("POST", "/v1/predictions", b"{}", 404),
}
# Bad requests over gRPC alone: method, message, status
BAD_GRPC: dict[str, tuple[str, bytes, str]] = {
    "broken message": ("Predict", b"\x0a\xff", "INVALID_ARGUMENT"),
    "unknown field": ("Predict", b"\x0a\x06A film\x78\x01", "INVALID_ARGUMENT"),  # field 15, a number
    "unknown method": ("Guess", b"", "UNIMPLEMENTED"),
}


@dataclass(frozen=True)
class Seen:
    """The behaviour of a service over one protocol.

    Attributes:
        identity: Model, version and Bento that it reports.
        engine: The library that computes its scores.
        versions: Versions named in its answers.
        positive: P(positive) of every text, in [0, 1].
        milliseconds: Time to the answer of every text, sent alone.
        refusals: Bad requests.
        health: Health endpoints.
    """

    identity: tuple[str, str, str]
    engine: str
    versions: frozenset[str]
    positive: tuple[float, ...]
    milliseconds: tuple[float, ...]
    refusals: tuple[Case, ...]
    health: tuple[Case, ...]


def http_probe(access: Access, texts: Sequence[str]) -> Seen | str:
    """Sends all requests over HTTP; returns the reason instead if the service does not answer."""
    import httpx

    from bento.client import ServiceError

    try:
        with access.http_client() as client, access.raw_http() as raw:
            return _seen(client, texts, _http_refusals(raw, access), _http_health(raw))
    except (ServiceError, httpx.HTTPError, httpx.InvalidURL) as error:
        return f"{type(error).__name__}: {error}"
    except (KeyError, TypeError) as error:  # JSON of another service
        return f"not an answer of this service: {error}"


def grpc_probe(access: Access, texts: Sequence[str]) -> Seen | str:
    """Sends all requests over gRPC; returns the reason instead if the service does not answer."""
    from bento.client import ServiceError

    try:
        with access.grpc_client() as client:
            return _seen(client, texts, _grpc_refusals(client, access), _grpc_health(client))
    except ServiceError as error:
        return f"{type(error).__name__}: {error}"


def positive(label: str, score: float) -> float:
    """Converts the score of a label to P(positive)."""
    return score if label == LABELS[1] else 1 - score


def _seen(
    client: HttpClient | GrpcClient, texts: Sequence[str], refusals: Iterable[Case], health: Iterable[Case]
) -> Seen:
    info = client.info()
    for text in texts[:WARM_UP_REQUESTS]:
        client.predict([text])
    scores, milliseconds, versions = [], [], set()
    for text in texts:
        started = time.perf_counter()
        answer = client.predict([text])
        milliseconds.append(1000 * (time.perf_counter() - started))
        (prediction,) = answer.predictions
        scores.append(positive(prediction.label, prediction.score))
        versions.add(answer.model_version)
    return Seen(
        (str(info["model"]), str(info["model_version"]), str(info["bento"])),
        str(info["engine"]),
        frozenset(versions),
        tuple(scores),
        tuple(milliseconds),
        tuple(refusals),
        tuple(health),
    )


def _http_health(raw: httpx.Client) -> Iterator[Case]:
    for path in HEALTH:
        yield path, "200", str(raw.get(path).status_code)


def _grpc_health(client: GrpcClient) -> Iterator[Case]:
    yield "grpc.health.v1", "serving", "serving" if client.ready() else "not serving"


def _http_refusals(raw: httpx.Client, access: Access) -> Iterator[Case]:
    for case, (texts, code) in BAD_TEXTS.items():
        got = raw.post("/v1/predict", json={"texts": texts}).status_code
        yield case, str(HTTP_STATUS[code]), str(got)
    for case, (method, path, body, status) in BAD_HTTP.items():
        yield case, str(status), str(raw.request(method, path, content=body).status_code)
    if access.token:
        got = raw.post("/v1/predict", json={"texts": [TEXT]}, headers={"Authorization": "Bearer wrong"}).status_code
        yield "wrong token", "401", str(got)


def _grpc_refusals(client: GrpcClient, access: Access) -> Iterator[Case]:
    for case, (texts, code) in BAD_TEXTS.items():
        yield case, code, _code(client, texts)
    with access.raw_grpc() as channel:
        for case, (method, message, code) in BAD_GRPC.items():
            yield case, code, _raw_code(channel, method, message, access)
    if access.token:
        with replace(access, token="wrong").grpc_client() as stranger:
            yield "wrong token", "UNAUTHENTICATED", _code(stranger, [TEXT])


def _code(client: GrpcClient, texts: list[str]) -> str:
    from bento.client import ServiceError

    try:
        client.predict(texts)
    except ServiceError as error:
        return error.code
    return "OK"


def _raw_code(channel: Channel, method: str, message: bytes, access: Access) -> str:
    import grpc

    # without serialisers: bytes in, bytes out
    call: UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(f"/sentiment.v1.Sentiment/{method}")
    try:
        call(message, timeout=TIMEOUT_S, metadata=access.metadata)
    except grpc.RpcError as error:
        return error.code().name
    return "OK"
