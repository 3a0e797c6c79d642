"""The front with stand-in services: each request reaches the right service, and none is lost."""

import os
import re
import signal
import socket
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager

import grpc
import httpx
import pytest

from sentiment.errors import UserError
from serving.flavor import BentoDeployerConfig
from serving.front import Front
from serving.nginx import Route
from tests.helpers.certificates import certificate
from tests.helpers.loopback import free_ports, until
from tests.helpers.programs import needs_nginx
from tests.helpers.stand_in import stand_ins
from tests.helpers.traffic import SERVED_BY, healthy_over_grpc, load

pytestmark = [needs_nginx, pytest.mark.slow]
PREDICT = "/sentiment.v1.Sentiment/Predict"


@pytest.fixture(scope="module")
def services():
    """Two services."""
    with stand_ins(2) as made:
        yield made


@pytest.fixture
def front_of(tmp_path):
    """Makes a front with the settings of one test."""
    fronts = []

    def make(**settings):
        ports = dict(zip(("http_port", "grpc_port"), free_ports(2), strict=True))
        config = BentoDeployerConfig(**{**ports, "drain_seconds": 3, **settings})
        fronts.append(Front(tmp_path / str(len(fronts)), config))
        return fronts[-1], config.live_address

    yield make
    for front in fronts:
        front.stop()


@pytest.fixture(scope="module")
def shared(services, tmp_path_factory):
    """A front, shared by all tests that do not change it."""
    config = BentoDeployerConfig(**dict(zip(("http_port", "grpc_port"), free_ports(2), strict=True)))
    front = Front(tmp_path_factory.mktemp("front"), config)
    front.apply(Route(services[0].backend))
    yield config.live_address
    front.stop()


def ask(address, *, headers=None, **options):
    with httpx.Client(base_url=address.http, trust_env=False, verify=False) as client:
        return client.post("/v1/predict", headers=headers, **({"json": {}} | options))


def call(address, metadata=(), message=b"x"):
    with grpc.insecure_channel(address.grpc, [("grpc.use_local_subchannel_pool", 1)]) as channel:
        return channel.unary_unary(PREDICT)(message, timeout=10, metadata=metadata)


def refused(address, **options):
    with pytest.raises(grpc.RpcError) as caught:
        call(address, **options)
    return caught.value.code().name, caught.value.details()


def shown(response):
    return response.status_code, response.json()["error"]["code"]


def test_a_switch_loses_no_request(front_of, services):
    front, address = front_of()
    first, second = services
    front.apply(Route(first.backend))
    with load(address.http, address.grpc, message=b"x", callers=6) as met:
        for service in (second, first, second):
            front.apply(Route(service.backend))
            name = str(service.uuid)
            assert address.served_by() == name
            seen = met.http[name], met.grpc[name]
            until(lambda name=name, seen=seen: met.http[name] > seen[0] and met.grpc[name] > seen[1])
    assert met.failures == []
    assert set(met.http) == set(met.grpc) == {str(s.uuid) for s in services}


def test_requests_in_flight_are_answered_by_their_service(front_of, services):
    front, address = front_of()
    with stand_ins(1, delay=2) as (slow,), ThreadPoolExecutor() as pool:
        front.apply(Route(slow.backend))
        at_work = [pool.submit(ask, address), pool.submit(call, address)]
        until(lambda: slow.http_requests and slow.grpc_requests)
        front.apply(Route(services[0].backend))  # returns when they are answered
        assert all(one.done() for one in at_work)
        assert at_work[0].result().headers[SERVED_BY] == str(slow.uuid)
        assert at_work[1].result() == b"x"
        assert ask(address).headers[SERVED_BY] == str(services[0].uuid)


def test_a_canary_gets_its_share_of_predictions_and_nothing_else(front_of, services):
    front, address = front_of()
    live, canary = services
    front.apply(Route(live.backend, canary=canary.backend, share=30))
    shares = Counter()
    with httpx.Client(base_url=address.http, trust_env=False) as client:
        for _ in range(500):
            shares["http", client.post("/v1/predict", json={}).headers[SERVED_BY]] += 1
        assert {client.get("/readyz").headers[SERVED_BY] for _ in range(50)} == {str(live.uuid)}
    before = len(canary.grpc_requests)
    with grpc.insecure_channel(address.grpc) as channel:
        for _ in range(500):
            channel.unary_unary(PREDICT)(b"x", timeout=10)
    # 500 draws: the standard deviation is 10
    assert 100 < shares["http", str(canary.uuid)] < 200
    assert 100 < len(canary.grpc_requests) - before < 200


def test_a_canary_that_is_gone_costs_no_request(front_of, services):
    front, address = front_of()
    with stand_ins(1) as (canary,):
        front.apply(Route(services[0].backend, canary=canary.backend, share=50))
        assert {ask(address).headers[SERVED_BY] for _ in range(40)} == {str(services[0].uuid), str(canary.uuid)}
    assert {ask(address).status_code for _ in range(20)} == {200}
    assert {call(address) for _ in range(20)} == {b"x"}


