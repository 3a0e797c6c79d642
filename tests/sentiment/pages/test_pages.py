import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest

from sentiment.checks import Check, CheckReport
from sentiment.deployment import Bento, Deployment
from sentiment.evaluation.measure import EvaluationSettings, evaluate
from sentiment.evaluation.operating_points import OperatingPoint
from sentiment.pages.checks import check_report_page
from sentiment.pages.decision import decision_page
from sentiment.pages.deployment import bento_page, deployment_page
from sentiment.pages.evaluation import evaluation_page
from sentiment.pages.reviews import reviews_page, splits_page
from sentiment.pages.servable import model_card, servable_page
from sentiment.promotion.decision import Decision
from sentiment.reviews.table import Reviews, RowCount, Splits

EVIL = """<script>alert("x")</script><img src="http://evil.example/a.png" onerror='alert(1)'>"""
SHOWN = "&lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt;"
VOID = {"meta", "img", "br", "link", "input"}


class Audit(HTMLParser):
    """Collects forbidden elements of a page, and checks that every element is closed."""

    def __init__(self, document):
        super().__init__()
        self.open, self.ids, self.refused, self.tags = [], [], [], set()
        self.feed(document)
        assert self.open == [], f"left open: {self.open}"

    def handle_starttag(self, tag, attributes):
        self.tags.add(tag)
        if tag in {"script", "link", "iframe", "object", "embed", "base", "form"}:
            self.refused.append(tag)
        for name, value in attributes:
            local = (value or "").startswith("#")
            if name.startswith("on") or (name in {"src", "href", "xlink:href", "action", "srcset"} and not local):
                self.refused.append((tag, name, value))
            if name == "id":
                self.ids.append(value)
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.handle_starttag(tag, attributes)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def reviews_of(n=60):
    rng = np.random.default_rng(0)
    texts = [f"{'good ' * int(k)}number {i}. {EVIL}" for i, k in enumerate(rng.integers(1, 300, n))]
    return Reviews(pd.DataFrame({"text": texts, "label": np.arange(n) % 2, "source": [f"shop {EVIL}"] * n}))


@pytest.fixture(scope="module")
def evaluation():
    rng = np.random.default_rng(1)
    return evaluate(
        lambda texts: rng.random(len(texts)),
        reviews_of(),
        candidate=f"cascade {EVIL}",
        engine="numpy",
        servable_fingerprint=EVIL,
        size_mb=1.0,
        settings=EvaluationSettings(resamples=100, latency_sample=2),
        seed=0,
    )


REPORT = CheckReport(
    suite=EVIL,
    checks=(
        Check(name=f"first {EVIL}", passed=True, observed=EVIL, limit=EVIL),
        Check(name="second", passed=False, observed="9", limit="1", count=1234, examples=(EVIL, "long " * 5000)),
        Check(name="third", severity="warning", passed=False, observed="2", limit="1"),
    ),
)
DECISION = Decision(
    promote=False,
    reason=EVIL,
    challenger=EVIL,
    champion=EVIL,
    rules=(
        Check(name=f"gate: {EVIL}", passed=True, observed=EVIL, limit=EVIL, detail=EVIL),
        Check(name="floor: size", passed=False, observed="9 MB", limit="at most 1 MB"),
        Check(name=f"floor: accuracy of source={EVIL}", passed=False, observed="0.1", limit="0.9", severity="warning"),
        Check(name="gain: latency", passed=False, observed="1.0", limit="0.7", severity="warning"),
        Check(name=EVIL, passed=True, observed="a", limit="b"),
    ),
)
MANIFEST = {
    "labels": ["negative", "positive"],
    "temperature": 1.25,
    EVIL: EVIL,
    "versions": {EVIL: [EVIL, {"a": EVIL}]},
}

BENTO = Bento(tag=f"sentiment:{EVIL}", model=EVIL, version=EVIL, labels={EVIL: EVIL, "git_commit": "c0ffee"})
DEPLOYMENT = Deployment(
    bento=BENTO, http=EVIL, grpc=EVIL, since=EVIL, front=False, run=EVIL, service=EVIL, healthy=False
)


