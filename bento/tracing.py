"""Traces: every request has a place in a W3C trace, and its spans are exported if the environment names a collector.

The header is that of https://www.w3.org/TR/trace-context/, and the variables are OpenTelemetry's own (``OTEL_*``).
While nothing is exported, no SDK is loaded, and a request costs two random identifiers.
"""

from __future__ import annotations

import logging
import os
import re
import threading
import time
from collections.abc import Mapping, Sequence
from contextvars import ContextVar
from typing import TYPE_CHECKING

from sentiment.errors import UserError

if TYPE_CHECKING:
    from opentelemetry.trace import Span

    from bento.identity import Identity

TRACEPARENT, TRACESTATE = "traceparent", "tracestate"
PARENT = re.compile(r"(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-([0-9a-f]{2})(-.*)?")
SAMPLED = 1  # the one flag of version 00
MAX_STATE_CHARACTERS = 512  # that must be passed on; a longer one may be dropped
CLOSE_TIMEOUT_S = 3.0  # for the last spans: a collector that is down must not delay the end of a worker
ENDPOINT, TRACES_ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"
HEADERS, TRACES_HEADERS = "OTEL_EXPORTER_OTLP_HEADERS", "OTEL_EXPORTER_OTLP_TRACES_HEADERS"

Attributes = Mapping[str, str | int]


class Trace:
    """The place of one request in its trace; its spans are not exported.

    Attributes:
        id: Identifier of the trace: 32 hex digits.
        header: ``traceparent`` of the answer; it names the span of this request.
    """

    def __init__(self, identifier: str, span: str, flags: int) -> None:
        self.id, self.header = identifier, f"00-{identifier}-{span}-{flags:02x}"

    def add_span(self, name: str, started: float, ended: float, attributes: Attributes | None = None) -> None:
        """Adds a finished span below that of the request; times are those of ``time.perf_counter``."""

    def count_texts(self, texts: int) -> None:
        """Adds to the number of texts that the request's span reports."""

    def end(self, attributes: Attributes, *, failed: bool) -> None:
        """Ends the request's span; ``failed`` marks a fault of the service."""


class _ExportedTrace(Trace):
    """The place of a request whose spans are exported."""

    def __init__(self, identifier: str, name: str, flags: int, *, tracer: Tracer, span: Span) -> None:
        super().__init__(identifier, name, flags)
        self._tracer, self._span, self._texts = tracer, span, 0
        self._epoch = time.time_ns() - time.perf_counter_ns()

    def add_span(self, name: str, started: float, ended: float, attributes: Attributes | None = None) -> None:
        begun, done = (self._epoch + int(seconds * 1e9) for seconds in (started, ended))
        self._tracer.start_child(self._span, name, begun, attributes).end(done)

    def count_texts(self, texts: int) -> None:
        self._texts += texts

    def end(self, attributes: Attributes, *, failed: bool) -> None:
        from opentelemetry.trace import StatusCode

        self._span.set_attributes({**attributes, "sentiment.texts": self._texts})
        if failed:
            self._span.set_status(StatusCode.ERROR)
        self._span.end()


class Tracer:
    """Exports spans over OTLP/HTTP, in batches, from a thread of its own."""

    def __init__(self, endpoint: str, identity: Identity) -> None:
        """Starts the thread.

        Args:
            endpoint: URL that takes the spans.
            identity: The model, named by every span of a request.

        Raises:
            ValueError: If one of OpenTelemetry's variables has a wrong value.
        """
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import OTELResourceDetector, Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        own = Resource.create({"service.name": "sentiment", "service.version": identity.bento})
        self._provider = TracerProvider(
            resource=own.merge(OTELResourceDetector().detect()),  # OTEL_SERVICE_NAME comes first
            shutdown_on_exit=False,
        )
        self._exporter = OTLPSpanExporter(endpoint=endpoint)
        self._provider.add_span_processor(BatchSpanProcessor(self._exporter))
        self._tracer = self._provider.get_tracer("sentiment")
        self._propagator = TraceContextTextMapPropagator()
        self._model = {"sentiment.model": identity.model, "sentiment.model_version": identity.version}

    def start(self, name: str, parent: str, state: str, attributes: Attributes) -> Trace:
        """Starts the span of a request, if the sampler of ``OTEL_TRACES_SAMPLER`` chooses it.

        Args:
            name: Of the span: method and route, never a raw path.
            parent: A valid ``traceparent``; empty: a new trace.
            state: The ``tracestate`` beside it.
            attributes: What is known of the request.
        """
        from opentelemetry.context import Context
        from opentelemetry.trace import SpanKind

        carrier = {TRACEPARENT: parent, TRACESTATE: state if len(state) <= MAX_STATE_CHARACTERS else ""}
        span = self._tracer.start_span(
            name,
            self._propagator.extract(carrier, Context()),
            SpanKind.SERVER,
            {**attributes, **self._model},
        )
        context = span.get_span_context()
        place = f"{context.trace_id:032x}", f"{context.span_id:016x}", context.trace_flags & SAMPLED
        return _ExportedTrace(*place, tracer=self, span=span) if span.is_recording() else Trace(*place)

    def start_child(self, parent: Span, name: str, started: int, attributes: Attributes | None) -> Span:
        """Starts a span below another one, at a time in nanoseconds since 1970."""
        from opentelemetry.trace import set_span_in_context

        return self._tracer.start_span(name, set_span_in_context(parent), attributes=attributes, start_time=started)

    def close(self) -> None:
        """Exports the last spans, unless the collector takes more than ``CLOSE_TIMEOUT_S``."""
        closing = threading.Thread(target=self._provider.shutdown, name="last-spans", daemon=True)
        closing.start()
        closing.join(CLOSE_TIMEOUT_S)
        if closing.is_alive():
            self._exporter.shutdown()  # type: ignore[no-untyped-call] # no further attempts


