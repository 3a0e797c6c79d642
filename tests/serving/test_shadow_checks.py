"""The checks of a shadow's answers."""

from dataclasses import dataclass

import pytest

from serving.rollouts.agreement import Pair
from serving.rollouts.settings import RolloutSettings
from serving.rollouts.shadow import judge, pairs

SETTINGS = RolloutSettings(mode="shadow", min_requests=4, min_agreement=0.75)


@dataclass
class Record:
    """A logged prediction, as a comparison reads it."""

    request: str
    index: int
    positive: float
    label: str = "positive"


def test_answers_are_compared_by_request_and_place():
    live = [Record("a", 0, 0.9), Record("a", 1, 0.1), Record("b", 0, 0.6), Record("before", 0, 0.9)]
    new = [Record("b", 0, 0.4), Record("a", 1, 0.2), Record("a", 0, 0.8), Record("only here", 0, 0.1)]
    assert pairs(live, new) == [(0.9, 0.8, True), (0.1, 0.2, True), (0.6, 0.4, True)]


def test_labels_are_compared_as_given_whatever_the_thresholds():
    live = [Record("a", 0, 0.7, "positive"), Record("a", 1, 0.7, "positive")]
    new = [Record("a", 0, 0.7, "negative"), Record("a", 1, 0.3, "positive")]  # of a version with another threshold
    assert [pair.agrees for pair in pairs(live, new)] == [False, True]


def test_enough_equal_answers_pass_and_the_difference_is_reported():
    same = [Pair(0.9, 0.8, agrees=True), Pair(0.1, 0.2, agrees=True), Pair(0.7, 0.6, agrees=True)]
    report = judge([*same, Pair(0.6, 0.4, agrees=False)], SETTINGS)
    assert report.passed
    assert report.checks[-1].observed == "75.0% of 4 texts, P(positive) differs by 0.125 on average"


@pytest.mark.parametrize(
    ("found", "failed"),
    [
        ([Pair(0.9, 0.8, agrees=True)] * 2 + [Pair(0.9, 0.1, agrees=False)] * 2, ["agreement"]),
        ([Pair(0.9, 0.8, agrees=True)] * 3, ["texts"]),
        ([], ["texts", "agreement"]),
    ],
)
def test_other_answers_or_too_few_fail(found, failed):
    assert [check.name for check in judge(found, SETTINGS).failures("critical")] == failed


def test_no_traffic_is_fine_where_it_may_be_missing():
    assert judge([], SETTINGS.model_copy(update={"min_requests": 0})).passed
