"""A challenger beside the champion, as Markdown."""

import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from sentiment.checks import Check
from sentiment.evaluation.measure import EvaluationSettings, evaluate
from sentiment.pages.comparison import MARK, comparison_comment, differences
from sentiment.promotion.decision import Decision
from sentiment.reviews.table import Reviews
from tests.sentiment.pages.test_pages import EVIL, REPORT

RULES = (
    Check(name="floor: overall accuracy", passed=True, observed="0.9", limit="at least 0.85"),
    Check(name=f"champion: accuracy of source={EVIL}", passed=False, observed="-9 points", limit="-1"),
    Check(name="gain: accuracy", passed=False, observed="0", limit="above 0", severity="warning"),
)
DECISION = Decision(promote=False, reason=f"worse | {EVIL}", challenger="cascade", champion="7", rules=RULES)


def evaluation_of(candidate, wrong):
    """Wrong on the first n reviews of 60."""
    frame = pd.DataFrame({"text": [f"Number {i}." for i in range(60)], "label": [0, 1] * 30, "source": ["a", "b"] * 30})
    p = np.where((np.arange(60) < wrong) == (np.arange(60) % 2 == 1), 0.1, 0.9)
    settings = EvaluationSettings(resamples=100, latency_sample=2)
    return evaluate(
        lambda texts: p if len(texts) == 60 else np.full(len(texts), 0.5),
        Reviews(frame), candidate=candidate, engine="numpy",
        servable_fingerprint=candidate, size_mb=10.0, settings=settings, seed=0,
    )  # fmt: skip


@pytest.fixture(scope="module")
def evaluations():
    return {"cascade": evaluation_of("cascade", 6), "champion": evaluation_of("champion", 3)}


def comment(evaluations, decision=DECISION, **behaviours):
    return comparison_comment(decision, "8", "train-1", evaluations, {"cascade": REPORT, **behaviours})


def test_every_metric_beside_the_champions(evaluations):
    text = comment(evaluations, champion=REPORT)
    assert text.startswith(f"{MARK}\n\n### Model: not promoted\n")
    assert "cascade, version 8, against champion version 7, on 60 test reviews" in text
    assert re.search(r"\| accuracy \| 0\.900 \(0.*\) \| 0\.950 \(0.*\) \| -0\.050 \|", text)
    for words in ("macro-F1", "ROC-AUC", "calibration error", "Brier", "p95 ms", "reviews/s", "MB"):
        assert f"| {words} | " in text
    assert "Rules: 1 of 2 passed" in text
    assert "| FAILED | champion: accuracy of source=" in text
    assert "Behaviour: 1 of 3 capabilities within their limits" in text
    assert text.count("<details>") == text.count("</details>") == 3


def test_names_and_reasons_are_taken_literally(evaluations):
    text = comment(evaluations)
    assert "<script" not in text and "<img" not in text
    assert "worse \\| &lt;script" in text


def test_tables_are_tables(evaluations):
    for table in re.findall(r"(?:^\|.*\|\n?)+", comment(evaluations, champion=REPORT), re.M):
        lines = table.strip().splitlines()
        assert len({len(re.findall(r"(?<!\\)\|", line)) for line in lines}) == 1


def test_without_a_champion_there_is_nothing_to_differ_from(evaluations):
    alone = {"cascade": evaluations["cascade"]}
    text = comment(alone, DECISION.model_copy(update={"promote": True, "champion": None}))
    assert "### Model: promoted" in text and "against no champion yet" in text
    assert re.search(r"\| accuracy \| 0\.900 \(.*\) \| - \| - \|", text)


def test_differences_for_machines(evaluations):
    found = differences(evaluations["cascade"], evaluations["champion"])
    assert found["accuracy"] == {"challenger": 0.9, "champion": 0.95, "difference": -0.05}
    assert found["MB"]["difference"] == 0
    lost = replace(evaluations["cascade"], overall=evaluations["cascade"].overall.model_copy(update={"roc_auc": None}))
    assert differences(lost, evaluations["champion"])["roc_auc"]["difference"] is None
