"""Answers over gRPC: the typed contract, BentoML's own, health and reflection."""

import random
from concurrent.futures import ThreadPoolExecutor

import grpc
import pytest
from bentoml.grpc.v1._generated_pb4 import service_pb2 as bento_pb
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from bento.client import GrpcClient, HttpClient, ServiceError
from bento.stubs import sentiment_pb2 as pb

TEXTS = ["a lovely film with a superb ending", "a dull plot and a tedious actor", "the camera and the scene"]
CALL = "bentoml.grpc.v1.BentoService/Call"


@pytest.fixture(scope="module")
def channel(service):
    with grpc.insecure_channel(service.grpc) as channel:
        yield channel


def raw(channel, method, data, **options):
    return channel.unary_unary(f"/{method}")(data, timeout=options.pop("timeout", 10), **options)


def refused(call):
    with pytest.raises(grpc.RpcError) as caught:
        call()
    return caught.value.code().name, caught.value.details()


def test_both_protocols_give_the_same_scores(service):
    with HttpClient(service.http) as http, GrpcClient(service.grpc) as client:
        over_http, over_grpc = http.predict(TEXTS), client.predict(TEXTS)
        assert client.info() == http.info()
    assert over_grpc.model_version == over_http.model_version
    for a, b in zip(over_grpc.predictions, over_http.predictions, strict=True):
        assert (a.label, a.score, a.abstained) == (b.label, b.score, b.abstained)


def test_bulk_scoring_answers_in_order(service):
    batches = [[TEXTS[i % 3]] * (1 + i % 5) for i in range(60)]
    with GrpcClient(service.grpc) as client:
        answers = list(client.predict_stream(batches))
        alone = {text: client.predict([text]).predictions[0].score for text in TEXTS}
    assert [len(a.predictions) for a in answers] == [len(b) for b in batches]
    assert [a.predictions[0].score for a in answers] == [alone[b[0]] for b in batches]


def test_a_wrong_message_ends_the_stream_with_its_reason(service):
    with GrpcClient(service.grpc) as client:
        stream = client.predict_stream([[TEXTS[0]], [" "], [TEXTS[1]]])
        assert len(next(stream).predictions) == 1
        with pytest.raises(ServiceError, match="text 0 is empty"):
            next(stream)


def test_a_call_that_meets_a_stopping_server_is_tried_again():
    """gRPC ends calls that reach a stopping server as CANCELLED: 2 of 12 stops under load showed it."""
    seen = []

    def answer(_, context):
        seen.append(context.peer())
        if len(seen) == 1:
            context.abort(grpc.StatusCode.CANCELLED, "CANCELLED")
        return pb.InfoResponse(model_version="7").SerializeToString()

    server = grpc.server(ThreadPoolExecutor(1))
    method = {"Info": grpc.unary_unary_rpc_method_handler(answer)}
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("sentiment.v1.Sentiment", method),))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        with GrpcClient(f"127.0.0.1:{port}") as client:
            assert client.info()["model_version"] == "7"
    finally:
        server.stop(None)
    assert len(seen) == 2


def test_takes_feedback_for_a_prediction(service):
    with GrpcClient(service.grpc) as client:
        client.feedback(client.predict(TEXTS[:1]).predictions[0].id, "negative")
        with pytest.raises(ServiceError, match="label must be one of negative, positive"):
            client.feedback("0" * 32, "sideways")


def test_bentos_published_contract(channel, service):
    request = bento_pb.Request(api_name="predict")
    request.json.struct_value.update({"texts": TEXTS})
    answer = bento_pb.Response.FromString(raw(channel, CALL, request.SerializeToString()))
    fields = answer.json.struct_value
    assert fields["model_version"] == "7"
    with GrpcClient(service.grpc) as client:
        expected = client.predict(TEXTS).predictions
    assert [p["score"] for p in fields["predictions"]] == [e.score for e in expected]
    request = bento_pb.Request(api_name="predict", text={"value": TEXTS[0]})
    answer = bento_pb.Response.FromString(raw(channel, CALL, request.SerializeToString()))
    assert answer.json.struct_value["predictions"][0]["label"] == "positive"


def test_bentos_contract_refuses_unknown_requests(channel):
    def call(**fields):
        request = bento_pb.Request(**fields)
        return refused(lambda: raw(channel, CALL, request.SerializeToString()))

    assert call(api_name="train")[0] == "NOT_FOUND"
    assert call(api_name="predict")[0] == "INVALID_ARGUMENT"
    assert call(api_name="predict", serialized_bytes=b"x")[0] == "INVALID_ARGUMENT"


