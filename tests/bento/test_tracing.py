"""W3C traces in and out, in the log and in errors; spans reach a collector, and one that is down costs no answer."""

import asyncio
import contextvars
import json
import logging
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace

import grpc
import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bento.batcher import Batcher
from bento.client import GrpcClient, HttpClient, ServiceError
from bento.connections import trace_headers
from bento.grpc_server import GrpcServer
from bento.guard import Guard
from bento.identity import Identity
from bento.predictor import Predictor
from bento.routes import Route
from bento.settings import ServiceSettings
from bento.stubs import sentiment_pb2 as pb
from bento.tokens import Tokens
from bento.tracing import current_trace, open_tracer, read_traceparent, start_trace
from sentiment.errors import UserError
from sentiment.monitoring.prediction_log import read_log
from tests.helpers.collector import collector
from tests.helpers.loopback import free_ports, until

IDENTITY = Identity("sentiment", "7", "linear", "numpy", "sentiment:v7", ("negative", "positive"))
TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
PARENT = f"00-{TRACE}-{SPAN}-01"
NONSENSE = [
    "", "00", PARENT.upper(), PARENT + "-", PARENT + "-more", PARENT + "0", PARENT[:-1], f" {PARENT}",
    f"ff{PARENT[2:]}", f"00-{'0' * 32}-{SPAN}-01", f"00-{TRACE}-{'0' * 16}-01", f"00-{TRACE[1:]}-{SPAN}-01",
    f"00-{TRACE}-{SPAN}-0g", f"0-{TRACE}-{SPAN}-01", PARENT.replace("-", "_"), PARENT * 100,
    "01" + PARENT[2:] + "more", "é" * 55,
]  # fmt: skip
HEX = st.text("0123456789abcdef", min_size=16, max_size=16).filter(lambda digits: digits.strip("0"))


@pytest.fixture(autouse=True)
def own_variables():
    """Every test decides what is exported; the SDK's loggers get their level back."""
    logger = logging.getLogger("opentelemetry")
    logger.setLevel(logging.NOTSET)
    yield
    logger.setLevel(logging.NOTSET)


@pytest.mark.parametrize("header", NONSENSE)
def test_a_header_of_nonsense_is_ignored(header):
    assert read_traceparent(header) is None
    trace = start_trace(None, "GET /", {}, [header])
    assert read_traceparent(trace.header)
    assert trace.id != TRACE
    assert trace.header.endswith("-00")


@settings(max_examples=50, deadline=None, derandomize=True)
@given(trace=HEX, span=HEX, flags=st.integers(0, 255), version=st.integers(1, 254), more=st.text("-ab 0", max_size=9))
def test_a_valid_trace_goes_on_with_a_span_of_our_own(trace, span, flags, version, more):
    later = f"-{more}" if more else ""  # what a later version may append
    for header in (f"00-{trace * 2}-{span}-{flags:02x}", f"{version:02x}-{trace * 2}-{span}-{flags:02x}{later}"):
        own = start_trace(None, "GET /", {}, [header])
        assert own.id == trace * 2
        assert read_traceparent(own.header)[1] == own.id
        assert own.header[36:52] != span
        assert own.header[53:] == f"{flags & 1:02x}"  # the caller's decision to sample


@settings(max_examples=50, deadline=None, derandomize=True)
@given(st.text(max_size=80))
def test_no_header_is_an_error(header):
    start_trace(None, "GET /", {}, [header])


def test_several_headers_are_ignored_and_new_traces_differ():
    assert start_trace(None, "GET /", {}, [PARENT, PARENT]).id != TRACE
    assert len({start_trace(None, "GET /", {}, []).header for _ in range(100)}) == 100


def metrics():
    return SimpleNamespace(**dict.fromkeys(("batch", "waited", "dropped", "prediction", "request"), lambda *_: None))


class Model:
    """Calls every text positive; fails at the text ``bad``."""

    manifest = SimpleNamespace(labels=("negative", "positive"))

    def predict_proba(self, texts):
        import numpy as np

        if "bad" in texts:
            raise ValueError(texts[0])
        return np.full(len(texts), 0.9)

    def label(self, positive):
        return SimpleNamespace(label="positive", score=positive)


