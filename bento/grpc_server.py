"""The gRPC server: the typed service, BentoML's published one, health and reflection, in the worker's event loop."""

from __future__ import annotations

import asyncio
import logging
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

import grpc
from google.protobuf import json_format
from google.protobuf.message import DecodeError, Message
from google.protobuf.unknown_fields import UnknownFieldSet
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from bento.errors import RETRY_AFTER, STATUS, RequestError, frames, internal, overloaded
from bento.predictor import MAX_BODY_BYTES, Predictor
from bento.routes import BENTO_SERVICE, SERVICE, metric_method
from bento.stubs import sentiment_pb2 as pb
from bento.tokens import Tokens
from bento.tracing import TRACEPARENT, TRACESTATE, Tracer, start_trace

if TYPE_CHECKING:
    from bento.settings import ServiceSettings

Context = grpc.aio.ServicerContext[Any, Any]
T = TypeVar("T")
Method = Callable[[Any, "Call"], Awaitable[Message]]

MAX_STREAM_AHEAD = 4  # messages of a stream that are read before the oldest is answered

logger = logging.getLogger("bento.grpc")


class Call:
    """One call: its metadata, its remaining time and its trace."""

    def __init__(self, name: str, context: Context, tracer: Tracer | None) -> None:
        given = context.invocation_metadata() or ()
        metadata = dict(given)
        parents, states = ([str(v) for k, v in given if k == key] for key in (TRACEPARENT, TRACESTATE))
        self.trace = start_trace(tracer, name, {"rpc.system": "grpc", "rpc.method": name}, parents, states)
        self.authorization = str(metadata.get("authorization", ""))
        self.request_id = str(metadata.get("x-request-id", ""))[:128] or uuid.uuid4().hex
        self.seconds = context.time_remaining()


