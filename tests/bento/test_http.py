"""Answers over HTTP."""

import gzip
import json
import zlib

import httpx
import pytest

from bento.client import HttpClient, ServiceError
from bento.predictor import MAX_BODY_BYTES
from sentiment.models import Classifier

TEXTS = ["a lovely film with a superb ending", "a dull plot and a tedious actor", "the camera and the scene"]


@pytest.fixture(scope="module")
def http(service):
    with httpx.Client(base_url=service.http, timeout=10) as client:
        yield client


def problem(response, status, code):
    assert response.status_code == status, response.text
    assert set(response.json()) == {"error"}
    assert response.json()["error"]["code"] == code
    return response.json()["error"]["message"]


def test_scores_are_those_of_the_classifier_that_was_evaluated(service, servable):
    expected = Classifier.load(servable).predict(TEXTS)
    with HttpClient(service.http) as client:
        found = client.predict(TEXTS)
    assert found.model_version == "7"
    assert [a.label for a in found.predictions] == [e.label for e in expected]
    assert [a.score for a in found.predictions] == pytest.approx([e.score for e in expected], abs=1e-9)
    assert [a.abstained for a in found.predictions] == [e.score < 0.7 for e in expected]
    assert len({a.id for a in found.predictions}) == len(TEXTS)


def test_sagemakers_paths_answer(http):
    assert http.get("/ping").status_code == 200
    body = json.dumps({"texts": TEXTS})
    answer = http.post("/invocations", content=body, headers={"Content-Type": "application/json"}).json()
    assert [p["label"] for p in answer["predictions"]][:2] == ["positive", "negative"]


def test_curl_needs_no_header(http):
    form = {"Content-Type": "application/x-www-form-urlencoded"}  # as `curl -d` sends
    assert http.post("/v1/predict", content=json.dumps({"texts": TEXTS}), headers=form).status_code == 200


def test_reports_its_identity(service, bento):
    with HttpClient(service.http) as client:
        info = client.info()
    assert (info["model"], info["model_version"], info["kind"]) == ("sentiment", "7", "cascade")
    assert info["stages"] == ["linear", "transformer"]
    assert info["bento"] == bento.tag
    assert info["lineage"]["pipeline_run"] == "train-1"
    assert info["lineage"]["git_commit"] == "0123abc"
    assert info["limits"]["texts"] == 64
    assert info["limits"]["bytes"] == MAX_BODY_BYTES


def test_explains_which_words_pushed_the_score(service):
    with HttpClient(service.http) as client:
        found = client.explain("the plot and a lovely ending")
    effects = {w["word"]: w["effect"] for w in found["words"]}
    assert max(effects, key=effects.get) == "lovely"
    assert found["label"] == "positive"


def test_takes_feedback_for_a_prediction(http):
    (prediction,) = http.post("/v1/predict", json={"texts": TEXTS[:1]}).json()["predictions"]
    noted = http.post("/v1/feedback", json={"prediction_id": prediction["id"], "label": "negative"})
    assert (noted.status_code, noted.json()) == (202, {"status": "noted"})
    for wrong in ({"label": "sideways"}, {"prediction_id": "x"}, {"prediction_id": "g" * 32}):
        body = {"prediction_id": prediction["id"], "label": "negative"} | wrong
        problem(http.post("/v1/feedback", json=body), 422, "INVALID_ARGUMENT")


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/healthz", "/metrics", "/", "/docs", "/openapi.json"])
def test_probes_and_pages_answer(http, path):
    assert http.get(path).status_code == 200


def test_the_openapi_page_has_examples_and_every_route(http):
    page = http.get("/openapi.json").json()
    assert {"/v1/predict", "/v1/explain", "/v1/feedback", "/v1/info", "/ping", "/invocations"} <= set(page["paths"])
    text = json.dumps(page["components"]["schemas"])
    assert "A quiet film" in text
    assert "422" in page["paths"]["/v1/predict"]["post"]["responses"]


