"""The runner: passes, failures, and the report."""

import numpy as np
import pytest

from sentiment.behaviour.capabilities import CAPABILITIES, Case
from sentiment.behaviour.checks import (
    BehaviourSettings,
    check_behaviour,
    find_failures,
    generate_cases,
    real_sentences,
)
from sentiment.checks import CheckReport
from sentiment.errors import UserError
from sentiment.settings import read_settings

KINDS = {name: capability.kind for name, capability in CAPABILITIES.items()}


@pytest.fixture(scope="module")
def oracle(cases):
    """Scores that meet every expectation."""
    scores = {
        case.text: 0.3 + 0.4 * case.label for listed in cases.values() for case in listed if case.label is not None
    }
    scores |= {case.text: 0.55 for name, listed in cases.items() if KINDS[name] == "ABS" for case in listed}
    changed = [case for listed in cases.values() for case in listed if case.original is not None]
    for default in (None, None, 0.6):  # known scores spread first, the rest is positive
        for case in changed:
            known = scores.get(case.original, scores.get(case.text) if not case.direction else None) or default
            if known is not None:
                scores.setdefault(case.original, known)
                scores.setdefault(case.text, known + 0.25 * case.direction)
    return lambda texts: np.array([scores[text] for text in texts])


def report_of(predict, reviews, settings) -> CheckReport:
    return check_behaviour(predict, reviews, settings, seed=7)


def test_oracle_passes_everything(oracle, reviews, settings):
    report = report_of(oracle, reviews, settings)
    assert report.suite == "behaviour"
    assert [check.name for check in report.checks] == list(settings.capabilities)
    assert [(c.name, c.score) for c in report.checks if c.score] == []
    assert all(check.passed and check.examples == () for check in report.checks)


@pytest.mark.parametrize("answer", [0.05, 0.95])
def test_constant_answer_fails_exactly_the_functionality_and_abstention_tests(answer, reviews, settings):
    report = report_of(lambda texts: np.full(len(texts), answer), reviews, settings)
    assert {c.name for c in report.failures()} == {name for name, kind in KINDS.items() if kind in ("MFT", "ABS")}
    assert not report.passed


def test_inverted_answers_fail_every_label_and_direction(oracle, reviews, settings):
    report = report_of(lambda texts: 1 - oracle(texts), reviews, settings)
    assert {c.name for c in report.failures()} == {name for name, kind in KINDS.items() if kind in ("MFT", "DIR")}
    assert all(c.score == 1 for c in report.checks if KINDS[c.name] == "MFT")


@pytest.mark.parametrize(
    ("word", "capability"),
    [
        ("lesbian", "sexual_orientation"),
        ("Muslim", "religion"),
        ("African American", "ethnicity"),
        ("Nigerian", "nationality"),
        ("elderly", "age"),
        ("trans woman", "gender"),
        ("Druze", "religion"),
        ("deaf ", "disability"),
        ("example.org", "urls_html"),
        ("Aaliyah", "names"),
        ("Karachi", "places"),
    ],
)
def test_planted_label_flip_is_caught_by_its_capabilities_alone(word, capability, oracle, reviews, settings):
    strict = settings.model_copy(
        update={"capabilities": {n: s.model_copy(update={"limit": 0.0}) for n, s in settings.capabilities.items()}}
    )

    def flips(texts):
        holds = np.array([word in text for text in texts])
        return np.where(holds, 1 - oracle(texts), oracle(texts))

    failed = report_of(flips, reviews, strict).failures()
    both = [capability, f"{capability}_without_opinion"]
    assert [check.name for check in failed] == [name for name in both if name in CAPABILITIES]
    assert all(word in check.examples[0] and "label flipped" in check.examples[0] for check in failed)


def test_flipping_every_term_of_an_attribute_fails_the_configured_limit(oracle, reviews, settings):
    def flips(texts):
        return np.where(["gay" in t or "lesbian" in t for t in texts], 1 - oracle(texts), oracle(texts))

    failed = {c.name for c in report_of(flips, reviews, settings).failures("critical")}
    assert failed == {"sexual_orientation", "sexual_orientation_without_opinion"}