class GrpcServer:
    """Serves one worker's predictor; workers share the port, and the kernel spreads the connections."""

    def __init__(
        self, predictor: Predictor, settings: ServiceSettings, tokens: Tokens, tracer: Tracer | None = None
    ) -> None:
        from bentoml.grpc.v1._generated_pb4 import service_pb2  # the module without the suffix is for protobuf 3

        self._bento: Any = service_pb2
        self._predictor, self._settings, self._tokens = predictor, settings, tokens
        self._metrics, self._tracer = predictor.metrics, tracer
        self._working = self._streams = 0
        self._health = health.aio.HealthServicer()
        self._server = grpc.aio.server(
            options=[
                ("grpc.so_reuseport", 1),
                ("grpc.max_receive_message_length", MAX_BODY_BYTES),
                ("grpc.max_concurrent_streams", settings.max_requests),
                ("grpc.http2.min_ping_interval_without_data_ms", 10_000),
            ]
        )

    def handlers(self) -> dict[str, grpc.RpcMethodHandler[Any, Any]]:
        """Returns a handler for every route of ``GRPC_ROUTES``."""
        bento = self._bento
        return {
            f"{SERVICE}/Predict": self._unary("Predict", pb.PredictRequest, self._predict),
            f"{SERVICE}/PredictStream": self._stream("PredictStream", pb.PredictRequest, self._predict),
            f"{SERVICE}/Feedback": self._unary("Feedback", pb.FeedbackRequest, self._feedback),
            f"{SERVICE}/Info": self._unary("Info", pb.InfoRequest, self._info),
            f"{BENTO_SERVICE}/Call": self._unary("Call", bento.Request, self._call),
            f"{BENTO_SERVICE}/ServiceMetadata": self._unary(
                "ServiceMetadata", bento.ServiceMetadataRequest, self._describe
            ),
        }

    async def start(self) -> None:
        """Starts listening.

        Raises:
            RuntimeError: If the port is taken.
        """
        handlers = self.handlers()
        for service in (SERVICE, BENTO_SERVICE):
            methods = {
                metric_method(route): handler for route, handler in handlers.items() if route.startswith(f"{service}/")
            }
            self._server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, methods),))
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self._server)
        reflection.enable_server_reflection(
            (SERVICE, BENTO_SERVICE, health.SERVICE_NAME, reflection.SERVICE_NAME), self._server
        )
        address = f"{self._settings.host}:{self._settings.grpc_port}"
        certificate, key = self._settings.tls_certificate, self._settings.tls_key
        if certificate and key:
            credentials = grpc.ssl_server_credentials([(key.read_bytes(), certificate.read_bytes())])
            self._server.add_secure_port(address, credentials)
        else:
            self._server.add_insecure_port(address)
        await self._server.start()
        for name in ("", SERVICE, BENTO_SERVICE):
            await self._health.set(name, health_pb2.HealthCheckResponse.SERVING)

    async def stop(self, grace: float) -> None:
        """Fails health checks, refuses new calls, and waits for calls in flight, at most ``grace`` seconds.

        A call that arrives at this moment may end as CANCELLED, a status set by gRPC's core.
        """
        await self._health.enter_graceful_shutdown()
        await self._server.stop(grace)

    def _unary(self, name: str, request: type[Message], method: Method) -> grpc.RpcMethodHandler[Any, Any]:
        async def handle(messages: AsyncIterator[bytes], context: Context) -> Message:
            async with self._traced(name, context) as call:

                async def work() -> Message:
                    return await method(_parse(request, await _only(messages, self._settings.timeout)), call)

                return await self._guarded(name, call, work)

        # a stream of one message is the same on the wire, but is read only after token and limits were checked
        return grpc.stream_unary_rpc_method_handler(handle, None, _serialize)

    def _stream(self, name: str, request: type[Message], method: Method) -> grpc.RpcMethodHandler[Any, Any]:
        async def handle(messages: AsyncIterator[bytes], context: Context) -> AsyncIterator[Message]:
            idle = self._settings.timeout
            answers: asyncio.Queue[asyncio.Future[Message] | None] = asyncio.Queue(MAX_STREAM_AHEAD)

            async def work(call: Call, data: bytes) -> Message:
                return await method(_parse(request, data), call)

            async def read(call: Call) -> None:
                async for data in messages:
                    await answers.put(asyncio.ensure_future(self._guarded(name, call, partial(work, call, data))))
                await answers.put(None)

            async with self._traced(name, context) as call:
                self._open_stream(name, call)
                reading = asyncio.ensure_future(read(call))
                try:
                    while (answer := await _soon(answers.get(), idle)) is not None:
                        yield await answer
                finally:
                    self._streams -= 1
                    reading.cancel()
                    left = [answers.get_nowait() for _ in range(answers.qsize())]
                    for answer in left:
                        if answer is not None:
                            answer.cancel()
                    await asyncio.gather(reading, *filter(None, left), return_exceptions=True)

        return grpc.stream_stream_rpc_method_handler(handle, None, _serialize)

    @asynccontextmanager
    async def _traced(self, name: str, context: Context) -> AsyncIterator[Call]:
        """Gives a call its place in its trace, and ends both: a RequestError becomes the status of the call."""
        call, code = Call(name, context, self._tracer), "CANCELLED"
        trailing = ((TRACEPARENT, call.trace.header),)
        context.set_trailing_metadata(trailing)
        try:
            yield call
            code = "OK"
        except RequestError as error:
            code = error.code
            later = (("retry-after", str(RETRY_AFTER)),) if code == "UNAVAILABLE" else ()
            await context.abort(grpc.StatusCode[code], error.message, (*trailing, *later))
        finally:
            number = grpc.StatusCode[code].value[0]
            call.trace.end({"rpc.grpc.status_code": number}, failed=STATUS.get(code, 0) >= STATUS["INTERNAL"])

    def _open_stream(self, name: str, call: Call) -> None:
        """Counts a new open stream, if the limits allow it; the caller decrements the count.

        Raises:
            RequestError: If the token is not accepted, or too many streams are open.
        """
        try:
            self._check(call)
            if self._streams >= self._settings.max_requests:
                raise overloaded()
        except RequestError as error:
            self._metrics.request("grpc", name, error.code, 0.0)
            raise
        self._streams += 1

    def _check(self, call: Call) -> None:
        if not self._tokens.accept(call.authorization):
            raise RequestError("UNAUTHENTICATED", "needs the metadata authorization: Bearer <token>")

    async def _guarded(self, name: str, call: Call, work: Callable[[], Awaitable[Message]]) -> Message:
        """Checks token and limits, then does the work; every failure becomes a RequestError."""
        started, code = time.perf_counter(), "CANCELLED"
        try:
            self._check(call)
            if self._working >= self._settings.max_requests:
                raise overloaded()
            self._working += 1
            try:
                answer = await work()
            finally:
                self._working -= 1
            code = "OK"
            return answer
        except RequestError as error:
            code = error.code
            raise
        except Exception as error:  # the last resort: logs the place, never the input
            code = "INTERNAL"
            given, place = (call.request_id, call.trace.id), frames(error)
            logger.error("request %s of trace %s failed: %s at %s", *given, type(error).__name__, place)
            raise internal() from None
        finally:
            self._metrics.request("grpc", name, code, time.perf_counter() - started)

    async def _predict(self, request: pb.PredictRequest, call: Call) -> pb.PredictResponse:
        answers = await self._predictor.predict(list(request.texts), request=call.request_id, seconds=call.seconds)
        return pb.PredictResponse(
            model_version=self._predictor.identity.version,
            predictions=[pb.Prediction(id=a.id, label=a.label, score=a.score, abstained=a.abstained) for a in answers],
        )

    async def _feedback(self, request: pb.FeedbackRequest, call: Call) -> pb.FeedbackResponse:
        self._predictor.feedback(request.prediction_id, request.label, self._tokens.client(call.authorization))
        return pb.FeedbackResponse()

    async def _info(self, request: pb.InfoRequest, call: Call) -> pb.InfoResponse:
        return pb.InfoResponse(**self._predictor.identity.info(self._predictor.limits()))

    async def _call(self, request: Any, call: Call) -> Any:  # noqa: ANN401  # BentoML's stubs carry no types
        """Answers BentoML's generic call: ``predict`` with a text, or with JSON as over HTTP."""
        if request.api_name != "predict":
            raise RequestError("NOT_FOUND", "the one api_name is predict")
        kind = request.WhichOneof("content")
        if kind == "text":
            texts: Any = [request.text.value]
        elif kind == "json":
            texts = _texts(request.json)
        else:
            texts = None
        if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
            raise RequestError("INVALID_ARGUMENT", 'give content text, or json of the form {"texts": ["..."]}')
        answer = await self._predict(pb.PredictRequest(texts=texts), call)
        response = self._bento.Response()
        content = json_format.MessageToDict(
            answer, preserving_proto_field_name=True, always_print_fields_with_no_presence=True
        )
        json_format.ParseDict(content, response.json)
        return response

    async def _describe(self, request: Any, call: Call) -> Any:  # noqa: ANN401  # BentoML's stubs carry no types
        response = self._bento.ServiceMetadataResponse(name="sentiment", docs="Sentiment of reviews.")
        response.apis.add(name="predict", docs='text, or json of the form {"texts": ["..."]}')
        return response


