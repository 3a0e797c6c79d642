"""The checks of a canary's traffic."""

import pytest
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest

from serving.rollouts import canary
from serving.rollouts.agreement import Pair
from serving.rollouts.canary import Traffic, judge, read_traffic
from serving.rollouts.settings import RolloutSettings

SAME = [Pair(0.9, 0.8, agrees=True), Pair(0.1, 0.2, agrees=True)] * 10
SETTINGS = RolloutSettings(mode="canary", min_requests=20, max_error_rate=0.02, max_latency_ratio=1.5)


def traffic(requests=100, failed=0, milliseconds=10):
    """All requests took about this long."""
    bound = milliseconds / 1000
    return Traffic(requests, failed, ((bound / 2, 0), (bound, requests), (float("inf"), requests)))


def failures(new, live, settings=SETTINGS):
    return {check.name: check for check in judge(new, live, settings) if not check.passed}


def test_a_canary_as_good_as_the_live_one_is_promoted():
    assert not failures(traffic(), traffic(requests=900))


@pytest.mark.parametrize(
    ("new", "live", "name", "words"),
    [
        (traffic(failed=3), traffic(), "errors", "3.0% of 100"),
        (traffic(milliseconds=20), traffic(), "latency", "p95 19.5 ms, live 9.8 ms"),
        (traffic(requests=19), traffic(), "requests", "19"),
        (traffic(), traffic(requests=0), "latency", "the live one had no requests"),
    ],
)
def test_each_reason_to_abort(new, live, name, words):
    found = failures(new, live)
    assert list(found) == [name]
    assert words in found[name].observed


def test_errors_that_the_live_one_has_as_well_are_not_the_canarys():
    assert not failures(traffic(failed=5), traffic(failed=4))


def test_no_traffic_aborts_unless_it_may_be_missing():
    nothing = traffic(requests=0)
    assert {"requests", "latency"} <= set(failures(nothing, nothing))
    assert not failures(nothing, nothing, settings=SETTINGS.model_copy(update={"min_requests": 0}))


class Service:
    """The metrics of the contract, as a service writes them."""

    def __init__(self):
        self.registry = CollectorRegistry()
        self.requests = Counter("sentiment_requests_total", "", ["protocol", "method", "code"], registry=self.registry)
        self.seconds = Histogram(
            "sentiment_request_seconds", "", ["protocol", "method"], buckets=(0.01, 0.1, 1), registry=self.registry
        )

    def answer(self, protocol, method, code, seconds, times=1):
        self.requests.labels(protocol, method, code).inc(times)
        for _ in range(times):
            self.seconds.labels(protocol, method).observe(seconds)

    def read(self):
        return read_traffic(generate_latest(self.registry).decode())


def test_only_predictions_of_both_protocols_are_counted():
    service = Service()
    service.answer("http", "/v1/predict", "200", 0.005, times=6)
    service.answer("http", "/v1/predict", "503", 0.005)
    service.answer("http", "/v1/predict", "422", 0.005)  # an error of the caller
    service.answer("grpc", "Predict", "OK", 0.05, times=3)
    service.answer("grpc", "Predict", "DEADLINE_EXCEEDED", 0.05)
    service.answer("grpc", "Predict", "INVALID_ARGUMENT", 0.05)
    service.answer("http", "/v1/info", "500", 5)
    service.answer("http", "other", "404", 5)
    found = service.read()
    assert (found.requests, found.failed) == (13, 2)
    assert found.seconds == ((0.01, 8), (0.1, 13), (1.0, 13), (float("inf"), 13))


def test_earlier_requests_do_not_count():
    service = Service()
    service.answer("http", "/v1/predict", "500", 5, times=50)
    before = service.read()
    service.answer("http", "/v1/predict", "200", 0.05, times=10)
    since = service.read().since(before)
    assert (since.requests, since.failed) == (10, 0)
    assert 0.01 < since.p95 <= 0.1


def test_a_first_request_after_the_start_has_no_earlier_buckets():
    service = Service()
    before = service.read()
    service.answer("grpc", "Predict", "OK", 0.005, times=4)
    since = service.read().since(before)
    assert (since.requests, since.p95) == (4, pytest.approx(0.0095))


@pytest.mark.parametrize(
    ("seconds", "wanted"),
    [
        ((), None),
        (((0.1, 0), (float("inf"), 0)), None),
        (((0.1, 90), (0.2, 100), (float("inf"), 100)), 0.15),
        (((0.1, 50), (0.2, 60), (float("inf"), 100)), 0.2),  # above the last bound: at least the bound
    ],
)
def test_p95_is_interpolated_in_its_bucket(seconds, wanted):
    found = Traffic(100, 0, seconds).p95
    assert found is None if wanted is None else found == pytest.approx(wanted)


@pytest.fixture
def watched(monkeypatch):
    """Watches a canary with given answers and counters; returns the report and the number of readings."""

    def watched(pairs=SAME, counters=(), **settings):
        routed, looks = [], iter(counters)

        def traffic_of(access):
            if access == "live":
                return Traffic(0, 0, ())
            found = next(looks)
            if isinstance(found, Exception):
                raise found
            return found

        monkeypatch.setattr(canary, "_ask_both", lambda *_: pairs)
        monkeypatch.setattr(canary, "_traffic", traffic_of)
        monkeypatch.setattr("serving.rollouts.watch.POLL_S", 0.001)
        report = canary.watch_canary(
            lambda: routed.append(True), "canary", "live", [], SETTINGS.model_copy(update={"seconds": 600, **settings})
        )
        return report, bool(routed), len(list(looks))

    return watched


def failed_checks(report):
    return [check.name for check in report.failures("critical")]


def test_a_canary_that_disagrees_with_the_live_service_gets_no_traffic(watched):
    report, routed, _ = watched(pairs=[Pair(0.9, 0.1, agrees=False)] * 5 + SAME, min_agreement=0.85)
    assert (failed_checks(report), routed) == (["agreement"], False)
    assert report.checks[0].observed.startswith("80.0% of 25 texts")


def test_a_canary_that_fails_is_aborted_before_its_time_is_over(watched):
    counters = [traffic(0), traffic(10, failed=5), traffic(30, failed=9), traffic(31, failed=9), traffic(32)]
    report, routed, left = watched(counters=counters)  # ten requests are too few for a verdict
    assert "errors" in failed_checks(report)
    assert (routed, left) == (True, 1)


def test_a_canary_that_does_not_answer_fails_with_the_reason(watched):
    import httpx

    report, _, _ = watched(counters=[traffic(0), httpx.ConnectError("refused")])
    assert failed_checks(report) == ["answers"]
    assert "refused" in report.checks[0].observed
