"""Monitors the log of a service elsewhere: findings, alerts, and failures on the way."""

import json
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from tests.helpers import command_line, users

CLOSED = "http://127.0.0.1:9"  # no program listens on this port


@pytest.fixture(scope="module")
def model(linear_model):
    """Version 1 is in production; no service is live here."""
    return linear_model.name


@pytest.fixture(scope="module")
def classifier(model):
    from cli.session import session
    from sentiment.models import Classifier

    with session("local", debug=False):
        from registry import versions

        return Classifier.load(Path(versions.get_artifact(model, "1", "servable").uri) / "data")


@pytest.fixture
def write(classifier, tmp_path):
    """Writes the log of a service with this model; returns its folder."""
    from sentiment.monitoring.prediction_log import PredictionLog, Record

    def write(reviews, *, version="1", labels=0, folder=tmp_path / "log"):
        log = PredictionLog(folder, max_mb=100, keep_text=True, on_drop=lambda lost: pytest.fail(f"{lost} lost"))
        now = time.time()
        for i, ((text, right), p) in enumerate(zip(reviews, classifier.predict([t for t, _ in reviews]), strict=True)):
            known = {"id": f"{version}-{i}", "time": now - 60, "model_version": version, "request": f"r{i}", "index": 0}
            answer = {"label": p.label, "score": p.score, "positive": p.positive, "abstained": p.score < 0.6}
            log.add([Record.of(**known, **answer, text=text)])
            if i < labels:
                log.feedback(f"{version}-{i}", right, now - 30)
        log.close()
        return folder

    return write


@pytest.fixture
def monitor(model, tmp_path):
    (tmp_path / "monitor.yaml").write_text(
        f"extends: {command_line.ROOT}/configs/monitor.yaml\nmodel: {model}\nwindow: {{min_predictions: 200}}\n"
        f"feedback: {{max_per_minute: 100000}}\nalert: {{log: {tmp_path}/alerts.jsonl}}\nevidently: null\n"
    )

    def monitor(folder, *more):
        settings = [f"window.log={folder}", *more]
        chosen = [word for setting in settings for word in ("--set", setting)]
        return command_line.run("--pipeline", "monitor", "--config", tmp_path / "monitor.yaml", "--json", *chosen)

    return monitor


def check(summary, name):
    return next(c for c in summary["report"]["checks"] if c["name"].startswith(name))


@contextmanager
def webhook(monkeypatch, *, status=200):
    """Collects the requests to the address in $HOOK."""
    posted = []

    class Hook(BaseHTTPRequestHandler):
        def do_POST(self):
            posted.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(status)
            self.end_headers()

        def log_message(self, *_):
            pass

    server = HTTPServer(("127.0.0.1", 0), Hook)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("HOOK", f"http://127.0.0.1:{server.server_port}/secret-path")
    try:
        yield posted
    finally:
        server.shutdown()
        server.server_close()


def test_an_empty_log_is_not_enough_data_and_no_action_follows(monitor, tmp_path):
    (tmp_path / "log").mkdir()
    result = monitor(tmp_path / "log")
    assert (result.summary["predictions"], result.summary["findings"]) == (0, [])
    assert check(result.summary, "input_drift")["observed"].startswith("not enough data")
    assert not (tmp_path / "alerts.jsonl").exists()
    assert "no findings" in result.err


def test_a_misspelt_log_is_refused(monitor, tmp_path):
    result = monitor(tmp_path / "nowhere")
    assert result.code == 2
    assert f"window.log {tmp_path}/nowhere: no such folder" in result.err


def test_the_artifacts_and_metrics_of_a_run(monitor, model, write, tmp_path):
    import mlflow

    workspace = tmp_path / "evidently"
    result = monitor(write(users.usual(300, seed=5), labels=200), f"evidently={workspace}")
    summary = result.summary
    assert (summary["model_version"], summary["predictions"], summary["findings"]) == ("1", 300, [])
    assert check(summary, "accuracy")["count"] == 200
    assert summary["feedback"]["reviews"] > 0
    assert any(workspace.rglob("*.json"))

    from cli.session import session

    with session("local", debug=False):
        from zenml.client import Client

        from registry import versions

        steps = Client().get_pipeline_run(summary["run"]).steps
        outputs = [artifact for step in steps.values() for found in step.outputs.values() for artifact in found]
        linked = versions.get_artifact(model, "1", "reference")
        assert linked.id == steps["build_reference"].regular_outputs["reference"].id
    assert {a.name for a in outputs} == {"reference", "window", "monitoring_checks", "feedback", "feedback_checks"}
    assert all(a.visualizations and a.materializer.import_path.startswith("materializers.") for a in outputs)
    client = mlflow.MlflowClient(command_line.tracking_uri())
    (run,) = client.search_runs(
        [e.experiment_id for e in client.search_experiments()], f"tags.mlflow.runName = '{summary['run']}'"
    )
    assert {file.path for file in client.list_artifacts(run.info.run_id)} >= {"monitoring.html", "evidently.html"}
    assert (run.data.tags["model_version"], run.data.metrics["predictions"]) == ("1", 300)