@pytest.fixture
def predictor(tmp_path):
    made = Predictor(Model(), IDENTITY, ServiceSettings(log=tmp_path / "log"), metrics())
    yield made
    made.close()


def over_http(predictor, requests, *, tracer=None):
    """Answers of the guard to requests: pairs of a list of texts and a list of headers."""

    async def predict(behind, body, request, headers):
        answers = await behind.predict(json.loads(body), request=request)
        return json.dumps([answer.label for answer in answers]).encode(), "application/json", {}

    async def run():
        guard = Guard(SimpleNamespace(state=SimpleNamespace()), {"/v1/predict": Route()}, {"/v1/predict": predict})
        guard.start(predictor, Tokens(()), tracer)
        transport = httpx.ASGITransport(app=guard)
        async with httpx.AsyncClient(transport=transport, base_url="http://service") as client:
            return [await client.post("/v1/predict", json=texts, headers=headers) for texts, headers in requests]

    return asyncio.run(run())


def over_grpc(predictor, requests, *, full=False):
    """Code and trailing metadata of calls: pairs of a list of texts and metadata."""

    async def run():
        (port,) = free_ports(1)
        server = GrpcServer(predictor, ServiceSettings(grpc_port=port), Tokens(()))
        server._working = server._settings.max_requests if full else 0
        await server.start()
        found = []
        async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
            ask = channel.unary_unary("/sentiment.v1.Sentiment/Predict")
            stream = channel.stream_stream("/sentiment.v1.Sentiment/PredictStream")
            for texts, metadata in requests:
                data = pb.PredictRequest(texts=texts).SerializeToString()
                streamed = stream(iter([data]), metadata=metadata)
                with suppress(grpc.aio.AioRpcError):
                    assert len([answer async for answer in streamed]) == 1
                for call in (ask(data, metadata=metadata), streamed):
                    trailing = dict(await call.trailing_metadata())
                    found.append(((await call.code()).name, trailing))
        await server.stop(None)
        return found

    return asyncio.run(run())


def logged(tmp_path, count):
    """Traces in the log, once it holds this many predictions."""
    until(lambda: len(read_log(tmp_path / "log").records) == count)
    return [record.trace for record in read_log(tmp_path / "log").records]


def test_over_http_the_trace_is_in_the_answer_the_log_and_the_error(predictor, tmp_path, caplog):
    twice = [("traceparent", PARENT), ("traceparent", PARENT)]
    known, new, several, wrong, fault = over_http(
        predictor,
        [(["a", "b"], {"traceparent": PARENT}), (["c"], {}), (["d"], twice), ([" "], {"traceparent": PARENT}),
         (["bad"], {"traceparent": PARENT, "x-request-id": "mine"})],
    )  # fmt: skip
    assert [a.status_code for a in (known, new, several, wrong, fault)] == [200, 200, 200, 422, 500]
    traces = [read_traceparent(a.headers["traceparent"])[1] for a in (known, new, several)]
    assert traces[0] == TRACE
    assert len({TRACE, *traces}) == 3
    assert known.headers["traceparent"] != PARENT
    assert logged(tmp_path, 4) == [traces[0], traces[0], traces[1], traces[2]]
    for answer in (wrong, fault):
        assert answer.json()["error"]["trace_id"] == answer.headers["traceparent"].split("-")[1] == TRACE
    assert f"request mine of trace {TRACE} failed: ValueError" in caplog.text


