from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
import yaml

from sentiment.errors import UserError
from sentiment.monitoring.checks import Health, actions, check_window, decided, findings
from sentiment.monitoring.prediction_log import Feedback, PredictionLog
from sentiment.monitoring.reference import Reference, build_reference
from sentiment.monitoring.settings import FINDINGS, MonitorSettings, WindowSettings
from sentiment.monitoring.window import read_window
from sentiment.pages.monitoring import monitoring_page, reference_page, window_page
from sentiment.reviews.table import Reviews
from sentiment.settings import read_settings
from tests.helpers.windows import START, labelled, reference, stream, window

ROOT = Path(__file__).parents[3]
WELL = Health(requests=5000, error_rate=0.0, p95_ms=40.0)


@pytest.fixture(autouse=True)
def here(monkeypatch):
    monkeypatch.chdir(ROOT)


@pytest.fixture(scope="module")
def held():
    return reference()


@pytest.fixture
def settings():
    return read_settings(MonitorSettings, Path("configs/monitor.yaml"), ["drift.resamples=1000"])


def by_name(report):
    return {check.name: check for check in report.checks}


def test_nothing_is_wrong_where_nothing_changed(held, settings):
    records, truths = stream()
    seen = window(records, labelled(records, truths, every=4))
    report = check_window(seen, held, settings, health=WELL)
    assert report.suite == "monitoring"
    assert report.failures() == ()
    assert (findings(report), actions(report, settings), decided(report, settings)) == ((), {}, "nothing")
    assert {name.partition(":")[0] for name in by_name(report)} == set(FINDINGS) - {"estimated_accuracy"}
    assert report == check_window(seen, held, settings, health=WELL)  # every random draw is seeded


def test_drift_is_found_and_leads_to_the_configured_action(held, settings):
    records, truths = stream(foreign=0.3, wrong=0.25)
    report = check_window(window(records, labelled(records, truths, every=3)), held, settings, health=WELL)
    assert {"input_drift", "accuracy"} <= set(findings(report))
    assert decided(report, settings) == "retrain"
    quiet = settings.model_copy(update={"actions": dict.fromkeys(FINDINGS, "nothing")})
    assert decided(report, quiet) == "nothing"
    one = settings.model_copy(update={"actions": dict.fromkeys(FINDINGS, "nothing") | {"accuracy": "alert"}})
    assert decided(report, one) == "alert"
    unnamed = settings.model_copy(update={"actions": {}})
    assert decided(report, unnamed) == "alert"


def test_with_too_few_predictions_nothing_is_judged(held, settings):
    records, _ = stream(120, foreign=1.0, share=0.9)
    report = check_window(window(records), held, settings, health=None)
    told = by_name(report)
    for name in ("input_drift", "score_drift", "label_shift", "abstention"):
        assert (told[name].passed, told[name].severity) == (True, "warning")
        assert told[name].observed == "not enough data: 120 of 1,000 predictions"
    assert findings(report) == ()


@pytest.mark.parametrize(
    ("health", "failed"),
    [
        (WELL, set()),
        (Health(100, 0.2, 10.0), {"service_health: errors"}),
        (Health(100, 0.0, 9000.0), {"service_health: latency"}),
        (Health(100, 0.0, None), set()),
        (Health(0, 0.0, None), set()),
        (None, set()),
    ],
)
def test_service_health(held, settings, health, failed):
    report = check_window(window([]), held, settings, health=health, no_health="Prometheus is down")
    assert {check.name for check in report.failures()} == failed
    if health is None:
        assert by_name(report)["service_health"].observed == "not measured: Prometheus is down"


def test_answers_that_make_no_sense_are_found(held, settings):
    records, _ = stream()
    odd = [replace(r, score=17.0, label="maybe") if n % 10 == 0 else r for n, r in enumerate(records)]
    report = check_window(window(odd), held, settings, health=None)
    failed = {check.name for check in report.failures()}
    assert "data_quality: answers are negative or positive" in failed
    assert "data_quality: scores are probabilities of the label" in failed
    assert not any("film" in example for check in report.checks for example in check.examples)


def test_a_log_of_another_version_only_is_reported(held, settings):
    records, _ = stream(version="2")
    report = check_window(window(records), held, settings, health=None)
    check = by_name(report)["log: of this version"]
    assert (check.passed, findings(report)) == (False, ("log",))
    assert "1,000 of version 2" in check.observed


def test_wrong_clocks_are_reported(held, settings):
    records, _ = stream()
    skewed = [replace(r, id=f"x{r.id}", time=START * 2) for r in records[:200]]
    report = check_window(window([*records, *skewed]), held, settings, health=None)
    assert findings(report) == ("log",)
    assert not by_name(report)["log: clocks"].passed
    assert "200 of a wrong clock, of 1,200 predictions" in by_name(report)["log: clocks"].observed


@pytest.mark.parametrize(
    ("damaged", "quiet", "passed"),
    [
        ([START - 86_400] * 40, 1000, True),  # yesterday's
        ([START] * 40, 30, True),  # too few lines to judge
        ([START] * 2, 1000, True),
        ([START] * 40, 1000, False),
    ],
)
def test_damage_is_a_share_of_the_lines_of_its_period(held, settings, damaged, quiet, passed):
    records, _ = stream(quiet)
    yesterday = [replace(r, id=f"x{r.id}", time=r.time - 86_400) for r in stream(3000)[0]]
    report = check_window(window([*yesterday, *records], damaged=damaged), held, settings, health=None)
    assert by_name(report)["log: readable"].passed is passed