async def _soon(answer: Awaitable[T], seconds: float) -> T:
    """Waits for the next answer of a stream; with no request in flight, it waits for its client alone."""
    try:
        async with asyncio.timeout(seconds):
            return await answer
    except TimeoutError as error:
        raise RequestError("DEADLINE_EXCEEDED", f"nothing was sent for {seconds:g} s") from error


async def _only(messages: AsyncIterator[bytes], seconds: float) -> bytes:
    """Returns the single message of a call."""
    try:
        async with asyncio.timeout(seconds):
            async for data in messages:
                return data
    except TimeoutError as error:
        raise RequestError("DEADLINE_EXCEEDED", f"the message did not arrive within {seconds:g} s") from error
    raise RequestError("INVALID_ARGUMENT", "there is no message")


def _parse(kind: type[Message], data: bytes) -> Message:
    try:
        message = kind.FromString(data)
    except DecodeError as error:
        raise RequestError("INVALID_ARGUMENT", f"the message is no {kind.DESCRIPTOR.full_name}") from error
    if len(UnknownFieldSet(message)):
        raise RequestError("INVALID_ARGUMENT", f"{kind.DESCRIPTOR.full_name} has no such field")
    return message


def _texts(value: Message) -> Any:  # noqa: ANN401  # any JSON: the caller checks it
    """Returns the value of ``{"texts": ...}``; None for all other JSON."""
    try:
        body = json_format.MessageToDict(value)
    except ValueError:  # NaN or an infinity, which JSON does not know
        return None
    return body["texts"] if isinstance(body, dict) and set(body) == {"texts"} else None


def _serialize(message: Message) -> bytes:
    return message.SerializeToString()
