"""A typed client for both protocols: deadline, retries, one error. The README shows it at work."""

from __future__ import annotations

import random
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar

from bento.arguments import require_text, require_texts
from bento.connections import open_grpc, open_http, trace_headers

if TYPE_CHECKING:
    import httpx

RETRYABLE = {"UNAVAILABLE"}
BY_STATUS = {401: "UNAUTHENTICATED", 404: "NOT_FOUND", 413: "RESOURCE_EXHAUSTED", 429: "RESOURCE_EXHAUSTED"}
BY_STATUS |= {408: "DEADLINE_EXCEEDED", 500: "INTERNAL", 502: "UNAVAILABLE", 503: "UNAVAILABLE"}
BY_STATUS |= {504: "DEADLINE_EXCEEDED"}

T = TypeVar("T")


@dataclass(frozen=True)
class Answer:
    """The answer for one text; see ``AnswerModel`` on the service's page /docs."""

    id: str
    label: str
    score: float
    abstained: bool


@dataclass(frozen=True)
class Predictions:
    """Answers in the order of the texts, and the version of the model that gave them."""

    model_version: str
    predictions: list[Answer]


class ServiceError(Exception):
    """The service did not answer with a prediction.

    Attributes:
        code: gRPC status name, also over HTTP: ``INVALID_ARGUMENT``, ``UNAVAILABLE`` ...
        message: The problem.
        retryable: Whether the same request may succeed a little later.
        trace_id: The request in the service's log and in traces: 32 hex digits; empty if no service answered.
    """

    def __init__(self, code: str, message: str, retry_after: float = 0.0, trace_id: str = "") -> None:
        super().__init__(f"{code}: {message}")
        self.code, self.message, self.retry_after, self.trace_id = code, message, retry_after, trace_id
        self.retryable = code in RETRYABLE


class Client(ABC):
    """The methods of both clients; requests belong to the caller's trace, if it uses OpenTelemetry."""

    def __init__(self, *, timeout: float, retries: int) -> None:
        self._timeout, self._retries = timeout, retries

    @abstractmethod
    def _predict(self, texts: Sequence[str], seconds: float) -> Predictions: ...

    @abstractmethod
    def _feedback(self, prediction_id: str, label: str, seconds: float) -> None: ...

    @abstractmethod
    def _info(self, seconds: float) -> dict[str, Any]: ...

    @abstractmethod
    def _ready(self, seconds: float) -> bool: ...

    @abstractmethod
    def close(self) -> None:
        """Closes the connection."""

    def predict(self, texts: Sequence[str]) -> Predictions:
        """Label and score of 1 to 64 texts.

        Raises:
            TypeError: If ``texts`` is no list of texts.
            ServiceError: If the service refuses, or does not answer before the timeout.
        """
        checked = require_texts(texts)
        return self._retried(lambda seconds: self._predict(checked, seconds))

    def feedback(self, prediction_id: str, label: str) -> None:
        """Sends the correct label of a prediction."""
        require_text(prediction_id, "prediction_id")
        require_text(label, "label")
        self._retried(lambda seconds: self._feedback(prediction_id, label, seconds))

    def info(self) -> dict[str, Any]:
        """Which model answers, and within which limits."""
        return self._retried(self._info)

    def ready(self) -> bool:
        """Whether the service can answer now."""
        try:
            return self._ready(min(self._timeout, 2.0))
        except ServiceError:
            return False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def _retried(self, call: Callable[[float], T]) -> T:
        """Calls until it works, the failure is final, or no time is left; waits longer each time, with jitter."""
        deadline = time.monotonic() + self._timeout
        for attempt in range(self._retries + 1):
            try:
                return call(max(deadline - time.monotonic(), 0.001))
            except ServiceError as error:
                pause = max(error.retry_after, 0.05 * 2**attempt) * random.uniform(0.5, 1.5)
                if not error.retryable or attempt == self._retries or time.monotonic() + pause >= deadline:
                    raise
                time.sleep(pause)
        raise AssertionError("not reached: the last attempt returns or raises")