@pytest.mark.parametrize("timeout", [0.5, 2.5, 3600])
def test_any_limit_that_a_stack_file_may_set(front_of, services, timeout):
    front, address = front_of(timeout=timeout)
    front.apply(Route(services[0].backend))
    assert ask(address).status_code == 200


def test_no_client_waits_for_a_slow_shadow(front_of, services, monkeypatch):
    monkeypatch.setattr("serving.nginx.MAX_CLIENT_REQUESTS", 1)  # the shadow's open requests count less
    front, address = front_of()
    live, shadow = services
    front.apply(Route(live.backend, shadow=shadow.backend))
    shadow.delay = 8
    try:
        with httpx.Client(base_url=address.http, trust_env=False, timeout=6) as client:  # the same connection
            for _ in range(2):
                assert client.post("/v1/predict", json={}).status_code == 200
    finally:
        shadow.delay = 0


def test_a_shadow_gets_copies_under_the_same_identifier(front_of, services):
    front, address = front_of()
    live, shadow = services
    front.apply(Route(live.backend, shadow=shadow.backend))
    before, copied = len(live.http_requests), len(shadow.http_requests)
    body = b" " * 100_000
    answers = [
        ask(address, headers={"X-Request-Id": name} if name else None, content=body)
        for name in ("one", None, "bad name")
    ]
    until(lambda: len(shadow.http_requests) == copied + 3)
    given = [answer.headers["X-Request-Id"] for answer in answers]
    assert given[0] == "one"
    assert all(re.fullmatch("[0-9a-f]{32}", name) for name in given[1:])
    assert live.http_requests[before:] == given
    assert sorted(shadow.http_requests[copied:]) == sorted(given)
    assert {answer.headers[SERVED_BY] for answer in answers} == {str(live.uuid)}


def test_a_trace_goes_through_the_front_and_to_the_shadow(front_of, services):
    front, address = front_of()
    live, shadow = services
    front.apply(Route(live.backend, shadow=shadow.backend))
    trace = f"00-{'4b' * 16}-{'b7' * 8}-01"
    ask(address, headers={"traceparent": trace})
    with grpc.insecure_channel(address.grpc) as channel:
        channel.unary_unary(PREDICT)(b"x", timeout=10, metadata=(("traceparent", trace),))
    assert live.traces[-2:] == [trace, trace]
    until(lambda: shadow.traces and shadow.traces[-1] == trace)


def test_refusals_of_the_front_are_json(shared, services):
    too_large = ask(shared, content=b" " * ((1 << 20) + 1))
    assert shown(too_large) == (413, "RESOURCE_EXHAUSTED")
    assert ask(shared, content=b" " * (1 << 20)).json()["bytes"] == 1 << 20
    with socket.create_connection(("127.0.0.1", shared.http_port)) as raw:
        raw.sendall(b"GET /readyz HTTP/1.1\r\nno colon\r\n\r\n")
        answer = raw.recv(10_000).decode()
    assert answer.startswith("HTTP/1.1 400")
    assert "INVALID_ARGUMENT" in answer
    with httpx.Client(base_url=shared.http, trust_env=False) as client:
        assert shown(client.get("/-closing")) == (404, "NOT_FOUND")
        assert client.post("/v1/predict?a=%20b", json={}).json()["path"] == "/v1/predict?a=%20b"


def test_a_service_that_is_gone_is_unavailable_over_both_protocols(front_of):
    front, address = front_of()
    with stand_ins(1) as (service,):
        front.apply(Route(service.backend))
        assert address.problem() == ""
    answer = ask(address)
    assert shown(answer) == (503, "UNAVAILABLE")
    assert answer.headers["Retry-After"] == "1"
    assert refused(address) == ("UNAVAILABLE", "no service answers: try again in 1 s")
    assert "503" in address.problem()


def test_limits_the_rate_of_a_caller_but_not_of_health_checks(front_of, services):
    front, address = front_of(requests_per_second=5)
    front.apply(Route(services[0].backend))
    seen = Counter(ask(address).status_code for _ in range(30))
    assert seen[200] >= 5
    assert seen[429] >= 10
    limited = next(answer for answer in iter(lambda: ask(address), None) if answer.status_code == 429)
    assert shown(limited) == (429, "RESOURCE_EXHAUSTED")
    assert "RESOURCE_EXHAUSTED" in {code_of(address) for _ in range(20)}
    assert [address.problem() for _ in range(20)] == [""] * 20


@contextmanager
def dripping(address, count):
    """Requests without an end; those that are refused at once are recognised by their answers."""
    with ExitStack() as held:
        for _ in range(count):
            connection = held.enter_context(socket.create_connection(("127.0.0.1", address.http_port)))
            connection.sendall(b"POST /v1/predict HTTP/1.1\r\nHost: x\r\nContent-Length: 1048576\r\n\r\n")
            connection.sendall(b"x" * 1_000_000)
        yield