def test_a_wrong_clock_of_long_ago_is_a_share_of_the_whole_log(held, settings):
    yesterday = [replace(r, id=f"x{r.id}", time=r.time - 86_400) for r in stream(3000)[0]]
    reset = [replace(r, id=f"y{r.id}", time=0.0) for r in yesterday[:20]]
    seen = window([*reset, *yesterday, *stream(100)[0]], born=START - 2 * 86_400)
    assert seen.facts.clock_skewed == 20
    assert by_name(check_window(seen, held, settings, health=None))["log: clocks"].passed


def test_a_feedback_flood_is_reported_and_does_not_count_for_accuracy(held, settings):
    records, truths = stream()
    honest = labelled(records[:250], truths[:250])
    flood = [Feedback(r.id, "positive", START + 80_000) for r in records[250:900]]
    report = check_window(window(records, [*honest, *flood]), held, settings, health=None)
    assert findings(report) == ("feedback",)
    assert by_name(report)["accuracy"].count == 250
    assert decided(report, settings) == "alert"


def test_a_damaged_log_is_read_reported_and_shown(held, settings, tmp_path):
    log = PredictionLog(tmp_path, max_mb=10, keep_text=False, on_drop=print)
    records, _ = stream(300)
    log.add([replace(r, text="a fine film") for r in records])
    log.feedback("nobody", "sideways", START)
    log.close()
    (file,) = tmp_path.glob("predictions-*")
    lines = file.read_bytes().splitlines(keepends=True)
    broken = (
        b"".join(lines[:100]) + b"\x00" * 999 + b"\n" + b'{"id": "torn\n' * 50 + b"\xff\xfe\n" + b"".join(lines[150:])
    )
    file.write_bytes(broken[:-20])
    seen = read_window(str(tmp_path), WindowSettings(), model_version="3", end=START + 86_400, seed=0)
    assert (seen.facts.seen, seen.facts.unreadable) == (249, 53)
    report = check_window(seen, held, settings, health=None)
    assert "log" in findings(report)
    page = monitoring_page(report, seen, held)
    assert "53 damaged lines" in page
    assert "<script" not in page


def test_the_page_shows_the_actions_and_the_windows_that_confirm_them(held, settings):
    seen = window(stream(300)[0])
    report = check_window(seen, held, settings, health=None)
    words = "alert: in 1 of 2 windows; retrain at 2 of 3"
    page = monitoring_page(report, seen, held, {"input_drift": words})
    actions = page[page.index("Actions</h2>") :]
    assert "input_drift" in actions and words in actions.partition("</section>")[0]
    assert "Actions</h2>" not in monitoring_page(report, seen, held, {})


@pytest.mark.parametrize("rows", [0, 1, 3, 1000])
def test_every_window_has_a_report_and_a_page(held, settings, rows):
    records, truths = stream(rows) if rows else ([], [])
    seen = window(records, labelled(records, truths))
    report = check_window(seen, held, settings, health=None)
    page = monitoring_page(report, seen, held)
    assert "<script" not in page
    assert "Monitoring of version 3" in page
    assert page.count("<svg") == (3 if rows > 3 else 2 if rows else 0)


def test_windows_and_references_have_pages(held):
    records, _ = stream(20)
    assert "20" in window_page(window(records))
    assert f"{held.accuracy:.3f}" in reference_page(held)


def test_a_reference_comes_back_from_disk_and_holds_no_text(held, tmp_path):
    held.save(tmp_path)
    back = Reference.load(tmp_path)
    pd.testing.assert_frame_equal(back.predictions, held.predictions)
    assert back.fingerprint == held.fingerprint
    assert set(held.predictions) == {"label", "positive", "words", "characters", "sketch"}


def test_a_reference_is_a_seeded_sample():
    frame = pd.DataFrame({"text": [f"text {n}" for n in range(50)], "label": [0, 1] * 25, "source": "films"})
    p = pd.Series(range(50)).to_numpy() / 50
    one, same, other = (build_reference(Reviews(frame), p, model_version="1", rows=20, seed=seed) for seed in (0, 0, 1))
    assert len(one.predictions) == 20
    assert one.fingerprint == same.fingerprint != other.fingerprint
    with pytest.raises(ValueError, match="probabilities"):
        build_reference(Reviews(frame), p[:-1], model_version="1", rows=20, seed=0)
    with pytest.raises(UserError, match="fewer than 10 reviews of a label"):
        build_reference(Reviews(frame.assign(label=1)), p, model_version="1", rows=20, seed=0)


def test_the_file_equals_the_code_or_names_a_finding():
    written = yaml.safe_load((ROOT / "configs" / "monitor.yaml").read_text())
    assert set(written["actions"]) == set(FINDINGS)
    MonitorSettings.model_validate(written)


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("actions.input_drfit=retrain", "actions"),
        ("actions.log=panic", "actions.log"),
        ("window.min_predictions=9000", "min_predictions"),
        ("alert.webhook=https://hooks.example/secret", "webhook"),
        ("quality=configs/expectations/incomming.yaml", "incoming.yaml"),
    ],
)
def test_mistakes_show_before_anything_starts(override, message):
    with pytest.raises(UserError, match=message) as caught:
        read_settings(MonitorSettings, Path("configs/monitor.yaml"), [override])
    assert "hooks.example" not in str(caught.value)