class HttpClient(Client):
    """Over HTTP."""

    def __init__(
        self,
        address: str,
        *,
        token: str | None = None,
        timeout: float = 5.0,
        retries: int = 2,
        ca: Path | None = None,
        name: str | None = None,
        proxied: bool = True,
    ) -> None:
        """Opens no connection yet.

        Args:
            address: E.g. ``http://127.0.0.1:3000``.
            token: Bearer token.
            timeout: Seconds that a call may take, its retries included; twice that where the service falls silent
                amidst its answer.
            retries: How often a call is repeated when the service is not available.
            ca: Certificate (PEM) to trust; the system's if None.
            name: Host name in the certificate, if it differs from the host of the address.
            proxied: Whether the proxies of the environment are used.
        """
        super().__init__(timeout=timeout, retries=retries)
        self._http = open_http(address, token=token, ca=ca, name=name, proxied=proxied)

    def close(self) -> None:
        """See the base class."""
        self._http.close()

    def _ask(self, method: str, path: str, seconds: float, body: object = None) -> Any:  # noqa: ANN401  # JSON
        import httpx

        try:
            response = self._whole(method, path, seconds, body)
        except httpx.TimeoutException as error:
            raise ServiceError("DEADLINE_EXCEEDED", f"no answer within {seconds:.1f} s") from error
        except httpx.TransportError as error:
            raise ServiceError("UNAVAILABLE", f"no connection: {error}") from error
        if response.is_success:
            try:
                return response.json() if response.content.strip() else None
            except ValueError:
                raise ServiceError("INTERNAL", "the answer is no JSON: another service?") from None
        try:
            problem = response.json()["error"]
            code, message = str(problem["code"]), str(problem["message"])
            trace = str(problem.get("trace_id", ""))
        except (ValueError, KeyError, TypeError):  # a proxy answered
            trace, code = "", BY_STATUS.get(response.status_code, "INVALID_ARGUMENT")
            message = f"HTTP status {response.status_code}"
        after = response.headers.get("retry-after", "")
        raise ServiceError(code, message, float(after) if after.isdigit() else 0.0, trace)

    def _whole(self, method: str, path: str, seconds: float, body: object) -> httpx.Response:
        """A response with its content, in one time limit: httpx's own begins anew with every part that comes."""
        import httpx

        deadline = time.monotonic() + seconds
        parts = []
        with self._http.stream(method, path, json=body, headers=trace_headers(), timeout=seconds) as response:
            for part in response.iter_raw():
                parts.append(part)
                if time.monotonic() > deadline:
                    raise httpx.ReadTimeout("it drips")
        return httpx.Response(response.status_code, headers=response.headers, content=b"".join(parts))

    def _predict(self, texts: Sequence[str], seconds: float) -> Predictions:
        answer = self._ask("POST", "/v1/predict", seconds, {"texts": texts})
        return Predictions(answer["model_version"], [Answer(**given) for given in answer["predictions"]])

    def explain(self, text: str) -> dict[str, Any]:
        """Which words pushed the score, and how far."""
        body = {"text": require_text(text, "text")}
        answer: dict[str, Any] = self._retried(lambda s: self._ask("POST", "/v1/explain", s, body))
        return answer

    def _feedback(self, prediction_id: str, label: str, seconds: float) -> None:
        self._ask("POST", "/v1/feedback", seconds, {"prediction_id": prediction_id, "label": label})

    def _info(self, seconds: float) -> dict[str, Any]:
        info: dict[str, Any] = self._ask("GET", "/v1/info", seconds)
        return info

    def _ready(self, seconds: float) -> bool:
        self._ask("GET", "/readyz", seconds)
        return True