def test_one_caller_does_not_take_all_connections(front_of, services, monkeypatch):
    monkeypatch.setattr("serving.nginx.MAX_CLIENT_REQUESTS", 50)
    front, address = front_of()
    front.apply(Route(services[0].backend))
    with dripping(address, 50):
        until(lambda: ask(address).status_code == 429)
        assert shown(ask(address)) == (429, "RESOURCE_EXHAUSTED")
        assert code_of(address) == "RESOURCE_EXHAUSTED"
        assert address.problem() == ""
        elsewhere = httpx.HTTPTransport(local_address="127.0.0.2")
        with httpx.Client(base_url=address.http, transport=elsewhere) as client:
            assert client.post("/v1/predict", json={}).status_code == 200
    until(lambda: ask(address).status_code == 200)


def test_large_bodies_do_not_take_all_memory(front_of, services, monkeypatch):
    monkeypatch.setattr("serving.nginx.MAX_LARGE_BODIES", 3)
    front, address = front_of()
    front.apply(Route(services[0].backend))
    large = b" " * 20_000
    assert ask(address, content=large).json()["bytes"] == 20_000
    with dripping(address, 3):
        until(lambda: ask(address, content=large).status_code == 429)
        assert ask(address, content=iter([b"of a length that is not said"])).status_code == 429
        assert ask(address, content=large[:9_999]).json()["bytes"] == 9_999
        assert code_of(address) == "OK"
    until(lambda: ask(address, content=large).status_code == 200)


def code_of(address):
    try:
        call(address)
    except grpc.RpcError as error:
        return error.code().name
    return "OK"


def test_speaks_tls_over_both_protocols(front_of, services, tmp_path):
    """With a certificate for another name than the machine's, signed by an authority that is not in it."""
    public, private = certificate(tmp_path, "reviews.example", trusted=False)
    front, address = front_of(tls_certificate=str(public), tls_key=str(private))
    front.apply(Route(services[0].backend))
    assert address.http.startswith("https://")
    assert address.problem() == ""
    assert ask(address).status_code == 200
    assert "HTTP" in type(address)(address.host, address.http_port, address.grpc_port).problem()


def test_a_bad_configuration_never_replaces_a_good_one(front_of, services, tmp_path):
    front, address = front_of()
    front.apply(Route(services[0].backend))
    (tmp_path / "empty").write_text("")
    broken = front._config.model_copy(update={k: str(tmp_path / "empty") for k in ("tls_certificate", "tls_key")})
    with pytest.raises(UserError, match=r"front \(nginx\): does not start: .*empty"):
        Front(front._folder, broken).apply(Route(services[1].backend))
    assert address.served_by() == str(services[0].uuid)
    front.stop()
    front.apply(Route(services[0].backend))
    assert address.problem() == ""


def test_a_configuration_that_nginx_cannot_reload_is_reverted(front_of, services, monkeypatch):
    monkeypatch.setattr("serving.front.START_TIMEOUT_S", 1.0)
    front, address = front_of()
    front.apply(Route(services[0].backend))
    before = (front._folder / "nginx.conf").read_text()
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        moved = front._config.model_copy(update={"http_port": other.getsockname()[1]})
        with pytest.raises(UserError, match="does not take its configuration"):
            Front(front._folder, moved).apply(Route(services[1].backend))
    assert (front._folder / "nginx.conf").read_text() == before
    assert address.served_by() == str(services[0].uuid)
    monkeypatch.undo()
    front.apply(Route(services[1].backend))
    until(lambda: address.served_by() == str(services[1].uuid))


def test_comes_back_after_its_master_was_killed(front_of, services):
    front, address = front_of()
    front.apply(Route(services[0].backend))
    master = front.master()
    workers = master.children()
    os.kill(master.pid, signal.SIGKILL)
    until(lambda: front.master() is None)
    assert ask(address).status_code == 200  # by workers without a master
    front.apply(Route(services[1].backend))
    assert address.served_by() == str(services[1].uuid)
    until(lambda: not any(worker.is_running() for worker in workers))
    assert front.stop()
    assert not front.stop()


def test_a_port_that_is_taken_is_named(front_of, services):
    front, address = front_of()
    with socket.socket() as other:
        other.bind(("127.0.0.1", address.grpc_port))
        other.listen()
        with pytest.raises(UserError, match=f"port {address.grpc_port} is in use"):
            front.apply(Route(services[0].backend))
    assert front.master() is None
    front.apply(Route(services[0].backend))
    assert healthy_over_grpc(address.grpc)


def test_does_nothing_twice(front_of, services):
    front, _ = front_of()
    front.apply(Route(services[0].backend))
    until(lambda: front.master().children())  # nginx has written its process id before it starts its workers
    workers = front.master().children()
    front.apply(Route(services[0].backend))
    assert front.master().children() == workers
