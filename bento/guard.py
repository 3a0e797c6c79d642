"""The guard of HTTP: checks path, token, size, time and concurrency before a request is read, and counts it.

An ASGI middleware around the whole application. It reads the body itself: nothing behind it meets a body that is too
large, too slow, or of a caller without a valid token.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import logging
import re
import time
import uuid
import zlib
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import TYPE_CHECKING, Any, TypeVar

from starlette.middleware.cors import CORSMiddleware

from bento.errors import RETRY_AFTER, STATUS, RequestError, frames, internal, overloaded, too_slow
from bento.options import split_origins
from bento.predictor import MAX_BODY_BYTES
from bento.routes import Route
from bento.tokens import Tokens
from bento.tracing import TRACEPARENT, TRACESTATE, Trace, Tracer, current_trace, start_trace

if TYPE_CHECKING:
    from fastapi import FastAPI

    from bento.predictor import Predictor
    from bento.settings import ServiceSettings

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Content = tuple[bytes, str, Mapping[str, str]]  # body, media type and further headers of an answer
Direct = Callable[["Predictor", bytes, str, Mapping[bytes, bytes]], Awaitable[Content]]  # of body, id and headers

CLOSE_EVERY = (
    32  # responses, then close the connection: clients reconnect, and the kernel spreads them over the workers
)
POLICY_VIOLATION = 1008  # close code of RFC 6455
READERS_PER_REQUEST = 8  # bodies being read, for each request that may be in flight
MAX_BYTES_IN_FLIGHT = 64 * MAX_BODY_BYTES  # of all bodies being read
REQUEST_ID = re.compile(rb"[\x21-\x7e]{1,128}")
METHODS = frozenset(("GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"))

T = TypeVar("T")

logger = logging.getLogger("bento.http")


class Guard:
    """Wraps the application; ``start`` passes it the objects that exist only in a running worker.

    POST requests for the paths in ``direct`` are answered by these functions, all others by the application.
    """

    def __init__(self, app: FastAPI, routes: Mapping[str, Route], direct: Mapping[str, Direct]) -> None:
        self._app, self._routes, self._direct = app, routes, direct
        self._settings: ServiceSettings | None = None
        self._tracer: Tracer | None = None
        self._reading = self._read_bytes = self._working = 0
        self._answers = itertools.count(1)
        self._entry: Callable[[Scope, Receive, Send], Awaitable[None]] = self._guard

    def start(self, predictor: Predictor, tokens: Tokens, tracer: Tracer | None = None) -> None:
        """Starts accepting requests, once the worker has loaded its model."""
        self._tracer = tracer
        self._app.state.predictor = self._predictor = predictor
        self._app.state.has_tokens = not tokens.accept("")
        self._tokens, self._metrics, self._settings = tokens, predictor.metrics, predictor.settings
        if origins := split_origins(predictor.settings.origins):  # outside, so that browsers can read errors, too
            self._entry = CORSMiddleware(
                self._guard,
                allow_origins=origins,
                allow_methods=("GET", "POST"),
                allow_headers=("authorization", "content-type", "x-request-id", TRACEPARENT, TRACESTATE),
                expose_headers=("retry-after", "x-request-id", TRACEPARENT),
            )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request."""
        await self._entry(scope, receive, send)

    async def _guard(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await _refuse_socket(receive, send)
        if scope["type"] != "http":
            return
        started = time.perf_counter()
        path = scope["path"]
        route = self._routes.get(path)
        headers = dict(scope["headers"])
        encoding = headers.pop(b"content-encoding", b"")
        given = headers.get(b"x-request-id", b"")
        request_id = given.decode() if REQUEST_ID.fullmatch(given) else uuid.uuid4().hex
        scope.setdefault("state", {})["request_id"] = request_id
        method = path if route else "other"
        counted = route is None or route.counted
        trace = _start_trace(scope, headers, method, self._tracer if counted else None)
        answer = _Answer(send, request_id, trace.header, last=next(self._answers) % CLOSE_EVERY == 0)
        try:
            await self._answer(scope, receive, answer, route, headers, encoding)
        except RequestError as fault:
            await answer.fault(fault)
        except Exception as error:  # the last resort: logs the place, never the input
            place = frames(error)
            logger.error("request %s of trace %s failed: %s at %s", request_id, trace.id, type(error).__name__, place)
            await answer.fault(internal())
        finally:
            trace.end({"http.response.status_code": answer.status}, failed=answer.status >= STATUS["INTERNAL"])
        if self._settings is not None and counted:
            self._metrics.request("http", method, str(answer.status), time.perf_counter() - started)

    async def _answer(
        self,
        scope: Scope,
        receive: Receive,
        answer: _Answer,
        route: Route | None,
        headers: Mapping[bytes, bytes],
        encoding: bytes,
    ) -> None:
        settings = self._settings
        if settings is None:
            raise RequestError("UNAVAILABLE", "starting")
        if route is None:
            raise RequestError("NOT_FOUND", "there is no such path; see /docs")
        authorization = headers.get(b"authorization", b"").decode("latin-1")
        if route.guarded and not self._tokens.accept(authorization):
            raise RequestError("UNAUTHENTICATED", "needs the header Authorization: Bearer <token>")
        if int(_digits(headers.get(b"content-length", b"0"))) > MAX_BODY_BYTES:
            raise too_large()
        scope["state"]["client"] = self._tokens.client(authorization)
        deadline = time.monotonic() + settings.timeout
        if self._reading >= READERS_PER_REQUEST * settings.max_requests:
            raise overloaded()
        self._reading += 1
        try:
            async with asyncio.timeout(settings.timeout):
                body = await self._body(receive)
        except TimeoutError as error:
            message = f"the body did not arrive within {settings.timeout:g} s"
            raise RequestError("DEADLINE_EXCEEDED", message, status=408) from error
        finally:
            self._reading -= 1
        if body is None:
            raise left()
        body = _decompress(body, encoding)
        if self._working >= settings.max_requests and route.counted:
            raise overloaded()
        self._working += 1
        try:
            async with asyncio.timeout(deadline - time.monotonic() + 1):  # the predictor's own limit comes first
                await self._handle(scope, receive, answer, body, headers)
        except TimeoutError as error:
            raise too_slow(settings.timeout) from error
        finally:
            self._working -= 1

    async def _handle(
        self, scope: Scope, receive: Receive, answer: _Answer, body: bytes, headers: Mapping[bytes, bytes]
    ) -> None:
        direct = self._direct.get(scope["path"]) if scope["method"] == "POST" else None
        if direct:
            handling = direct(self._predictor, body, scope["state"]["request_id"], headers)
            await answer.whole(200, *await _while_connected(handling, receive))
        else:
            # bodies are JSON even if declared otherwise: `curl -d` declares a form
            scope["headers"] = list({**headers, b"content-type": b"application/json"}.items())
            await _while_connected(self._app(scope, _replay(body, receive), answer.send), receive)

    async def _body(self, receive: Receive) -> bytes | None:
        """Reads the whole body; None if the client disconnected."""
        parts, size = [], 0
        try:
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    return None
                part = message.get("body", b"")
                size += len(part)
                self._read_bytes += len(part)
                if size > MAX_BODY_BYTES:
                    raise too_large()
                if self._read_bytes > MAX_BYTES_IN_FLIGHT:
                    raise overloaded()
                parts.append(part)
                if not message.get("more_body"):
                    return b"".join(parts)
        finally:
            self._read_bytes -= size


class _Answer:
    """Sends the response, and records whether it has started."""

    def __init__(self, send: Send, request_id: str, traceparent: str, *, last: bool) -> None:
        self._send, self._id, self._last = send, request_id.encode(), last  # last: of its connection
        self._traceparent = traceparent.encode()
        self.status = 0

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = {**dict(message.get("headers", ())), b"x-request-id": self._id}
            headers[b"traceparent"] = self._traceparent
            if self._last:
                headers[b"connection"] = b"close"
            message["headers"] = list(headers.items())
        await self._send(message)

    async def fault(self, fault: RequestError) -> None:
        if self.status:
            return  # the response has already started
        await self.whole(fault.status, error_body(fault), "application/json", error_headers(fault))

    async def whole(self, status: int, body: bytes, media_type: str, headers: Mapping[str, str]) -> None:
        """Sends a whole response."""
        named = {"content-type": media_type, "content-length": str(len(body)), **headers}
        encoded = [(name.encode(), value.encode()) for name, value in named.items()]
        await self.send({"type": "http.response.start", "status": status, "headers": encoded})
        await self.send({"type": "http.response.body", "body": body})


def error_body(fault: RequestError) -> bytes:
    """Returns the JSON body of an error, with the trace of the request that this task answers."""
    trace = current_trace()
    identifier = trace.id if trace else ""
    return json.dumps({"error": {"code": fault.code, "message": fault.message, "trace_id": identifier}}).encode()


def error_headers(fault: RequestError) -> dict[str, str]:
    """Returns the response headers of an error."""
    if fault.code == "UNAVAILABLE":
        return {"retry-after": str(RETRY_AFTER)}
    if fault.code == "UNAUTHENTICATED":
        return {"www-authenticate": "Bearer"}
    if fault.status in (408, 413):
        return {"connection": "close"}  # the rest of the body is not read
    return {}


def left() -> RequestError:
    """Returns the error for a client that disconnected; a response is still sent, as BentoML waits an hour for one."""
    return RequestError("CANCELLED", "the client has left", status=499)


def too_large() -> RequestError:
    """Returns the error for a body above the limit."""
    return RequestError("RESOURCE_EXHAUSTED", f"the body may have at most {MAX_BODY_BYTES} bytes")


def _start_trace(scope: Scope, headers: Mapping[bytes, bytes], route: str, tracer: Tracer | None) -> Trace:
    """Starts the trace of a request; reads what only a span needs only if spans are exported."""
    parents = _values(scope, b"traceparent") if b"traceparent" in headers else ()
    if tracer is None:
        return start_trace(None, "", {}, parents)
    method, name = scope["method"], f"{scope['method']} {route}"
    if method not in METHODS:  # callers may send any word: OpenTelemetry specifies one name for all others
        method, name = "_OTHER", f"HTTP {route}"
    attributes = {"http.request.method": method, "http.route": route}
    return start_trace(tracer, name, attributes, parents, _values(scope, b"tracestate"))


def _values(scope: Scope, name: bytes) -> list[str]:
    return [value.decode("latin-1") for given, value in scope["headers"] if given == name]


async def _refuse_socket(receive: Receive, send: Send) -> None:
    """Refuses a WebSocket: without an answer it would stay open until the service ends."""
    await receive()
    await send({"type": "websocket.close", "code": POLICY_VIOLATION})


def _decompress(body: bytes, encoding: bytes) -> bytes:
    """Returns the body without its Content-Encoding; gzip is the one that is read."""
    if encoding.strip().lower() in (b"", b"identity"):
        return body
    if encoding.strip().lower() != b"gzip":
        raise RequestError("INVALID_ARGUMENT", "the body may be compressed by gzip, or not at all", status=415)
    stream = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)
    try:
        whole = stream.decompress(body, MAX_BODY_BYTES + 1)
    except zlib.error:
        raise RequestError("INVALID_ARGUMENT", "the body is not gzip, as its Content-Encoding says") from None
    if len(whole) > MAX_BODY_BYTES:
        raise too_large()
    if not stream.eof or stream.unused_data:
        raise RequestError("INVALID_ARGUMENT", "the body is not one whole gzip stream")
    return whole


def _digits(value: bytes) -> bytes:
    return value if value.isdigit() else b"0"  # the HTTP parser has already refused other values


def _replay(body: bytes, receive: Receive) -> Receive:
    """Returns a receive function that replays the body, then passes on further messages."""
    given = False

    async def replay() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replay


async def _while_connected(handling: Awaitable[T], receive: Receive) -> T:
    """Runs the handler, and cancels it if the client disconnects."""
    answer = asyncio.ensure_future(handling)
    gone = asyncio.ensure_future(receive())  # after the body, only a disconnect can come
    gone.add_done_callback(lambda _: answer.cancel())
    try:
        return await answer
    except asyncio.CancelledError:
        if gone.done() and not gone.cancelled():
            raise left() from None
        raise
    finally:
        gone.cancel()
