"""The smoke test's checks of a service's answers."""

from dataclasses import replace

import pytest

from sentiment.checks import CheckReport
from sentiment.deployment import Bento
from serving.rollouts.probes import Seen, positive
from serving.rollouts.settings import SmokeSettings
from serving.rollouts.smoke import judge

BENTO = Bento(tag="sentiment:v3-abc", model="sentiment", version="3", labels={})
RECORDED = [0.9, 0.2, 0.55, 0.01]
SETTINGS = SmokeSettings(tolerance=1e-3, p95_ms=50)
GOOD = Seen(
    identity=("sentiment", "3", "sentiment:v3-abc"),
    engine="openvino-bf16",
    versions=frozenset({"3"}),
    positive=(0.9, 0.2, 0.5504, 0.01),
    milliseconds=(5.0, 6.0, 7.0, 8.0),
    refusals=(("no text", "422", "422"), ("broken JSON", "400", "400")),
    health=(("/readyz", "200", "200"),),
)


def report(seen):
    return CheckReport(
        suite="smoke", checks=tuple(judge("HTTP", seen, BENTO, RECORDED, SETTINGS, engine="openvino-bf16"))
    )


def test_a_service_that_reproduces_the_evaluation_passes():
    checks = report(GOOD).checks
    assert all(check.passed for check in checks), checks
    assert [check.name for check in checks] == [
        "model over HTTP", "scores over HTTP", "latency over HTTP", "bad requests over HTTP", "health over HTTP",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("change", "name", "words"),
    [
        ({"identity": ("sentiment", "3", "sentiment:v2-old")}, "model over HTTP", "sentiment:v2-old"),
        ({"identity": ("other", "3", "sentiment:v3-abc")}, "model over HTTP", "other"),
        ({"versions": frozenset({"2", "3"})}, "model over HTTP", "answers of version 2, 3"),
        ({"positive": (0.9, 0.2, 0.552, 0.01)}, "scores over HTTP", "1 of 4 reviews differ, by 0.0020"),
        ({"positive": (0.9, 0.8, 0.55, 0.01)}, "scores over HTTP", "by 0.6000"),
        ({"positive": (0.9, float("nan"), 0.55, 0.01)}, "scores over HTTP", "1 of 4"),
        ({"milliseconds": (5.0, 6.0, 7.0, 90.0)}, "latency over HTTP", "p95 77.5 ms"),
        ({"refusals": (("no text", "422", "200"),)}, "bad requests over HTTP", "no text: 200, must be 422"),
        ({"health": (("/readyz", "200", "503"),)}, "health over HTTP", "/readyz: 503, must be 200"),
    ],
)
def test_each_fault_fails_its_check_with_the_reason(change, name, words):
    failed = report(replace(GOOD, **change)).failures("critical")
    assert [check.name for check in failed] == [name]
    assert words in failed[0].observed


def test_a_service_that_gives_no_answer_fails_with_the_reason():
    (check,) = report("ServiceError: UNAVAILABLE: no connection").failures("critical")
    assert check.name == "answers over HTTP"
    assert "UNAVAILABLE" in check.observed


def test_examples_are_numbers_of_reviews_and_scores_worst_first():
    (check,) = report(replace(GOOD, positive=(0.8, 0.9, 0.55, 0.01))).failures()
    assert check.examples == (
        "review 1: served 0.9000, evaluated 0.2000",
        "review 0: served 0.8000, evaluated 0.9000",
    )


def test_the_score_of_a_label_is_that_of_the_positive_one_or_its_rest():
    assert positive("positive", 0.75) == 0.75
    assert positive("negative", 0.75) == 0.25


@pytest.mark.parametrize(
    ("scores", "passed", "words"),
    [
        ((0.9, 0.23, 0.56, 0.01), True, "100% of 4 labels are equal, P(positive) differs by 0.0100 on average"),
        ((0.9, 0.2, 0.45, 0.01), False, "75% of 4 labels are equal"),
        ((0.6, 0.4, 0.55, 0.01), False, "differs by 0.1250 on average, 0.3000 at most"),
        ((0.9, 0.2, float("nan"), 0.01), False, "75% of 4"),
    ],
)
def test_another_engine_may_move_scores_a_little_and_the_report_says_so(scores, passed, words):
    checks = report(replace(GOOD, engine="onnxruntime", positive=scores)).checks
    (check,) = (c for c in checks if c.name == "scores over HTTP")
    assert check.passed is passed
    assert check.observed.startswith("onnxruntime instead of openvino-bf16: ")
    assert words in check.observed


@pytest.mark.parametrize(("threshold", "words"), [(0.5, "100% of 4 labels"), (0.91, "75% of 4 labels")])
def test_labels_of_another_engine_are_compared_at_the_models_threshold(threshold, words):
    seen = replace(GOOD, engine="onnxruntime", positive=(0.92, 0.2, 0.55, 0.01))
    checks = judge("HTTP", seen, BENTO, RECORDED, SETTINGS, engine="openvino-bf16", threshold=threshold)
    (check,) = (c for c in checks if c.name == "scores over HTTP")
    assert words in check.observed