def test_over_grpc_the_trace_is_in_the_answer_the_log_and_the_error(predictor, tmp_path, caplog):
    named = (("traceparent", PARENT), ("x-request-id", "mine"))
    # Of several headers, gRPC's core keeps one before it asks the service
    found = over_grpc(predictor, [(["a"], named), (["b"], ()), ([" "], named), (["bad"], named)])
    codes, traces = [code for code, _ in found], [trailing["traceparent"].split("-")[1] for _, trailing in found]
    assert codes == ["OK"] * 4 + ["INVALID_ARGUMENT"] * 2 + ["INTERNAL"] * 2
    assert traces[:2] == [TRACE] * 2 == traces[4:6] == traces[6:]
    assert len({TRACE, *traces[2:4]}) == 3
    assert sorted(logged(tmp_path, 4)) == sorted(traces[:4])
    assert caplog.text.count(f"request mine of trace {TRACE} failed: ValueError") == 2


def test_a_refused_call_over_grpc_says_when_to_try_again_and_names_its_trace(predictor):
    for code, trailing in over_grpc(predictor, [(["a"], (("traceparent", PARENT),))], full=True):
        assert (code, trailing["retry-after"]) == ("UNAVAILABLE", "1")
        assert TRACE in trailing["traceparent"]


def test_the_wait_for_a_batch_is_measured_once_also_of_a_request_that_gave_up():
    waits = []

    async def run():
        batcher = Batcher(lambda texts: [0.5] * len(texts), max_waiting=100, batch_texts=2, on_wait=waits.append)
        long = asyncio.create_task(batcher.submit(["a"] * 7))
        gone = asyncio.create_task(batcher.submit(["b"]))
        await asyncio.sleep(0)
        gone.cancel()
        await long
        batcher.close()

    asyncio.run(run())
    assert len(waits) == 2
    assert all(0 <= seconds < 10 for seconds in waits)


def test_the_clients_send_the_trace_of_their_caller():
    from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags, use_span

    assert trace_headers() == {}
    context = SpanContext(int(TRACE, 16), int(SPAN, 16), is_remote=False, trace_flags=TraceFlags(1))
    with use_span(NonRecordingSpan(context)):
        assert trace_headers() == {"traceparent": PARENT}


def test_a_service_that_exports_nothing_loads_no_sdk():
    code = (
        "import sys, bento.guard, bento.batcher\n"
        "from bento.identity import Identity\n"
        "from bento.tracing import open_tracer\n"
        "assert open_tracer(Identity('m', '7', 'linear', 'numpy', 'm:v7', ())) is None\n"
        "assert not [name for name in sys.modules if name.startswith('opentelemetry.sdk')]\n"
    )
    subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).parents[2], check=True)


COLLECTOR = "http://127.0.0.1:9"


@pytest.mark.parametrize(
    "variables",
    [
        {},
        {"OTEL_EXPORTER_OTLP_ENDPOINT": ""},
        {"OTEL_EXPORTER_OTLP_ENDPOINT": COLLECTOR, "OTEL_SDK_DISABLED": "true"},
        {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": COLLECTOR, "OTEL_TRACES_EXPORTER": "none"},
    ],
)
def test_spans_are_exported_only_where_the_variables_ask_for_it(variables, monkeypatch):
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert open_tracer(IDENTITY) is None


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "collector:4318"}, "is no http:// or https:// address"),
        ({"OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}, "OTEL_EXPORTER_OTLP_PROTOCOL: grpc is not supported"),
        ({"OTEL_EXPORTER_OTLP_TIMEOUT": "soon"}, "OTEL_.*could not convert string to float"),
        ({"OTEL_BSP_MAX_EXPORT_BATCH_SIZE": "9999999"}, "OTEL_.*max_export_batch_size must be less"),
    ],
)
def test_a_wrong_variable_is_one_clear_line(variables, words, monkeypatch):
    for name, value in ({"OTEL_EXPORTER_OTLP_ENDPOINT": COLLECTOR} | variables).items():
        monkeypatch.setenv(name, value)
    with pytest.raises(UserError, match=words):
        open_tracer(IDENTITY)