def test_a_request_keeps_its_id(http):
    assert http.get("/v1/info", headers={"X-Request-Id": "mine-1"}).headers["x-request-id"] == "mine-1"
    other = http.get("/v1/info", headers={"X-Request-Id": "two words"}).headers["x-request-id"]
    assert other != "two words"


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"texts": []}, "at least 1"),
        ({"texts": ["a"] * 65}, "at most 64"),
        ({"texts": [""]}, "texts.0: String should match"),
        ({"texts": ["a", " \n\t "]}, "texts.1: String should match"),
        ({"texts": ["a" * 20_001]}, "20000"),
        ({"texts": ["a", 7]}, "valid string"),
        ({"texts": [None]}, "valid string"),
        ({"texts": "a"}, "valid list"),
        ({"texts": ["a"], "threshold": 1}, "Extra inputs"),
        ({"texts": [10**400]}, "valid string"),
        ({"texts": ["half \ud83d"]}, "unicode string"),
        ({}, "required"),
        ([], "valid dict"),
        (None, ""),
    ],
)
def test_a_wrong_value_is_named_and_not_quoted(http, body, words):
    given = json.dumps(body).encode()
    message = problem(http.post("/v1/predict", content=given), 422, "INVALID_ARGUMENT")
    assert words in message


@pytest.mark.parametrize("body", [b"{", b"texts=a", b"\xff\xfe", b'{"texts": ["\xff"]}', b"[" * 100_000, b""])
def test_a_body_that_is_not_json_is_refused(http, body):
    response = http.post("/v1/predict", content=body)
    assert response.status_code in (400, 422), response.text
    assert response.json()["error"]["code"] == "INVALID_ARGUMENT"


def test_connections_end_now_and_then_so_that_they_spread_over_the_workers(http):
    answers = [http.get("/v1/info") for _ in range(64)]
    assert {a.status_code for a in answers} == {200}
    assert [a.headers.get("connection") for a in answers].count("close") == 2


def test_unknown_paths_and_methods(http):
    problem(http.get("/nowhere"), 404, "NOT_FOUND")
    assert http.get("/v1/predict").status_code == 405
    assert http.get("/v1/predict").headers["allow"] == "POST"


def test_the_client_reports_the_problem(service):
    with HttpClient(service.http) as client, pytest.raises(ServiceError, match="at most 64") as caught:
        client.predict(["a"] * 65)
    assert (caught.value.code, caught.value.retryable) == ("INVALID_ARGUMENT", False)


def test_texts_reach_neither_the_output_nor_an_error(service, http):
    secret = "tell nobody"
    http.post("/v1/predict", json={"texts": [secret]})
    for body in ({"texts": [secret, 7]}, {"texts": [{"a": secret}]}, {"texts": [secret + "\ud83d"]}):
        assert secret not in http.post("/v1/predict", content=json.dumps(body)).text
    assert secret not in service.output


def test_a_worker_carries_no_training_package(service):
    """They are installed here, and each would cost every worker tens to hundreds of megabytes."""
    (worker,) = service.workers()
    loaded = " ".join(mapped.path for mapped in worker.memory_maps())
    assert "openvino" in loaded or "onnxruntime" in loaded
    for package in ("torch", "sklearn", "scipy", "pandas", "pyarrow"):
        assert f"/{package}/" not in loaded
    assert worker.memory_info().rss < 400e6


def compressed(http, body, encoding="gzip"):
    answer = http.post("/v1/predict", content=body, headers={"content-encoding": encoding})
    return answer.status_code, answer.json()


def test_a_body_may_be_compressed_by_gzip_within_the_limit(http):
    body = json.dumps({"texts": TEXTS}).encode()
    status, answer = compressed(http, gzip.compress(body))
    plain = http.post("/v1/predict", content=body).json()
    assert status == 200
    assert [p["score"] for p in answer["predictions"]] == [p["score"] for p in plain["predictions"]]
    assert compressed(http, body, "identity")[0] == 200
    for wrong, encoding, expected in (
        (gzip.compress(b" " * (MAX_BODY_BYTES + 1)), "gzip", 413),  # a thousandth of that on its way
        (zlib.compress(body), "deflate", 415),
        (gzip.compress(body), "br", 415),
        (body, "gzip", 422),
        (gzip.compress(body)[:-3], "gzip", 422),
        (gzip.compress(body) + b"more", "gzip", 422),
    ):
        status, answer = compressed(http, wrong, encoding)
        assert (status, set(answer["error"])) == (expected, {"code", "message", "trace_id"})