_current: ContextVar[Trace | None] = ContextVar("trace", default=None)


def start_trace(
    tracer: Tracer | None, name: str, attributes: Attributes, parents: Sequence[str], states: Sequence[str] = ()
) -> Trace:
    """Continues the caller's trace, or starts a new one, and makes it the current one of this task.

    Args:
        tracer: Exports the spans; None: they are not exported.
        name: Of the request's span: method and route, never a raw path.
        attributes: What is known of the request.
        parents: Every ``traceparent`` that came; several, or one that is not valid, are ignored.
        states: Every ``tracestate`` that came.
    """
    match = read_traceparent(parents[0]) if len(parents) == 1 else None
    if tracer is not None:
        trace = tracer.start(name, match[0] if match else "", ",".join(states), attributes)
    else:
        drawn = os.urandom(24).hex()
        identifier, flags = (match[1], int(match[2], 16) & SAMPLED) if match else (drawn[16:], 0)
        trace = Trace(identifier, drawn[:16], flags)
    _current.set(trace)
    return trace


def current_trace() -> Trace | None:
    """Returns the trace of the request that this task answers; None outside of requests."""
    return _current.get()


def read_traceparent(value: str) -> re.Match[str] | None:
    """Returns the trace (group 1) and the flags (group 2) of a header; None if the specification calls it invalid."""
    match = PARENT.fullmatch(value)
    later_version = not value.startswith("00")  # only a later one may have further fields
    return match if match and (later_version or not match[3]) else None


def open_tracer(identity: Identity) -> Tracer | None:
    """Starts exporting spans if the environment names a collector, as OpenTelemetry specifies.

    Raises:
        UserError: If one of OpenTelemetry's variables has a wrong value.
    """
    common = os.environ.get(ENDPOINT, "")
    endpoint = os.environ.get(TRACES_ENDPOINT) or (common and f"{common.rstrip('/')}/v1/traces")
    disabled = os.environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true"
    exporters = os.environ.get("OTEL_TRACES_EXPORTER") or "otlp"
    if not endpoint or disabled or "otlp" not in exporters.split(","):
        return None
    if not endpoint.startswith(("http://", "https://")):
        raise UserError("is no http:// or https:// address", where=f"{ENDPOINT}, {TRACES_ENDPOINT}", remedy="Fix it.")
    protocol = os.environ.get("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL") or os.environ.get("OTEL_EXPORTER_OTLP_PROTOCOL")
    if protocol not in (None, "", "http/protobuf"):
        raise UserError(
            f"{protocol} is not supported",
            where="OTEL_EXPORTER_OTLP_PROTOCOL",
            remedy="Set http/protobuf, and the collector's port for it (usually 4318).",
        )
    # Otherwise the SDK logs malformed values of variables, which may be secrets, malformed headers of callers, and each
    # attempt to reach a collector that is down
    logging.getLogger("opentelemetry").setLevel(logging.ERROR)
    _check_headers()
    try:
        return Tracer(endpoint, identity)
    except ValueError as error:
        raise UserError(str(error), where="environment variables OTEL_*", remedy="Fix the value.") from error


def _check_headers() -> None:
    """Refuses headers for the collector that the exporter would drop or could not send; never quotes their values."""
    from opentelemetry.util.re import parse_env_headers

    variable = TRACES_HEADERS if TRACES_HEADERS in os.environ else HEADERS
    for position, header in enumerate(os.environ.get(variable, "").split(","), 1):
        parsed = parse_env_headers(header, liberal=True)
        if (header.strip() and not parsed) or not all(map(str.isprintable, parsed.values())):
            raise UserError(
                f"header {position} is malformed",
                where=variable,
                remedy="Write name=value, several separated by commas; a comma in a value as %2C.",
            )
