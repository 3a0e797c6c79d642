"""The closed loop: serve, drift, alert, labels, retrain, canary, switch; and failures on the way."""

import errno
import os
import subprocess
import sys
import time

import pytest

from sentiment.errors import UserError
from stacks.processes import find_program
from tests.helpers import command_line, users
from tests.helpers.loop import Loop, start
from tests.helpers.loopback import free_ports, until

pytestmark = pytest.mark.skipif(find_program("nginx") is None, reason="nginx is not installed")


@pytest.fixture(scope="module")
def loop(folder, reviews_file, promotion):
    """A model whose version 1 is live on a stack of its own, and logs texts."""
    http, grpc = free_ports(2)
    (folder / "looping.yaml").write_text(
        "components:\n"
        "  orchestrator: {flavor: local}\n"
        "  artifact_store: {flavor: local}\n"
        "  experiment_tracker: {flavor: mlflow}\n"
        "  model_deployer:\n    flavor: sentiment_bento\n"
        f"    configuration: {{http_port: {http}, grpc_port: {grpc}, workers: 1, log_text: true}}\n"
    )
    yield from start(Loop("looping", "looping", folder / "here"), reviews_file, promotion)


def test_without_findings_no_action_follows(loop):
    loop.use(users.usual(300, seed=3), labels=0)
    turn = loop.turn().summary
    assert (turn["outcome"], turn["train"], turn["deploy"]) == ("nothing", None, None), turn["monitor"]["report"]
    assert turn["monitor"]["predictions"] == 300
    assert loop.alerts == []


def test_drift_is_found_and_one_alert_is_sent(loop):
    loop.use(users.drifted(300, seed=1), labels=0)
    found = loop.monitor()
    assert (found.summary["action"], found.summary["actions"]["input_drift"]) == ("retrain", "retrain")
    assert "a retraining is due" in found.err
    (alert,) = loop.alerts
    assert (alert["model"], alert["model_version"], alert["run"]) == (loop.model, "1", found.summary["run"])
    assert alert["findings"] == found.summary["actions"]
    assert any(check["check"].startswith("input_drift") for check in alert["found"])
    assert not loop.monitor().summary["told"]
    assert len(loop.alerts) == 1


def test_without_feedback_the_champion_stays(loop):
    turn = loop.turn().summary
    assert (turn["outcome"], turn["train"]["reason"]) == ("kept", "identical to champion version 1")
    assert loop.state == ("1", "1", [])


def test_a_retraining_that_fails_midway_changes_nothing(loop, monkeypatch):
    loop.use(users.drifted(300, seed=2), labels=300)

    def fill_disk(*_, **__):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "somewhere")

    monkeypatch.setattr("registry.champion.set_champion", fill_disk)
    failed = loop.turn()
    assert failed.code == 1
    assert failed.err.splitlines()[-1] == "error: somewhere: No space left on device"
    monkeypatch.undo()
    assert loop.state == ("1", "1", [])


def test_the_next_turn_continues_and_switches(loop):
    with users.constant_traffic(loop.http):
        turn = loop.turn()
    summary = turn.summary
    assert (summary["outcome"], summary["reason"]) == ("switched", "version 1 -> 2")
    assert "= train_linear  from cache" in turn.err
    assert "accuracy on feedback" in summary["train"]["reason"]
    assert summary["train"]["metrics"]["linear"]["slices"]["source=feedback"]["count"] >= 20
    assert set(summary["deploy"]["checks"]["canary"]) == {"agreement", "requests", "errors", "latency"}
    assert loop.state == ("2", "2", [])
    (tag,) = {tag for stage in ("monitor", "train", "deploy") for tag in loop.tags(summary[stage]["run"])}
    assert tag.startswith("turn-")
    after = loop.turn().summary
    assert (after["outcome"], after["monitor"]["model_version"]) == ("nothing", "2")


def test_a_training_by_hand_keeps_the_feedback(loop):
    again = loop.run("--pipeline", "train", "--config", loop.folder / "train.yaml", "--set", f"model={loop.model}")
    assert again.summary["reason"] == "identical to champion version 2"