def test_failing_check_tells_rate_limit_count_and_worst_examples_first(reviews):
    settings = BehaviourSettings.model_validate(
        {"examples": 2, "capabilities": {"negation_far": {"limit": 0.1, "severity": "warning", "cases": 50}}}
    )
    report = report_of(lambda texts: np.linspace(0.51, 0.99, len(texts)), reviews, settings)
    (check,) = report.checks
    assert report.passed, "a failed warning does not stop the pipeline"
    assert not check.passed
    assert check.count == 50
    assert check.observed == f"{check.score * 100:.1f}% of 50 failed"
    assert check.limit == "at most 10%"
    assert len(check.examples) == 2
    first, second = (float(e.split(" scores ")[1].split(",")[0]) for e in check.examples)
    assert first > second > 0.5
    assert check.examples[0].endswith("expected negative")


def test_directional_failures_beyond_the_tolerance_only(reviews):
    def settings(tolerance):
        return BehaviourSettings.model_validate(
            {"tolerance": tolerance, "capabilities": {"added_praise": {"limit": 0}}}
        )

    cases = generate_cases(reviews, settings(0.1), seed=7)["added_praise"]
    originals = {case.original for case in cases}

    def sinks(texts):
        return np.array([0.9 if text in originals else 0.75 for text in texts])

    assert report_of(sinks, reviews, settings(0.2)).passed
    (check,) = report_of(sinks, reviews, settings(0.1)).checks
    assert check.score == 1
    assert "0.90 -> " in check.examples[0]
    assert check.examples[0].endswith("expected not lower")


@pytest.mark.parametrize(
    ("score", "limit", "abstained"),
    [(0.5, 0.6, True), (0.59, 0.6, True), (0.41, 0.6, True), (0.61, 0.6, False), (0.2, 0.6, False), (0.61, 0.7, True)],
)
def test_abstention_needs_a_score_below_the_limit_for_either_label(score, limit, abstained, settings):
    settings = settings.model_copy(update={"abstain_below": limit})
    cases = {"says_nothing": [Case("The box is blue.")]}
    failures = find_failures(lambda texts: np.full(len(texts), score), cases, settings)["says_nothing"]
    told = [] if abstained else [f'"The box is blue." scores {score:.2f}, expected an abstention']
    assert [failure.description for failure in failures] == told


def test_the_most_confident_sentence_without_an_opinion_is_shown_first_and_promotion_ignores_it(reviews, settings):
    asked = settings.model_copy(
        update={"capabilities": {name: settings.capabilities[name] for name in ("says_nothing", "names")}}
    )
    report = report_of(lambda texts: np.linspace(0.02, 0.98, len(texts)), reviews, asked)
    check = report.checks[0]
    assert check.score > 0.5
    assert " scores 0.02," in check.examples[0]
    assert check.severity == "warning"
    assert [c.name for c in report.compared] == ["names"]


def test_predicts_every_distinct_text_once(reviews, settings, oracle):
    calls = []

    def predict(texts):
        calls.append(list(texts))
        return oracle(texts)

    report_of(predict, reviews, settings)
    assert len(calls) == 1
    assert len(set(calls[0])) == len(calls[0])


@pytest.mark.parametrize(
    "wrong", [lambda t: np.zeros((len(t), 2)), lambda t: np.full(len(t), 1.5), lambda t: np.full(len(t), np.nan)]
)
def test_predictions_that_are_no_probabilities_are_refused(wrong, reviews, settings):
    with pytest.raises(ValueError, match="probabilities"):
        report_of(wrong, reviews, settings)


def test_real_sentences_are_short_reviews_and_opinions_of_long_ones(reviews):
    sentences = real_sentences(reviews, seed=0)
    assert "Emma carries the whole thing on her shoulders, and she is brilliant." in sentences
    assert "The ending is awful, to put it mildly." in sentences
    assert not any(sentence.startswith(("The house stood", "Then the lights")) for sentence in sentences)


def write(tmp_path, text):
    path = tmp_path / "behaviour.yaml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("capabilities: {negation_fra: {limit: 0.1}}", "did you mean negation_far"),
        ("capabilities: {typos: {limit: 1.1}}", "capabilities.typos.limit"),
        ("capabilities: {typos: {limt: 0.1}}", "limit"),
        ("capabilities: {typos: {limit: 0.1, severity: fatal}}", "capabilities.typos.severity"),
        ("capabilities: {typos: {limit: 0.1, cases: 0}}", "capabilities.typos.cases"),
        ("capabilities: {}", "capabilities"),
        ("tolerence: 0.1\ncapabilities: {typos: {limit: 0.1}}", "tolerance"),
    ],
)
def test_config_errors_name_the_problem(text, told, tmp_path):
    with pytest.raises(UserError) as error:
        read_settings(BehaviourSettings, write(tmp_path, text))
    assert told in str(error.value)
    assert "behaviour.yaml" in str(error.value)
