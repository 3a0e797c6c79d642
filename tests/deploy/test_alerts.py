"""Every alert fires when it must and is silent otherwise: Prometheus' own rule tests, over made-up hours."""

import shutil
import subprocess

import pytest
import yaml

from tests.helpers.deploy_files import DEPLOY

promtool = shutil.which("promtool")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(promtool is None, reason="promtool is not installed (Debian's package prometheus)"),
]

# A quiet hour: one value every 15 s, in promtool's notation.
HTTP, GRPC = 'protocol="http",method="/v1/predict"', 'protocol="grpc",method="Predict"'
QUIET = {
    'up{job="sentiment",instance="a:3000"}': "1x240",
    f'sentiment_requests_total{{{HTTP},code="200"}}': "0+100x240",
    f'sentiment_requests_total{{{HTTP},code="422"}}': "0+50x240",  # errors of the clients
    f'sentiment_requests_total{{{HTTP},code="503"}}': "0x240",
    f'sentiment_requests_total{{{GRPC},code="OK"}}': "0+100x240",
    f'sentiment_requests_total{{{GRPC},code="UNAVAILABLE"}}': "0x240",
    f'sentiment_request_seconds_bucket{{{HTTP},le="0.25"}}': "0+99x240",
    f'sentiment_request_seconds_bucket{{{HTTP},le="1.0"}}': "0+100x240",
    f'sentiment_request_seconds_bucket{{{HTTP},le="+Inf"}}': "0+100x240",
    'sentiment_request_seconds_bucket{protocol="http",method="/v1/explain",le="0.25"}': "0x240",
    'sentiment_request_seconds_bucket{protocol="http",method="/v1/explain",le="+Inf"}': "0+100x240",
    'sentiment_queue_texts{instance="a:3000"}': "3x240",
    'sentiment_predictions_total{label="positive"}': "0+100x240",
    'sentiment_predictions_total{label="negative"}': "0+100x240",
    "sentiment_abstained_total": "0+10x240",
    "sentiment_confidence_sum": "0+180x240",
    "sentiment_confidence_count": "0+200x240",
    'sentiment_log_dropped_total{instance="a:3000"}': "0x240",
}
UP = 'up{job="sentiment",instance="a:3000"}'
FAILED_HTTP = f'sentiment_requests_total{{{HTTP},code="503"}}'
FAILED_GRPC = f'sentiment_requests_total{{{GRPC},code="UNAVAILABLE"}}'
FAST = f'sentiment_request_seconds_bucket{{{HTTP},le="0.25"}}'
QUEUE, DROPPED = 'sentiment_queue_texts{instance="a:3000"}', 'sentiment_log_dropped_total{instance="a:3000"}'
POSITIVE, NEGATIVE = (f'sentiment_predictions_total{{label="{label}"}}' for label in ("positive", "negative"))
FEW = {POSITIVE: "0+0.1x240", NEGATIVE: "0+0.1x240"}

# The differences from the quiet hour, and the alerts that fire.
HOURS = {
    "quiet": ({}, []),
    "down": ({UP: "1x100 0x140"}, ["ServiceDown"]),
    "gone": ({UP: None}, ["ServiceDown"]),
    "restarted": ({UP: "1x100 0x2 1x138"}, []),
    "3 % fail over HTTP": ({FAILED_HTTP: "0+5x240"}, ["HighErrorRate"]),
    "1 % fails over HTTP": ({FAILED_HTTP: "0+1.5x240"}, []),
    "3 % fail over gRPC": ({FAILED_GRPC: "0+3x240"}, ["HighErrorRate"]),
    "10 % are slow": ({FAST: "0+90x240"}, ["SlowAnswers"]),
    "4 % are slow": ({FAST: "0+96x240"}, []),
    "the queue stays long": ({QUEUE: "3x100 200x140"}, ["QueueFilling"]),
    "the queue is long for a moment": ({QUEUE: "3x100 200x4 3x136"}, []),
    "30 % abstained": ({"sentiment_abstained_total": "0+60x240"}, ["ManyAbstentions"]),
    "20 % abstained": ({"sentiment_abstained_total": "0+40x240"}, []),
    "all of a few abstained": ({**FEW, "sentiment_abstained_total": "0+0.2x240"}, []),
    "unsure": ({"sentiment_confidence_sum": "0+130x240"}, ["ConfidenceCollapse"]),
    "less sure than usual": ({"sentiment_confidence_sum": "0+150x240"}, []),
    "unsure of a few": ({"sentiment_confidence_sum": "0+0.1x240", "sentiment_confidence_count": "0+0.2x240"}, []),
    "records lost": ({DROPPED: "0x100 7x140"}, ["LogRecordsDropped"]),
    "records lost long ago": ({DROPPED: "7x240"}, []),
}


def alerts():
    groups = yaml.safe_load((DEPLOY / "alerts.yml").read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]


@pytest.mark.parametrize(("changes", "fired"), HOURS.values(), ids=HOURS)
def test_exactly_the_right_alerts_fire_in_an_hour(changes, fired, tmp_path):
    series = {name: values for name, values in {**QUIET, **changes}.items() if values is not None}
    hour = {
        "interval": "15s",
        "input_series": [{"series": name, "values": values} for name, values in series.items()],
        "promql_expr_test": [
            {
                "expr": 'count by (alertname) (max_over_time(ALERTS{alertstate="firing"}[1h]))',
                "eval_time": "1h",
                "exp_samples": [{"labels": f'{{alertname="{name}"}}', "value": 1} for name in fired],
            }
        ],
    }
    rules = {"rule_files": [str(DEPLOY / "alerts.yml")], "evaluation_interval": "15s", "tests": [hour]}
    (tmp_path / "test.yml").write_text(yaml.safe_dump(rules))
    done = subprocess.run(
        [promtool, "test", "rules", tmp_path / "test.yml"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_alert_is_seen_to_fire():
    assert {name for _, fired in HOURS.values() for name in fired} == {rule["alert"] for rule in alerts()}


def test_every_alert_has_a_problem_and_a_remedy():
    for rule in alerts():
        assert set(rule["annotations"]) == {"summary", "action"}, rule["alert"]
        assert rule["labels"]["severity"] in ("critical", "warning")


def test_prometheus_accepts_the_configuration():
    command = [promtool, "check", "config", DEPLOY / "prometheus.yml"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{len(alerts())} rules found" in done.stdout