@pytest.mark.parametrize(
    "value",
    ["Authorization: Bearer SECRET", "name=value, SECRET", "authorization=Bearer%0ASECRET", 'authorization="SECRET"'],
)
@pytest.mark.parametrize("name", ["OTEL_EXPORTER_OTLP_HEADERS", "OTEL_EXPORTER_OTLP_TRACES_HEADERS"])
def test_a_malformed_header_for_the_collector_is_refused_and_quoted_nowhere(name, value, monkeypatch, caplog):
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", COLLECTOR)
    monkeypatch.setenv(name, value)
    with pytest.raises(UserError, match=f"{name}: header . is malformed") as caught:
        open_tracer(IDENTITY)
    assert "SECRET" not in f"{caught.value}{caplog.text}"


def test_no_malformed_variable_is_logged(monkeypatch, caplog):
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", COLLECTOR)
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "a=b c, ,d=e=,")  # as other languages' SDKs read it
    monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "SECRET")
    open_tracer(IDENTITY).close()
    assert "SECRET" not in caplog.text


@pytest.fixture
def traced(monkeypatch):
    """A collector, and the tracer that exports to it."""
    with collector() as found:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", found.address)
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "authorization=Bearer%20secret")
        monkeypatch.setenv("OTEL_SERVICE_NAME", "reviews")
        tracer = open_tracer(IDENTITY)
        yield found, tracer
        tracer.close()


def test_the_spans_of_a_request_reach_the_collector_with_its_state(predictor, traced):
    found, tracer = traced
    state = {"traceparent": PARENT, "tracestate": "vendor=1,other=2"}
    requests = [(["a"] * 20, state), (["bad"], {"tracestate": "of no trace"}), ([" "], {"tracestate": "\x7f!" * 400})]
    answers = over_http(predictor, requests, tracer=tracer)
    tracer.close()
    server = found.of(TRACE)["POST /v1/predict"]
    assert (server.parent, server.state, server.kind, server.failed) == (SPAN, "vendor=1,other=2", 2, False)
    assert answers[0].headers["traceparent"] == f"00-{TRACE}-{server.id}-01"
    assert server.attributes == {
        "http.request.method": "POST", "http.route": "/v1/predict", "http.response.status_code": 200,
        "sentiment.model": "sentiment", "sentiment.model_version": "7", "sentiment.texts": 20,
    }  # fmt: skip
    children = [span for span in found.spans if span.trace == TRACE and span is not server]
    assert {(span.name, span.parent) for span in children} == {("queue", server.id), ("model", server.id)}
    sizes = [span.attributes.get("sentiment.batch_texts") for span in children]
    assert sorted(sizes, key=str) == [16, 4, None]  # a batch each, and the one wait
    assert all(span.seconds <= server.seconds for span in children)
    fault, wrong = (found.of(a.headers["traceparent"].split("-")[1])["POST /v1/predict"] for a in answers[1:])
    assert (fault.failed, fault.parent, wrong.failed) == (True, "", False)
    assert server.resource["service.name"] == "reviews"
    assert server.resource["service.version"] == "sentiment:v7"
    assert found.headers[0]["authorization"] == "Bearer secret"


def test_no_word_of_a_caller_becomes_the_name_of_a_span(predictor, traced):
    found, tracer = traced

    async def run():
        guard = Guard(SimpleNamespace(state=SimpleNamespace()), {"/v1/predict": Route()}, {})
        guard.start(predictor, Tokens(()), tracer)
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app=guard), base_url="http://service") as client:
            for method, path in (("SECRET", "/v1/predict"), ("BREW", "/v1/predict"), ("PUT", "/SECRET")):
                await client.request(method, path, headers=[("content-length", str(1 << 30))])

    asyncio.run(run())
    tracer.close()
    spans = [(span.name, span.attributes["http.request.method"]) for span in found.spans]
    assert spans == [("HTTP /v1/predict", "_OTHER")] * 2 + [("PUT other", "PUT")]