class GrpcClient(Client):
    """Over gRPC."""

    def __init__(
        self,
        address: str,
        *,
        token: str | None = None,
        timeout: float = 5.0,
        retries: int = 2,
        ca: Path | None = None,
        name: str | None = None,
        proxied: bool = True,
    ) -> None:
        """Opens no connection yet.

        Args:
            address: E.g. ``127.0.0.1:3001``.
            token: Bearer token.
            timeout: Seconds that a call may take, its retries included; of a stream, each wait for the next answer.
            retries: How often a call is repeated when the service is not available.
            ca: Certificate (PEM) to trust; the connection then uses TLS. None: plain text.
            name: Host name in the certificate, if it differs from the host of the address.
            proxied: Whether the proxies of the environment are used.
        """
        from bento.stubs import sentiment_pb2 as pb

        super().__init__(timeout=timeout, retries=retries)
        self._channel = open_grpc(address, ca=ca, name=name, proxied=proxied)
        self._metadata = (("authorization", f"Bearer {token}"),) if token else ()
        self._pb = pb
        self._calls = {
            name: self._channel.unary_unary(f"/sentiment.v1.Sentiment/{name}", _serialize, answer.FromString)
            for name, answer in (
                ("Predict", pb.PredictResponse),
                ("Feedback", pb.FeedbackResponse),
                ("Info", pb.InfoResponse),
            )
        }

    def close(self) -> None:
        """See the base class."""
        self._channel.close()

    def _ask(self, name: str, request: object, seconds: float) -> Any:  # noqa: ANN401  # the method's own message
        import grpc

        try:
            return self._calls[name](request, timeout=seconds, metadata=(*self._metadata, *trace_headers().items()))
        except grpc.RpcError as error:
            raise _service_error(error) from error

    def _predict(self, texts: Sequence[str], seconds: float) -> Predictions:
        return _predictions(self._ask("Predict", self._pb.PredictRequest(texts=texts), seconds))

    def predict_stream(self, batches: Iterable[Sequence[str]]) -> Iterator[Predictions]:
        """Bulk scoring: answers in the order of the batches, each of 1 to 64 texts, while more are sent.

        All of it may take any time. It ends if the next answer does not come within the client's timeout, be it that
        the service takes long or that ``batches`` does; while the caller works on an answer, no time runs.

        Raises:
            ServiceError: At the first batch that is refused, or not answered in time; nothing is retried.
        """
        stream = self._channel.stream_stream(
            "/sentiment.v1.Sentiment/PredictStream", _serialize, self._pb.PredictResponse.FromString
        )
        failures: list[Exception] = []  # of ``batches``, which gRPC reads in a thread and would only log

        def requests() -> Iterator[object]:
            try:
                for texts in batches:
                    yield self._pb.PredictRequest(texts=require_texts(texts))
            except Exception as error:
                failures.append(error)
                raise

        answers = stream(requests(), metadata=(*self._metadata, *trace_headers().items()))
        try:
            while (answer := self._next(answers)) is not None:
                yield _predictions(answer)
        except ServiceError:
            if failures:
                raise failures[0] from None
            raise
        finally:
            answers.cancel()  # the caller stops early

    def _next(self, answers: Any) -> Any:  # noqa: ANN401  # a grpc call, which has this type only for type checkers
        """The next answer of a stream, None at its end."""
        import grpc

        late = threading.Event()

        def give_up() -> None:
            late.set()
            answers.cancel()

        watch = threading.Timer(self._timeout, give_up)  # an answer can only be waited for without a limit
        watch.daemon = True
        watch.start()
        try:
            return next(answers, None)
        except grpc.RpcError as error:
            if late.is_set():
                raise ServiceError("DEADLINE_EXCEEDED", f"no answer within {self._timeout:.1f} s") from error
            raise _service_error(error) from error
        finally:
            watch.cancel()

    def _feedback(self, prediction_id: str, label: str, seconds: float) -> None:
        self._ask("Feedback", self._pb.FeedbackRequest(prediction_id=prediction_id, label=label), seconds)

    def _info(self, seconds: float) -> dict[str, Any]:
        from google.protobuf.json_format import MessageToDict

        return MessageToDict(self._ask("Info", self._pb.InfoRequest(), seconds), preserving_proto_field_name=True)

    def _ready(self, seconds: float) -> bool:
        import grpc
        from grpc_health.v1 import health_pb2

        check = self._channel.unary_unary(
            "/grpc.health.v1.Health/Check", _serialize, health_pb2.HealthCheckResponse.FromString
        )
        try:
            answer = check(health_pb2.HealthCheckRequest(), timeout=seconds, metadata=self._metadata)
        except grpc.RpcError as error:
            raise _service_error(error) from error
        return bool(answer.status == health_pb2.HealthCheckResponse.SERVING)


def _serialize(message: Any) -> bytes:  # noqa: ANN401  # any message of the stubs
    data: bytes = message.SerializeToString()
    return data


def _predictions(response: Any) -> Predictions:  # noqa: ANN401  # the stubs are imported where they are needed
    return Predictions(
        response.model_version, [Answer(p.id, p.label, p.score, p.abstained) for p in response.predictions]
    )


def _service_error(error: Any) -> ServiceError:  # noqa: ANN401  # grpc.RpcError is a call, too, but is not typed so
    trailing = dict(error.trailing_metadata() or ())
    after = str(trailing.get("retry-after", ""))
    trace = str(trailing.get("traceparent", ""))[3:35]
    code, message = error.code().name, str(error.details())
    if code == "CANCELLED":  # not by this client: gRPC's core cancels calls that reach a stopping server
        code, message = "UNAVAILABLE", "the service is stopping"
    return ServiceError(code, message, float(after) if after.isdigit() else 0.0, trace)