def test_every_service_fails_at_once(monitor, model, write, monkeypatch, tmp_path):
    """The log is damaged, Prometheus and the webhook are down, and the alert log's disk is full."""
    folder = write(users.drifted(300, seed=6))
    next(folder.glob("predictions-*")).open("ab").write(b'{"id": "torn\n\xff\xfe\n' * 50)
    monkeypatch.setenv("HOOK", f"{CLOSED}/secret-path")
    down = [f"service.prometheus={CLOSED}", "alert.webhook=$HOOK", "alert.log=/dev/full"]
    result = monitor(folder, *down)
    summary = result.summary
    assert (summary["action"], summary["predictions"]) == ("retrain", 300)
    assert {"log", "input_drift"} <= set(summary["findings"])
    health = check(summary, "service_health")
    assert (health["passed"], health["severity"]) == (True, "warning")
    assert f"Prometheus at {CLOSED} does not answer" in health["observed"]
    assert not summary["told"]
    disk, hook = summary["warnings"]
    assert disk == "the alert could not be written to /dev/full: No space left on device"
    assert hook.startswith("the alert could not be posted to $HOOK: ")
    assert "secret-path" not in result.err + result.out
    assert result.err.count("warning: ") == 2

    status = command_line.run("status", "--model", model, "--json")
    last, alarms = status.summary["monitoring"], status.summary["alarms"]
    assert (last["run"], last["version"], last["passed"]) == (summary["run"], "1", False)
    assert {alarm["name"] for alarm in alarms} == {c["name"] for c in summary["report"]["checks"] if not c["passed"]}
    assert all(alarm["since"] == last["at"] for alarm in alarms if alarm["name"].startswith("log"))
    assert "alarm: input_drift" in status.err
    assert {alarm["action"] for alarm in alarms if alarm["name"].startswith("input_drift")} == {"retrain"}
    page = tmp_path / "report.html"
    assert command_line.run("report", "--model", model, "--output", page, "--json").summary["alarms"] == alarms
    assert "alarms are open" in page.read_text() and "Drift over time" in page.read_text()


def test_an_alert_is_sent_once_and_retried_if_it_was_not_sent(monitor, write, tmp_path, monkeypatch):
    """And a retraining waits for a second window; runs in a row look at the same day, and count once."""
    folder, options = write(users.drifted(300, seed=7)), ("alert.webhook=$HOOK", "confirm={windows: 2, of: 2}")
    with webhook(monkeypatch, status=500) as refused:
        first = monitor(folder, *options).summary
    assert len(refused) == 2  # one retry
    assert (first["told"], first["warnings"]) == (True, ["the alert could not be posted to $HOOK: status 500"])
    with webhook(monkeypatch) as posted:
        assert monitor(folder, *options).summary["told"]
        again = monitor(folder, *options)
    assert not again.summary["told"]
    assert "an alert was sent before" in again.err
    (line,) = (tmp_path / "alerts.jsonl").read_text().splitlines()
    (told,) = posted
    assert {**told, "time": "", "run": ""} == {**json.loads(line), "time": "", "run": "", "window": told["window"]}
    assert told["findings"] == first["actions"]

    assert (again.summary["action"], again.summary["windows"]["input_drift"]) == ("alert", {"failed": 1, "of": 1})
    assert "alert: in 1 of 1 windows; retrain at 2 of 2" in again.err
    _move_to_the_day_before()
    confirmed = monitor(folder, "confirm={windows: 2, of: 2}").summary
    assert (confirmed["action"], confirmed["windows"]["input_drift"]) == ("retrain", {"failed": 2, "of": 2})
    assert confirmed["told"]  # the earlier alert asked for less


def _move_to_the_day_before():
    """Dates the window of the last monitoring run back."""
    from cli.session import session

    with session("local", debug=False):
        from zenml import log_metadata
        from zenml.client import Client

        newest = Client().list_artifact_versions(artifact="monitoring_checks", sort_by="desc:created", size=1)
        (report,) = newest.items
        moved = {name: report.run_metadata[name] - 24 * 3600 for name in ("start", "end")}
        log_metadata(metadata=moved, artifact_version_id=report.id)


def test_predictions_of_another_version_are_not_counted(monitor, write):
    summary = monitor(write(users.drifted(300, seed=8), version="7")).summary
    assert (summary["predictions"], summary["findings"]) == (0, ["log"])
    assert summary["window"]["other_versions"] == {"7": 300}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--set", "model=shared"], "no version is live here"),
        (["--set", "model=unknown"], "no version is in production"),
        (["--set", "window.hour=3"], "Did you mean window.hours?"),
        (["--set", "actions.input_drift=panic"], "actions.input_drift"),
    ],
)
def test_a_mistake_is_one_line(arguments, words, model):
    result = command_line.run("--pipeline", "monitor", *arguments)
    assert result.code == 2
    assert words in result.err.splitlines()[-1]