def test_a_caller_that_does_not_sample_is_respected_and_so_is_the_sampler(predictor, monkeypatch):
    with collector() as found:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", f"{found.address}/v1/traces")
        for sampler, expected in (("parentbased_always_on", {"new"}), ("parentbased_always_off", {"known"})):
            monkeypatch.setenv("OTEL_TRACES_SAMPLER", sampler)
            tracer = open_tracer(IDENTITY)
            known = PARENT if sampler.endswith("off") else f"{PARENT[:-2]}00"
            answers = over_http(predictor, [(["a"], {}), (["b"], {"traceparent": known})], tracer=tracer)
            tracer.close()
            exported = {span.trace for span in found.spans}
            assert {"known" if trace == TRACE else "new" for trace in exported} == expected
            flags = [answer.headers["traceparent"][-2:] for answer in answers]
            assert flags == (["01", "00"] if expected == {"new"} else ["00", "01"])
            found.spans.clear()


def test_a_collector_that_is_down_costs_spans_and_not_answers(predictor, monkeypatch, caplog):
    (port,) = free_ports(1)
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{port}")
    monkeypatch.setattr("bento.tracing.CLOSE_TIMEOUT_S", 0.1)
    tracer = open_tracer(IDENTITY)
    answers = over_http(predictor, [(["a"], {"tracestate": "=,="})] * 20, tracer=tracer)
    assert {answer.status_code for answer in answers} == {200}
    tracer.close()  # returns although the exporter would try again for 10 s
    until(lambda: not [thread for thread in tracer_threads() if thread.is_alive()])
    assert "Transient error" not in caplog.text
    assert "identifiers format" not in caplog.text  # the SDK's words on a malformed tracestate


def tracer_threads():
    return [thread for thread in threading.enumerate() if thread.name in ("OtelBatchSpanRecordProcessor", "last-spans")]


def test_outside_of_requests_there_is_no_trace():
    assert contextvars.Context().run(current_trace) is None


@pytest.mark.slow
def test_a_service_exports_the_spans_of_both_protocols(serve, tmp_path, monkeypatch):
    ours = {"http": TRACE, "grpc": TRACE[::-1]}
    with collector() as found:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", found.address)
        booted = serve(log=tmp_path / "log", origins="https://shop.example")
        header = {"traceparent": f"00-{ours['http']}-{SPAN}-01", "origin": "https://shop.example"}
        answer = httpx.post(f"{booted.http}/v1/predict", json={"texts": ["a lovely film"]}, headers=header)
        assert (answer.status_code, answer.headers["traceparent"][3:35]) == (200, ours["http"])
        assert "traceparent" in answer.headers["access-control-expose-headers"]
        ask = {"access-control-request-method": "POST", "access-control-request-headers": "traceparent,tracestate"}
        assert httpx.options(f"{booted.http}/v1/predict", headers={**header, **ask}).status_code == 200
        refused = httpx.post(f"{booted.http}/v1/explain", json={"text": " "}, headers=header)  # through FastAPI
        assert (refused.status_code, refused.json()["error"]["trace_id"]) == (422, ours["http"])
        with grpc.insecure_channel(booted.grpc) as channel:
            data = pb.PredictRequest(texts=["a dull plot"]).SerializeToString()
            metadata = (("traceparent", f"00-{ours['grpc']}-{SPAN}-01"),)
            _, call = channel.unary_unary("/sentiment.v1.Sentiment/Predict").with_call(data, metadata=metadata)
        assert dict(call.trailing_metadata())["traceparent"][3:35] == ours["grpc"]
        for client in (HttpClient(booted.http), GrpcClient(booted.grpc)):
            with client, pytest.raises(ServiceError) as caught:
                client.predict([" "])
            assert len(caught.value.trace_id) == 32
        httpx.get(f"{booted.http}/metrics")
        booted.stop()  # exports the last spans
        for protocol, name in (("http", "POST /v1/predict"), ("grpc", "Predict")):
            spans = found.of(ours[protocol])
            assert {"queue", "model", name} <= set(spans)
            assert spans[name].parent == SPAN
            assert spans["queue"].parent == spans["model"].parent == spans[name].id
            assert spans[name].attributes["sentiment.texts"] == 1
        assert {span.name for span in found.spans if span.kind == 2} == {
            "POST /v1/predict",
            "POST /v1/explain",
            "Predict",
        }
    assert [record.trace for record in read_log(tmp_path / "log").records] == [ours["http"], ours["grpc"]]
