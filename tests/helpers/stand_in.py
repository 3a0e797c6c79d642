"""A stand-in service that starts at once, answers over both protocols, and records its requests."""

import json
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from uuid import uuid4

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from serving.nginx import Backend


class Server(ThreadingHTTPServer):
    """Closes its connections when it is closed."""

    daemon_threads = True

    def __init__(self, *arguments):
        self.connections = []
        super().__init__(*arguments)

    def process_request(self, request, client_address):
        self.connections.append(request)
        super().process_request(request, client_address)

    def server_close(self):
        super().server_close()
        for connection in self.connections:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


class StandIn:
    def __init__(self, delay=0.0):
        self.uuid, self.delay = uuid4(), delay
        self.http_requests, self.grpc_requests, self.traces = [], [], []  # identifiers
        self._http = Server(("127.0.0.1", 0), self._handler())
        self._grpc = grpc.server(ThreadPoolExecutor(8))
        self._grpc.add_generic_rpc_handlers((self._generic(),))
        servicer = health.HealthServicer()
        servicer.set("", health_pb2.HealthCheckResponse.SERVING)
        health_pb2_grpc.add_HealthServicer_to_server(servicer, self._grpc)
        self.backend = Backend(
            str(self.uuid),
            f"127.0.0.1:{self._http.server_port}",
            f"127.0.0.1:{self._grpc.add_insecure_port('127.0.0.1:0')}",
        )
        self._grpc.start()
        Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def stop(self):
        self._http.shutdown()
        self._http.server_close()
        self._grpc.stop(0).wait()

    def _handler(self):
        service = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True
            wbufsize = -1  # header and body together

            def do_GET(self):  # the standard library's names
                self._answer(b"ready")

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                service.http_requests.append(self.headers["X-Request-Id"])
                service.traces.append(self.headers["traceparent"])
                time.sleep(service.delay)
                self._answer(json.dumps({"bytes": len(body), "path": self.path}).encode())

            def _answer(self, body):
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.send_header("X-Request-Id", self.headers["X-Request-Id"] or "")
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args):
                pass

        return Handler

    def _generic(self):
        service = self

        class Generic(grpc.GenericRpcHandler):
            def service(self, details):
                if not details.method.startswith("/sentiment"):
                    return None

                def handle(request, context):
                    given = dict(context.invocation_metadata())
                    service.grpc_requests.append(given.get("x-request-id"))
                    service.traces.append(given.get("traceparent"))
                    time.sleep(service.delay)
                    return request

                return grpc.unary_unary_rpc_method_handler(handle)

        return Generic()


@contextmanager
def stand_ins(count, **options):
    made = [StandIn(**options) for _ in range(count)]
    try:
        yield made
    finally:
        for one in made:
            one.stop()