HOLDER = """
import sys
from registry.locks import try_lock
with try_lock(sys.argv[1]) as busy_since:
    print(busy_since, flush=True)
    sys.stdin.read()
"""


def test_a_second_loop_ends_at_once_while_one_runs(loop):
    """The running one is another process."""
    holder = [sys.executable, "-c", HOLDER, f"the loop of {loop.model} is running"]
    with subprocess.Popen(
        holder, cwd=command_line.ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout.readline().strip() == "None"  # no other process holds it
        turn = loop.turn()
        other.stdin.close()
    assert (turn.code, other.returncode) == (0, 0)
    assert turn.summary["outcome"] == "busy"
    assert turn.summary["monitor"] is None


def test_a_canary_that_fails_leaves_the_champion(loop):
    words = {"good": ["blorp", "fizzly", "quandy", "yumbo"], "bad": ["grumph", "sklorch", "drobbly", "vexish"]}
    loop.use(users.drifted(300, seed=4, **words), labels=300)
    turn = loop.turn().summary  # no request reaches the canary
    assert turn["outcome"] == "aborted"
    assert "version 3 did not go live" in turn["reason"]
    assert turn["train"]["promoted"]
    assert loop.state == ("2", "2", [])
    (third,) = [v for v in loop.run("versions", "--model", loop.model).summary["versions"] if v["number"] == "3"]
    assert (third["stage"], third["promoted"], bool(third["taken_back"])) == ("archived", False, True)
    assert "requests: 0" in third["reason"]
    assert loop.alerts[-1]["found"][0]["check"] == "canary"
    again = loop.turn().summary
    assert again["monitor"]["actions"] == turn["monitor"]["actions"]
    assert (again["outcome"], again["train"]) == ("acted", None)
    assert again["reason"] == f"already acted on this window: run {turn['train']['run']}"
    assert loop.state == ("2", "2", [])


def test_a_promoted_version_that_is_not_live_goes_live(loop):
    """As after a turn that died between the promotion and the deployment."""
    assert loop.run("promote", "--version", "3", "--model", loop.model).summary["changed"]
    with users.constant_traffic(loop.http):
        turn = loop.turn().summary
    assert (turn["outcome"], turn["reason"], turn["train"]) == ("switched", "version 2 -> 3", None)
    assert loop.state == ("3", "3", [])


def test_a_version_that_cannot_start_is_reverted_with_an_alert(loop, monkeypatch):
    from serving.service import BentoService

    def fail_start(service):
        raise service._failed("ended while it started")

    assert loop.run("promote", "--version", "1", "--model", loop.model).summary["changed"]
    monkeypatch.setattr("cli.runs.continuous.run_deploy", lambda *_: (_ for _ in ()).throw(UserError("is busy")))
    busy = loop.turn()  # the version is not the cause
    assert (busy.code, busy.err.splitlines()[-1]) == (2, "error: is busy")
    assert (loop.state[:2], loop.alerts[-1]["found"][0]["observed"]) == (("3", "1"), "is busy")
    monkeypatch.undo()
    alerts = len(loop.alerts)

    monkeypatch.setattr(BentoService, "_wait", fail_start)
    turn = loop.turn().summary
    assert turn["outcome"] == "aborted"
    assert "version 1 did not go live: ended while it started" in turn["reason"]
    assert loop.state == ("3", "3", [])
    assert len(loop.alerts) == alerts  # once a day


def test_a_rollback_that_fails_midway_is_not_undone(loop, monkeypatch):
    def fail(*_, **__):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "somewhere")

    promoted_at = int(time.time())
    back = ("--set", "smoke.p95_ms=5000", "rollback", "--model", loop.model)
    until(lambda: int(time.time()) > promoted_at)  # times are recorded in whole seconds
    monkeypatch.setattr("cli.production.set_champion", fail)
    assert loop.run(*back).code == 1
    monkeypatch.undo()
    assert loop.state[:2] == ("2", "3")
    assert "rollback --to 2" in loop.status["warning"]
    turn = loop.turn().summary
    assert (turn["deploy"], turn["monitor"]["model_version"]) == (None, "2")
    assert loop.state[:2] == ("2", "3")
    assert loop.run(*back).summary["to"] == "2"
    assert loop.state == ("2", "2", [])