@pytest.fixture(scope="module")
def pages(evaluation):
    row_counts = (RowCount(name=EVIL, rows=12345, examples=(EVIL,)),)
    splits = Splits(reviews_of(40), reviews_of(10), reviews_of(10), row_counts)
    return {
        "reviews": reviews_page(reviews_of()),
        "splits": splits_page(splits),
        "checks": check_report_page(REPORT),
        "evaluation": evaluation_page(evaluation),
        "decision": decision_page(DECISION),
        "servable": servable_page(MANIFEST),
        "bento": bento_page(BENTO),
        "deployment": deployment_page(DEPLOYMENT),
    }


KINDS = ["reviews", "splits", "checks", "evaluation", "decision", "servable", "bento", "deployment"]


@pytest.mark.parametrize("kind", KINDS)
def test_planted_markup_is_shown_as_text_and_nothing_is_run_or_loaded(kind, pages):
    document = pages[kind]
    audit = Audit(document)
    assert audit.refused == []
    assert SHOWN in document
    assert "@import" not in document and "url(http" not in document


@pytest.mark.parametrize("kind", KINDS)
def test_pages_are_small_and_well_formed(kind, pages):
    audit = Audit(pages[kind])
    assert len(pages[kind].encode()) < 300_000
    assert len(set(audit.ids)) == len(audit.ids)
    assert {"html", "head", "title", "body", "h1"} <= audit.tags


def test_a_page_is_the_same_each_time(evaluation, pages):
    assert evaluation_page(evaluation) == pages["evaluation"]
    assert reviews_page(reviews_of()) == pages["reviews"]


def test_reviews_page_counts_and_shortens(pages):
    assert '<td class="number">30</td><td class="number">30</td><td class="number">60</td>' in pages["reviews"]
    assert pages["reviews"].count("good " * 200) == 0


def test_reviews_page_shows_raw_reviews_with_nulls():
    frame = pd.DataFrame({"text": ["Fine.", None], "label": ["pos", None], "source": ["shop", None]}, dtype=object)
    document = reviews_page(Reviews(frame))
    assert "<b>3</b>" in document  # empty cells
    assert Audit(document).refused == []


@pytest.mark.parametrize("texts", [[], [None]])
def test_reviews_page_without_any_text(texts):
    frame = pd.DataFrame({"text": texts, "label": [0] * len(texts), "source": ["a"] * len(texts)}, dtype=object)
    assert "There are no reviews" in reviews_page(Reviews(frame))


def test_one_review_has_a_page():
    frame = pd.DataFrame({"text": ["Fine."], "label": [1], "source": ["shop"]})
    assert "<svg" in reviews_page(Reviews(frame))


def test_check_report_page_tells_failed_from_warned(pages):
    document = pages["checks"]
    assert "Failed: 1 of 3 checks passed" in document
    assert [document.count(f">{word}</span>") for word in ("passed", "failed", "warning")] == [1, 1, 1]
    assert document.count("<tr class=failed>") == 1
    assert "<summary>2 examples</summary>" in document
    assert "long " * 50 in document and "long " * 61 not in document
    assert "1,234" in document


@pytest.mark.parametrize(
    ("kept", "verdict"), [((0,), "Passed: 1 of 1"), ((0, 2), "Passed with warnings: 1 of 2"), ((1,), "Failed: 0 of 1")]
)
def test_the_verdict_of_a_report(kept, verdict):
    checks = tuple(REPORT.checks[i] for i in kept)
    assert verdict in check_report_page(CheckReport(suite="leakage", checks=checks))


def test_evaluation_page_shows_figures_slices_curves_and_errors(evaluation, pages):
    document = pages["evaluation"]
    assert f"{evaluation.overall.accuracy.value:.3f}" in document
    assert all(name.split("=")[0] in document for name in evaluation.slices)
    assert document.count("<svg") == 3
    assert all(f"<b>{count}</b>" in document for row in evaluation.confusion for count in row)
    assert f"{evaluation.errors[0].p_positive:.3f}" in document
    for name in ("negative", "positive"):
        recall = getattr(evaluation.overall, f"recall_{name}")
        assert re.search(
            rf"recall of {name}.*?{recall.value:.3f}.*?{recall.low:.3f} to {recall.high:.3f}", document, re.S
        )


