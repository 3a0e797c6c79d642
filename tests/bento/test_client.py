"""The promises of the client, whichever server answers it."""

import contextlib
import socket
import ssl
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import grpc
import pytest

from bento.client import GrpcClient, HttpClient, ServiceError
from bento.connections import open_http
from bento.stubs import sentiment_pb2 as pb


def test_plain_http_reads_no_certificates(monkeypatch):
    made = []
    create = ssl.create_default_context
    monkeypatch.setattr(ssl, "create_default_context", lambda *a, **k: made.append(1) or create(*a, **k))

    def opened(address):
        made.clear()
        with open_http(address, token=None, ca=None, name=None, proxied=False):
            return len(made)

    assert opened("http://127.0.0.1:3000") == 0
    assert opened("https://127.0.0.1:3000") == 1


@pytest.fixture
def dripping():
    """Address of a server that sends its answer byte by byte, over half a minute."""
    body = b'{"model": "' + b"m" * 600 + b'"}'

    def serve():
        connection, _ = listening.accept()
        with connection, contextlib.suppress(OSError):  # the client leaves
            connection.recv(65536)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body))
            for byte in body:
                connection.sendall(bytes([byte]))
                time.sleep(0.05)

    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = threading.Thread(target=serve)
        server.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        server.join()


def test_one_time_limit_holds_for_an_answer_that_drips(dripping):
    with HttpClient(dripping, timeout=0.5, retries=0) as client, pytest.raises(ServiceError) as caught:
        client.info()
    assert caught.value.code == "DEADLINE_EXCEEDED"


@pytest.fixture
def stalling():
    """Address of a server that answers the first batch of a stream only."""
    left = threading.Event()

    def answer(requests, _):
        next(requests)
        yield pb.PredictResponse(model_version="7")
        left.wait()

    server = grpc.server(ThreadPoolExecutor(1))
    method = grpc.stream_stream_rpc_method_handler(answer, None, pb.PredictResponse.SerializeToString)
    server.add_generic_rpc_handlers(
        (grpc.method_handlers_generic_handler("sentiment.v1.Sentiment", {"PredictStream": method}),)
    )
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    yield f"127.0.0.1:{port}"
    left.set()
    server.stop(None)


def test_a_stream_does_not_wait_forever_for_its_next_answer(stalling):
    outcome = []

    def ask():
        with GrpcClient(stalling, timeout=0.5) as client:
            answers = client.predict_stream([["a lovely film"], ["a dull plot"]])
            outcome.append(next(answers).model_version)
            time.sleep(1)  # the caller's own work does not count as the service's time
            try:
                next(answers)
            except ServiceError as error:
                outcome.append(error.code)

    asking = threading.Thread(target=ask, daemon=True)
    asking.start()
    asking.join(20)
    assert outcome == ["7", "DEADLINE_EXCEEDED"]


def test_retries_meet_a_service_that_comes_back(monkeypatch):
    """The shortest pauses add up to less than the second that gRPC would wait by itself."""
    monkeypatch.setattr("bento.client.random.uniform", lambda shortest, _: shortest)
    pause, came = time.sleep, socket.socket()
    came.bind(("127.0.0.1", 0))  # reserves the port, and connections to it are refused

    def comes_back(seconds):
        """While the client waits before a retry."""
        came.listen()
        pause(seconds)

    monkeypatch.setattr("bento.client.time.sleep", comes_back)
    with came, GrpcClient(f"127.0.0.1:{came.getsockname()[1]}", timeout=3, retries=5) as client:
        with pytest.raises(ServiceError):  # it accepts connections, and never answers
            client.predict(["x"])
        came.setblocking(False)
        came.accept()[0].close()  # BlockingIOError, if there was no connection


BAD_TEXTS = ["lovely", b"lovely", {"texts": ["lovely"]}, None, 5, [1], [None], [["lovely"]], ["lovely", b"dull"]]


@pytest.mark.parametrize("client", [HttpClient("http://127.0.0.1:9", retries=0), GrpcClient("127.0.0.1:9", retries=0)])
@pytest.mark.parametrize("texts", BAD_TEXTS, ids=repr)
def test_both_clients_refuse_bad_arguments_before_they_ask(client, texts):
    with pytest.raises(TypeError, match=r"list of texts|must be a text"):
        client.predict(texts)
    with pytest.raises(ValueError, match="text 2 holds half a character at position 1"):
        client.predict(["fine", "a\ud83d"])
    for prediction, label in ((None, "positive"), (5, "positive"), ("0" * 32, None), ("0" * 32, True)):
        with pytest.raises(TypeError, match="must be a text"):
            client.feedback(prediction, label)


def test_texts_may_come_in_any_iterable_but_a_text():
    import numpy as np
    import pandas as pd

    for texts in (["a"], ("a",), iter(["a"]), np.array(["a"]), pd.Series(["a"])):
        with HttpClient("http://127.0.0.1:9", retries=0) as client, pytest.raises(ServiceError, match="no connection"):
            client.predict(texts)


def test_a_bad_batch_of_a_stream_is_the_callers_error(stalling):
    with GrpcClient(stalling, timeout=5) as client, pytest.raises(TypeError, match="list of texts"):
        list(client.predict_stream([["fine"], "lovely"]))
