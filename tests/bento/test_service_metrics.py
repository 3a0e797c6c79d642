"""The metrics that Prometheus reads."""

import re

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from bento.client import GrpcClient, HttpClient, ServiceError
from tests.helpers.loopback import until

TEXTS = ["a lovely film", "a dull plot", "the camera"]


def samples(booted):
    text = httpx.get(f"{booted.http}/metrics").text
    return {
        (s.name, tuple(sorted(s.labels.items()))): s.value
        for family in text_string_to_metric_families(text)
        for s in family.samples
    }


def value(found, name, **labels):
    return found.get((name, tuple(sorted(labels.items()))), 0.0)


def test_counts_the_answers_of_both_protocols(service):
    before = samples(service)
    with HttpClient(service.http) as http, GrpcClient(service.grpc) as client:
        http.predict(TEXTS)
        client.predict(TEXTS)
        with pytest.raises(ServiceError):
            http.predict([" "])
        with pytest.raises(ServiceError):
            client.predict([" "])
    httpx.get(f"{service.http}/some/path")
    after = samples(service)

    def grown(name, **labels):
        return value(after, name, **labels) - value(before, name, **labels)

    assert grown("sentiment_requests_total", protocol="http", method="/v1/predict", code="200") == 1
    assert grown("sentiment_requests_total", protocol="http", method="/v1/predict", code="422") == 1
    assert grown("sentiment_requests_total", protocol="grpc", method="Predict", code="OK") == 1
    assert grown("sentiment_requests_total", protocol="grpc", method="Predict", code="INVALID_ARGUMENT") == 1
    assert grown("sentiment_requests_total", protocol="http", method="other", code="404") == 1
    assert grown("sentiment_request_seconds_count", protocol="grpc", method="Predict") == 2
    predicted = {label: grown("sentiment_predictions_total", label=label) for label in ("positive", "negative")}
    assert sum(predicted.values()) == 6
    assert min(predicted.values()) >= 2
    assert grown("sentiment_confidence_count") == 6
    assert grown("sentiment_batch_texts_sum") == 6
    assert grown("sentiment_queue_seconds_count") == 2  # the others were refused before they waited


def test_reports_its_model(service, bento):
    labels = {"model": "sentiment", "version": "7", "kind": "cascade", "bento": bento.tag}
    assert value(samples(service), "sentiment_model_info", **labels) == 1


def test_no_path_and_no_text_becomes_a_label(service):
    for i in range(20):
        httpx.get(f"{service.http}/v1/predict/{i}")
    text = httpx.get(f"{service.http}/metrics").text
    assert not re.search(r"/v1/predict/\d", text)
    assert "lovely" not in text


@pytest.mark.slow
def test_the_counts_of_all_workers_are_one_page(serve):
    booted = serve(workers=2)
    counts = booted.folder / "state" / "metrics"
    until(lambda: len(list(counts.glob("counter_*.db"))) == 2)  # both workers have started
    clients = [GrpcClient(booted.grpc) for _ in range(16)]  # the kernel spreads connections over the workers
    for client in clients:
        with client:
            client.predict(TEXTS)
    pages = [samples(booted) for _ in range(8)]
    assert {value(p, "sentiment_requests_total", protocol="grpc", method="Predict", code="OK") for p in pages} == {16}
