"""The report of a model, from made-up documents."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pytest

from sentiment.checks import Check, CheckReport
from sentiment.deployment import Version
from sentiment.evaluation.measure import EvaluationSettings, evaluate
from sentiment.monitoring.alarms import MonitoringRun, open_alarms
from sentiment.monitoring.checks import Health
from sentiment.pages.report import SECTIONS, report_page
from sentiment.pages.report_data import Report, report_facts
from sentiment.reviews.table import Reviews, Splits
from tests.sentiment.pages.test_pages import DECISION, DEPLOYMENT, EVIL, SHOWN, Audit

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
HOURS = 30
DRIFT, ABSTENTION, SCORE = "input_drift: MMD of the words", "abstention: share", "score_drift: KS of the scores"


def reviews(rows, source=("imdb", "shop")):
    texts = [f"{'good ' * (i % 40)}number {i}" for i in range(rows)]
    sources = [source[i % 3 == 0] for i in range(rows)]
    return Reviews(pd.DataFrame({"text": texts, "label": np.arange(rows) % 2, "source": sources}))


def monitoring_run(hour):
    """Drift from the 20th hour on, once also in between."""
    drifted = hour >= 20 or hour == 5
    failed = (DRIFT,) if drifted else ()
    failed += (ABSTENTION,) if hour == HOURS - 1 else ()
    scores = {DRIFT: 0.01 + 0.002 * (hour % 3) + 0.05 * drifted, ABSTENTION: 0.02 + 0.001 * (hour % 5), SCORE: 0.03}
    return MonitoringRun(NOW + timedelta(hours=hour - HOURS), f"monitor-{hour}", "2", not drifted, failed, scores)


LATEST = CheckReport(
    suite="monitoring",
    checks=(
        Check(name=ABSTENTION, severity="warning", passed=False, observed="9 %", limit="at most 7 %", score=0.024),
        Check(name=SCORE, passed=True, observed="0.03", limit="at most 0.09", score=0.03),
        Check(name=DRIFT, passed=False, observed=f"0.06 {EVIL}", limit="at most 0.02", score=0.06, examples=(EVIL,)),
    ),
)
BEHAVIOUR = CheckReport(
    suite="behaviour",
    checks=(
        Check(name="typos", passed=True, observed="3.0 % failed", limit="at most 10 %", score=0.03, count=100),
        Check(name="negation, far", passed=True, observed="14 % failed", limit="at most 25 %", score=0.14, count=90),
        Check(
            name="comparatives", severity="warning", passed=False, observed="28 % failed", limit="at most 20 %",
            score=0.28, count=80, examples=('"Worse than the book" scores 0.8, expected negative',),
        ),
    ),
)  # fmt: skip


def version(number, stage, kind, registered, promoted, reason, accuracy=None, ece=None, rolled_back=None):
    times = [time.isoformat() if time else "" for time in (registered, rolled_back)]
    return Version(
        number, stage, kind, "c0ffee", promoted, reason, "", registered=times[0], rolled_back=times[1],
        accuracy=accuracy, ece=ece,
    )  # fmt: skip


VERSIONS = (
    version("1", "archived", "linear", NOW - timedelta(days=9), True, "first champion", 0.887, 0.01),
    version("2", "production", "cascade", NOW - timedelta(days=4), True, f"better: {EVIL}", 0.901, 0.015),
    version("3", "", "cascade", NOW - timedelta(days=2), False, "a tie with champion version 2", 0.902, None),
    version("4", "", "cascade", None, False, "its run ended before it was done"),
    version("5", "archived", "cascade", NOW, False, "did not go live", rolled_back=NOW),
)


@pytest.fixture(scope="module")
def report():
    test = reviews(80)
    rng = np.random.default_rng(0)
    evaluation = evaluate(
        lambda texts: np.clip(np.arange(len(texts)) % 2 + rng.normal(0, 0.4, len(texts)), 0, 1),
        test,
        candidate="cascade",
        engine="numpy",
        servable_fingerprint="c0ffee",
        size_mb=93.2,
        settings=EvaluationSettings(resamples=100, latency_sample=2),
        seed=0,
    )
    bento = DEPLOYMENT.bento.model_copy(update={"model": f"sentiment {EVIL}", "version": "2"})
    live = DEPLOYMENT.model_copy(update={"healthy": True, "bento": bento})
    return Report(
        model=f"sentiment {EVIL}",
        stack="cloud",
        at=NOW,
        versions=VERSIONS,
        splits=Splits(reviews(400), reviews(50), test),
        evaluation=evaluation,
        behaviour=BEHAVIOUR,
        decision=DECISION,
        live=live,
        health=Health(12_345, 0.0004, 21.7),
        history=tuple(map(monitoring_run, range(HOURS))),
        latest=LATEST,
        warnings=("ZenML and MLflow disagree",),
    )


@pytest.fixture(scope="module")
def document(report):
    return report_page(report)


def test_it_is_one_page_that_loads_and_runs_nothing(document):
    audit = Audit(document)
    assert audit.refused == []
    assert len(audit.ids) == len(set(audit.ids))
    assert set(SECTIONS) <= set(audit.ids)
    assert all(f'href="#{anchor}"' in document for anchor in SECTIONS)
    assert EVIL not in document and SHOWN in document


def test_it_shows_every_part(document, report):
    for words in (
        "Version 2 (cascade) is champion; it is live and answers; 2 alarms are open", "ZenML and MLflow disagree",
        "was champion", "rolled back", "a tie with champion version 2", "12,345 requests", "0.04% failed",
        "comparatives", "Worse than the book",
        "floor: size", "train", "imdb",
    ):  # fmt: skip
        assert words in document, words
    assert f"{report.evaluation.overall.accuracy.value:.3f}" in document
    assert document.count("<svg") == len({DRIFT, ABSTENTION}) + 5  # intervals, two curves, course, data
    assert f"Never moved and never failed: {SCORE}." in document
    assert document.index("comparatives") < document.index("negation, far") < document.index("typos")  # worst first


def test_alarms_are_open_since_they_fail_without_a_break(report):
    first, second = report.alarms
    assert (first.check.name, second.check.name) == (DRIFT, ABSTENTION)  # critical ones first
    assert first.since == NOW + timedelta(hours=20 - HOURS)
    assert second.since == report.history[-1].at
    other = tuple(replace(w, version="1") for w in report.history[:25]) + report.history[25:]
    assert open_alarms(other, LATEST)[0].since == report.history[25].at  # a new model has no old alarms
    assert open_alarms((), LATEST) == open_alarms(report.history, None) == ()


def test_an_alarm_shows_in_how_many_windows_it_was(report):
    words = "alert: in 1 of 2 windows; retrain at 2 of 3"
    last = replace(report.history[-1], actions={"input_drift": words})
    found = replace(report, history=(*report.history[:-1], last))
    page = report_page(found)
    assert words in page[page.index("Open alarms</h2>") : page.index("Live</h2>")]
    assert [alarm["action"] for alarm in report_facts(found)["alarms"]] == [words, ""]
    assert words not in report_page(report)  # a run from before the action was recorded


def test_a_version_that_replaced_the_monitored_one_has_no_alarms_yet(report):
    bento = report.live.bento.model_copy(update={"version": "3"})
    new = replace(report, live=report.live.model_copy(update={"bento": bento}))
    assert new.alarms == ()
    assert "The live version 3 was not monitored yet" in report_page(new)
    assert replace(report, live=None).alarms == report.alarms


@pytest.mark.parametrize("version", ["2", "3"])
def test_a_live_version_of_another_model_is_not_this_one_despite_its_number(report, version):
    bento = report.live.bento.model_copy(update={"model": "films", "version": version})
    other = replace(report, live=report.live.model_copy(update={"bento": bento}))
    document = report_page(other)
    assert f"is champion; version {version} of films is live and answers; 2 alarms are open" in document
    assert "was not monitored yet" not in document


@pytest.mark.parametrize(
    ("change", "kind", "words"),
    [
        ({}, "bad", f"Open alarms: {DRIFT}, {ABSTENTION}"),
        ({"latest": None, "warnings": ()}, "good", "it is live and answers"),
        ({"latest": None}, "warn", "ZenML and MLflow disagree"),
        ({"latest": None, "warnings": (), "missing": ("splits",)}, "warn", "Gone: splits"),
        ({"latest": None, "live": None}, "warn", "there is no live service"),
    ],
)
def test_the_verdict(report, change, kind, words):
    start = report_page(replace(report, **change)).partition('<div class="banner ')[2]
    assert start.startswith(kind)
    assert words in start.partition("</div>")[0]


def test_missing_artifacts_are_named_and_the_rest_is_shown(report):
    gone = replace(report, splits=None, evaluation=None, behaviour=None, decision=None, latest=None, live=None)
    document = report_page(gone)
    for what in ("splits", "evaluation", "behavioural report", "decision"):
        assert f"The champion&#x27;s {what} is gone" in document
    assert f"is gone: {DRIFT}, {ABSTENTION} failed" in document  # the names are recorded
    assert "There is no live service: make deploy" in document
    assert Audit(document).refused == []


def test_without_monitoring_a_champion_or_a_model(report):
    assert "The model was never monitored" in report_page(replace(report, history=(), latest=None))
    nobody = replace(report, versions=VERSIONS[2:], splits=None, evaluation=None, behaviour=None, decision=None)
    assert "No version is in production" in report_page(nobody)
    empty = report_page(Report(model="m", stack="local", at=NOW))
    assert "There is no model yet" in empty
    assert "<section" not in empty


def test_it_shows_who_approved_and_what_waits(report):
    approved = replace(VERSIONS[1], approval="approved", approved_by=f"Ann {EVIL}", approval_reason="tried it")
    waiting = replace(VERSIONS[2], approval="pending", waiting=True)
    document = report_page(replace(report, versions=(VERSIONS[0], approved, waiting)))
    for words in (f"Approved by Ann {SHOWN}", f"approved by Ann {SHOWN}", "tried it"):
        assert words in document
    assert document.count("waits for approval") == 1
    assert EVIL not in document


def test_facts_for_machines(report):
    facts = report_facts(report)
    assert (facts["production"], facts["reviews"]) == ("2", {"train": 400, "validation": 50, "test": 80})
    assert [a["name"] for a in facts["alarms"]] == [DRIFT, ABSTENTION]
    assert facts["monitoring"]["looks"] == HOURS
    assert facts["rules"]["floor: size"] is False
    assert facts["versions"][3]["registered"] is None
    nothing = report_facts(Report(model="m", stack="local", at=NOW))
    assert (nothing["production"], nothing["monitoring"], nothing["alarms"]) == (None, None, [])