def test_the_evaluation_page_names_the_threshold(evaluation):
    assert "the dot is the threshold 0.5." in evaluation_page(evaluation)
    moved = evaluation_page(replace(evaluation, threshold=0.123))
    assert "the dot is the threshold 0.123." in moved
    assert curves(moved) != curves(evaluation_page(evaluation))


def curves(document):
    """The curves of precision and recall, without the words below."""
    return document[document.index("<h2>Curves") : document.index("the dot is the threshold")]


def test_the_page_of_a_cascade_draws_accuracy_against_speed(evaluation):
    point = OperatingPoint(
        length="long", shares=(1, 0.4, 0.1), accuracy=0.93, log_loss=0.2, milliseconds=4, chosen=True
    )
    others = [
        point.model_copy(update={"accuracy": 0.9 - n / 50, "milliseconds": n + 1, "chosen": False}) for n in (0, 1)
    ]
    document = evaluation_page(replace(evaluation, operating_points=(point, *others)))
    assert document.count("<svg") == evaluation_page(evaluation).count("<svg") + 1
    assert "100.0% &gt; 40.0% &gt; 10.0%" in document
    assert "250" in document  # reviews a second


def test_an_evaluation_of_one_class_has_a_page():
    rows = pd.DataFrame({"text": ["Good.", "Great.", "Fine."], "label": [1, 1, 1], "source": ["shop"] * 3})
    one_class = evaluate(
        lambda texts: np.full(len(texts), 0.9),
        Reviews(rows),
        candidate="linear",
        engine="numpy",
        servable_fingerprint="a",
        size_mb=1.0,
        settings=EvaluationSettings(resamples=100),
        seed=0,
    )
    assert "one class only" in evaluation_page(one_class)


def test_decision_page_names_every_rule(pages):
    document = pages["decision"]
    assert "Not promoted" in document
    assert document.count("<tr class=failed>") == 1
    assert [document.count(f">{word}</span>") for word in ("passed", "failed", "not judged", "no gain")] == [2, 1, 1, 1]
    assert decision_page(DECISION.model_copy(update={"promote": True})).count("<strong>Promoted</strong>") == 1


def test_a_deployment_page_shows_its_health_and_the_cost_of_a_switch(pages):
    assert "but did not answer" in pages["deployment"]
    assert "a switch takes seconds" in pages["deployment"]
    well = deployment_page(DEPLOYMENT.model_copy(update={"healthy": True, "front": True}))
    assert "but did not answer" not in well
    assert "a switch loses no request" in well
    assert "git commit" in well


def test_the_model_card_names_the_stages_of_a_cascade(evaluation):
    manifest = {**MANIFEST, "settings": {"stages": ["linear", "transformer"]}}
    card = model_card(evaluation, REPORT, DECISION, manifest=manifest, data={})
    assert (
        "from cheap to costly: linear &gt; transformer" in card or "from cheap to costly: linear > transformer" in card
    )
    plain = model_card(evaluation, REPORT, DECISION, manifest={**MANIFEST, "settings": {}}, data={})
    assert "from cheap to costly" not in plain


def test_the_model_card_has_its_parts_and_takes_names_literally(evaluation):
    card = model_card(evaluation, REPORT, DECISION, manifest=MANIFEST, data={"sources": f"a|b {EVIL}"})
    parts = ("Intended use", "Data", "Metrics", "Slices", "Behaviour", "Limits", "Decision", "Servable")
    assert all(f"\n## {part}\n" in card for part in parts)
    assert f"{evaluation.overall.accuracy.value:.3f}" in card
    assert "<script" not in card and "<img" not in card
    assert "a\\|b" in card
    assert "good good" not in card  # no review text
