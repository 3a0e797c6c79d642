"""nginx accepts the configuration, and follows it in front of stand-in services."""

import json
import os
import shutil
import socket
import subprocess
import threading
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import grpc
import pytest

from serving.nginx import render_for_compose
from tests.helpers.deploy_files import DEPLOY
from tests.helpers.loopback import free_ports

nginx = shutil.which("nginx", path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(nginx is None, reason="nginx is not installed (Debian's package)"),
]


def configuration(folder, http, grpc_port, upstream_http, upstream_grpc, changes=()):
    """The shipped file with addresses on this machine and with its files in ``folder``."""
    text = (DEPLOY / "nginx.conf").read_text()
    for old, new in {
        "listen 0.0.0.0:3000;": f"listen 127.0.0.1:{http};",
        "listen 0.0.0.0:3001 http2;": f"listen 127.0.0.1:{grpc_port} http2;",
        "server sentiment:3000 ": f"server 127.0.0.1:{upstream_http} ",
        "server sentiment:3001 ": f"server 127.0.0.1:{upstream_grpc} ",
        **dict(changes),
    }.items():
        assert old in text
        text = text.replace(old, new)
    if os.geteuid() == 0:  # otherwise its workers run as the user nobody, which may not write here
        text = f"user root;\n{text}"
    file = folder / "nginx.conf"
    file.write_text(text.replace('"/tmp/', f'"{folder}/'))
    return file


class Service(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    answered = 0  # number of requests on this connection

    def do_GET(self):  # the standard library's name
        if self.path == "/closed" and self.answered:
            self.close_connection = True
            return
        self.answered += 1
        status = 503 if self.path == "/refused" else 200
        body = json.dumps({"path": self.path, "request": self.headers["X-Request-Id"]}).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self):  # the standard library's name
        self.rfile.read(int(self.headers["Content-Length"]))
        self.do_GET()

    def log_message(self, *args):
        pass


def echo_server():
    server = grpc.server(ThreadPoolExecutor(2))
    methods = {
        "Unary": grpc.unary_unary_rpc_method_handler(lambda request, context: request),
        "Stream": grpc.stream_stream_rpc_method_handler(lambda requests, context: requests),
    }
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("test.Echo", methods),))
    return server, server.add_insecure_port("127.0.0.1:0")


@pytest.fixture
def front(tmp_path, request):
    """Ports of nginx (HTTP, gRPC), and a function that stops the services behind it; parameters change the file."""
    web = ThreadingHTTPServer(("127.0.0.1", 0), Service)
    thread = threading.Thread(target=web.serve_forever)
    thread.start()
    rpc, rpc_port = echo_server()
    rpc.start()

    def stop():
        web.shutdown()
        web.server_close()
        thread.join()
        rpc.stop(None).wait()

    ports = free_ports(2)
    file = configuration(tmp_path, *ports, web.server_port, rpc_port, getattr(request, "param", ()))
    process = subprocess.Popen([nginx, "-p", tmp_path, "-c", file, "-g", "daemon off;"], stderr=subprocess.PIPE)
    for port in ports:
        wait_for(port)
    yield *ports, stop
    process.terminate()
    process.communicate(timeout=30)
    stop()


def wait_for(port):
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise AssertionError("nginx does not listen")


def ask(port, path, body=None):
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", data=body, headers={"X-Request-Id": "r1"})
    try:
        with urllib.request.urlopen(request, timeout=10) as response:
            return response.status, json.load(response), response.headers
    except urllib.error.HTTPError as error:
        return error.code, json.load(error), error.headers


def call(port, method="Unary", messages=(b"hello",)):
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        if method == "Stream":
            return list(channel.stream_stream("/test.Echo/Stream")(iter(messages), timeout=10))
        return channel.unary_unary(f"/test.Echo/{method}")(*messages, timeout=10)


def test_the_configuration_is_what_the_template_makes():
    """Otherwise: python -m serving.nginx."""
    assert render_for_compose() == (DEPLOY / "nginx.conf").read_text()


def test_the_configuration_is_valid(tmp_path):
    file = configuration(tmp_path, *free_ports(4))
    done = subprocess.run([nginx, "-t", "-p", tmp_path, "-c", file], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_requests_pass_in_both_protocols(front):
    http, rpc, _ = front
    status, body, _ = ask(http, "/v1/predict", b"{}")
    assert (status, body) == (200, {"path": "/v1/predict", "request": "r1"})
    assert call(rpc) == b"hello"
    messages = [str(i).encode() for i in range(50)]
    assert call(rpc, "Stream", messages) == messages


def test_metrics_are_not_for_the_public(front):
    status, body, _ = ask(front[0], "/metrics")
    assert (status, body["error"]["code"]) == (404, "NOT_FOUND")


def test_a_large_body_is_refused_in_the_services_words(front):
    status, body, _ = ask(front[0], "/v1/predict", b"x" * (2**20 + 1))
    assert (status, body["error"]["code"]) == (413, "RESOURCE_EXHAUSTED")
    assert ask(front[0], "/v1/predict", b"x" * 2**20)[0] == 200


def test_the_services_own_errors_pass_as_they_are(front):
    status, body, _ = ask(front[0], "/refused")
    assert (status, body["path"]) == (503, "/refused")
    with pytest.raises(grpc.RpcError) as caught:
        call(front[1], "Unknown")
    assert caught.value.code() is grpc.StatusCode.UNIMPLEMENTED


def test_without_a_service_both_protocols_say_unavailable(front):
    http, rpc, stop = front
    stop()
    status, body, headers = ask(http, "/v1/predict", b"{}")
    assert (status, body["error"]["code"], headers["Retry-After"]) == (503, "UNAVAILABLE", "1")
    with pytest.raises(grpc.RpcError) as caught:
        call(rpc)
    assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
    assert caught.value.details() == "no service answers: try again in 1 s"


def test_a_connection_that_closes_under_a_request_costs_nothing(front):
    assert ask(front[0], "/v1/predict", b"{}")[0] == 200
    assert ask(front[0], "/closed", b"{}")[0] == 200


@pytest.mark.parametrize("front", [{"rate=200r/s": "rate=1r/m", "burst=200": "burst=1"}], indirect=True)
def test_one_client_cannot_take_everything(front):
    http, rpc, _ = front
    answers = [ask(http, "/v1/predict", b"{}") for _ in range(3)]
    assert [status for status, _, _ in answers] == [200, 200, 429]
    assert answers[-1][1]["error"]["code"] == "RESOURCE_EXHAUSTED"
    with pytest.raises(grpc.RpcError) as caught:
        call(rpc)
    assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
