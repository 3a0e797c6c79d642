"""A collector of spans on this machine: OTLP over HTTP, in protobuf."""

from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from threading import Thread

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.helpers.stand_in import Server


@dataclass(frozen=True)
class Span:
    name: str
    trace: str
    id: str
    parent: str
    kind: int
    failed: bool
    state: str
    seconds: float
    attributes: dict
    resource: dict


class Collector:
    def __init__(self, status=200):
        self.spans, self.headers, self.status = [], [], status
        collector = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):  # the standard library's name
                collector.headers.append(dict(self.headers))
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if self.path == "/v1/traces" and collector.status == 200:
                    collector.spans.extend(_spans(ExportTraceServiceRequest.FromString(body)))
                self.send_response(collector.status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *args):
                pass

        self._server = Server(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self._server.server_port}"
        Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def stop(self):
        self._server.shutdown()
        self._server.server_close()

    def of(self, trace):
        """The spans of one trace by their names; the last of each."""
        return {span.name: span for span in self.spans if span.trace == trace}


def _spans(request):
    for group in request.resource_spans:
        resource = _values(group.resource.attributes)
        for scope in group.scope_spans:
            for s in scope.spans:
                seconds = (s.end_time_unix_nano - s.start_time_unix_nano) / 1e9
                place = s.trace_id.hex(), s.span_id.hex(), s.parent_span_id.hex()
                attributes = _values(s.attributes)
                yield Span(
                    s.name, *place, s.kind, s.status.code == 2, s.trace_state, seconds, attributes, resource
                )  # fmt: skip


def _values(attributes):
    return {a.key: getattr(a.value, a.value.WhichOneof("value")) for a in attributes}


@contextmanager
def collector(**options):
    started = Collector(**options)
    try:
        yield started
    finally:
        started.stop()