@pytest.mark.parametrize("number", [float("nan"), float("inf"), float("-inf")])
def test_a_number_that_is_none_is_the_callers_fault(channel, service, number):
    alone, among_texts = bento_pb.Request(api_name="predict"), bento_pb.Request(api_name="predict")
    alone.json.number_value = number
    among_texts.json.struct_value.update({"texts": [TEXTS[0], number]})
    for request in (alone, among_texts):
        assert refused(lambda r=request: raw(channel, CALL, r.SerializeToString()))[0] == "INVALID_ARGUMENT"
    assert "ValueError" not in service.output


@pytest.mark.parametrize(
    ("texts", "words"),
    [([], "1 to 64"), (["a"] * 65, "1 to 64"), (["a", " "], "text 1 is empty"), (["a" * 20_001], "20000")],
)
def test_a_wrong_value_is_named(channel, texts, words):
    data = pb.PredictRequest(texts=texts).SerializeToString()
    code, message = refused(lambda: raw(channel, "sentiment.v1.Sentiment/Predict", data))
    assert code == "INVALID_ARGUMENT"
    assert words in message


def test_unknown_fields_and_methods(channel):
    known = pb.PredictRequest(texts=["a"]).SerializeToString()
    unknown = known + b"\x98\x06\x01"  # field 99
    assert refused(lambda: raw(channel, "sentiment.v1.Sentiment/Predict", unknown))[0] == "INVALID_ARGUMENT"
    assert refused(lambda: raw(channel, "sentiment.v1.Sentiment/Train", known))[0] == "UNIMPLEMENTED"


def test_a_message_may_have_a_mebibyte(channel):
    data = pb.PredictRequest(texts=["a" * (1 << 20)]).SerializeToString()
    assert refused(lambda: raw(channel, "sentiment.v1.Sentiment/Predict", data))[0] == "RESOURCE_EXHAUSTED"


def test_random_bytes_get_a_clear_code(channel, service):
    draw = random.Random(0)
    valid = pb.PredictRequest(texts=TEXTS).SerializeToString()
    methods = [f"sentiment.v1.Sentiment/{m}" for m in ("Predict", "Feedback", "Info")]
    seen = set()
    for i in range(300):
        data = bytearray(draw.randbytes(draw.randint(0, 200))) if i % 2 else bytearray(valid)
        if i % 2 == 0:
            data[draw.randrange(len(data))] = draw.randrange(256)
        try:
            raw(channel, methods[i % 3] if i % 2 else methods[0], bytes(data))
            seen.add("OK")
        except grpc.RpcError as error:
            seen.add(error.code().name)
    assert seen <= {"OK", "INVALID_ARGUMENT"}
    assert "INVALID_ARGUMENT" in seen
    with GrpcClient(service.grpc) as client:
        assert client.ready()


def test_a_deadline_is_honoured(channel):
    many = [f"{i} " + "a film that never ends and never begins " * 200 for i in range(64)]
    data = pb.PredictRequest(texts=many).SerializeToString()
    code, _ = refused(lambda: raw(channel, "sentiment.v1.Sentiment/Predict", data, timeout=0.005))
    assert code == "DEADLINE_EXCEEDED"


def test_health_and_reflection(channel):
    for name in ("", "sentiment.v1.Sentiment", "bentoml.grpc.v1.BentoService"):
        answer = health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(service=name), timeout=5)
        assert answer.status == health_pb2.HealthCheckResponse.SERVING
    request = reflection_pb2.ServerReflectionRequest(list_services="")
    stub = reflection_pb2_grpc.ServerReflectionStub(channel)
    (answer,) = stub.ServerReflectionInfo(iter([request]), timeout=5)
    names = {s.name for s in answer.list_services_response.service}
    assert {"sentiment.v1.Sentiment", "bentoml.grpc.v1.BentoService", "grpc.health.v1.Health"} <= names
    request = reflection_pb2.ServerReflectionRequest(file_containing_symbol="sentiment.v1.Sentiment")
    (answer,) = stub.ServerReflectionInfo(iter([request]), timeout=5)
    assert answer.WhichOneof("message_response") == "file_descriptor_response"
