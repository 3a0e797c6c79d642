"""Clients that never pause and never retry, and a count of their answers."""

import threading
from collections import Counter
from contextlib import contextmanager

import grpc
import httpx
from grpc_health.v1 import health_pb2

from tests.helpers.loopback import until

SERVED_BY = "x-served-by"
TEXTS = ["a lovely film with a superb ending", "a dull plot and a tedious actor"]


class Met:
    """The number of answers by protocol and version, and every failure."""

    def __init__(self):
        self.http, self.grpc, self.failures = Counter(), Counter(), []


@contextmanager
def load(deployment_http, deployment_grpc, *, method="/sentiment.v1.Sentiment/Predict", message=b"", callers=3):
    """Clients over HTTP and as many over gRPC while the block runs, each on one connection."""
    met, over = Met(), threading.Event()

    def over_http():
        with httpx.Client(base_url=deployment_http, trust_env=False, timeout=20) as client:
            while not over.is_set():
                try:
                    response = client.post("/v1/predict", json={"texts": TEXTS})
                    response.raise_for_status()
                    met.http[response.headers[SERVED_BY]] += 1
                except Exception as error:
                    met.failures.append(repr(error))

    def over_grpc():
        with grpc.insecure_channel(deployment_grpc, [("grpc.use_local_subchannel_pool", 1)]) as channel:
            call = channel.unary_unary(method)
            while not over.is_set():
                try:
                    _, state = call.with_call(message, timeout=20)
                    met.grpc[dict(state.initial_metadata())[SERVED_BY]] += 1
                except Exception as error:
                    met.failures.append(repr(error))

    threads = [threading.Thread(target=work) for work in (over_http, over_grpc) for _ in range(callers)]
    for thread in threads:
        thread.start()
    try:
        until(lambda: sum(met.http.values()) > 5 and sum(met.grpc.values()) > 5)
        yield met
    finally:
        over.set()
        for thread in threads:
            thread.join()


def healthy_over_grpc(address):
    with grpc.insecure_channel(address, [("grpc.use_local_subchannel_pool", 1)]) as channel:
        check = channel.unary_unary("/grpc.health.v1.Health/Check")
        return health_pb2.HealthCheckResponse.FromString(check(b"", timeout=5)).status == 1
