"""The closed loop for real: serve, drift, alarm, labels, retrain, canary, switch; and what may go wrong on the way."""

import errno
import os
import subprocess
import sys
import time
from datetime import timedelta

import pytest

from sentiment.errors import UserError
from stacks.processes import find_program
from tests.helpers import command_line, users
from tests.helpers.loop import Loop, started
from tests.helpers.loopback import free_ports

pytestmark = pytest.mark.skipif(find_program("nginx") is None, reason="nginx is not installed")


@pytest.fixture(scope="module")
def loop(folder, reviews_file, promotion):
    """Version 1 is live on a local stack of its own, and logs texts: its users have agreed."""
    http, grpc = free_ports(2)
    (folder / "looping.yaml").write_text(
        "components:\n"
        "  orchestrator: {flavor: local}\n"
        "  artifact_store: {flavor: local}\n"
        "  experiment_tracker: {flavor: mlflow}\n"
        "  model_deployer:\n    flavor: sentiment_bento\n"
        f"    configuration: {{http_port: {http}, grpc_port: {grpc}, workers: 1, log_text: true}}\n"
    )
    yield from started(Loop("looping", "looping", folder / "here"), reviews_file, promotion)


def test_when_nothing_is_wrong_nothing_happens(loop):
    loop.use(users.usual(300, seed=3), labels=0)
    turn = loop.turn().summary
    assert (turn["outcome"], turn["train"], turn["deploy"]) == ("nothing", None, None), turn["monitor"]["report"]
    assert turn["monitor"]["predictions"] == 300
    assert loop.alerts == []


def test_drift_is_seen_and_told_once(loop):
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


def test_without_anything_new_to_learn_from_the_champion_stays(loop):
    turn = loop.turn().summary
    assert (turn["outcome"], turn["train"]["reason"]) == ("kept", "identical to champion version 1")
    assert loop.state == ("1", "1", [])


def test_a_retraining_that_dies_half_way_changes_nothing(loop, monkeypatch):
    loop.use(users.drifted(300, seed=2), labels=300)

    def full(*_, **__):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "somewhere")

    monkeypatch.setattr("registry.champion.set_champion", full)
    died = loop.turn()
    assert died.code == 1
    assert died.err.splitlines()[-1] == "error: somewhere: No space left on device"
    monkeypatch.undo()
    assert loop.state == ("1", "1", [])


def test_the_next_turn_goes_on_and_switches(loop):
    with users.asking(loop.http):
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


def test_a_training_by_hand_does_not_forget_what_users_taught(loop):
    again = loop.run("--pipeline", "train", "--config", loop.folder / "train.yaml", "--set", f"model={loop.model}")
    assert again.summary["reason"] == "identical to champion version 2"


HOLDER = """
import sys
from registry.locks import try_lock
with try_lock(sys.argv[1]) as busy_since:
    print(busy_since, flush=True)
    sys.stdin.read()
"""


def test_of_two_loops_at_once_one_ends_at_once(loop):
    """The other one is a process of its own."""
    holder = [sys.executable, "-c", HOLDER, f"the loop of {loop.model} is running"]
    with subprocess.Popen(
        holder, cwd=command_line.ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout.readline().strip() == "None"  # since when somebody else holds it
        turn = loop.turn()
        other.stdin.close()
    assert (turn.code, other.returncode) == (0, 0)
    assert turn.summary["outcome"] == "busy"
    assert turn.summary["monitor"] is None


def test_a_canary_that_fails_leaves_the_champion(loop):
    words = {"good": ["blorp", "fizzly", "quandy", "yumbo"], "bad": ["grumph", "sklorch", "drobbly", "vexish"]}
    loop.use(users.drifted(300, seed=4, **words), labels=300)
    turn = loop.turn().summary  # nobody asks the canary
    assert turn["outcome"] == "aborted"
    assert "version 3 did not go live" in turn["reason"]
    assert turn["train"]["promoted"]
    assert loop.state == ("2", "2", [])
    (third,) = [v for v in loop.run("versions", "--model", loop.model).summary["versions"] if v["number"] == "3"]
    assert (third["stage"], third["promoted"], bool(third["taken_back"])) == ("archived", False, True)
    assert "requests: 0" in third["reason"]
    assert loop.alerts[-1]["found"][0]["check"] == "canary"
    again = loop.turn().summary
    assert (again["outcome"], again["train"]) == ("acted", None)
    assert again["reason"] == f"already acted on this window: run {turn['train']['run']}"
    assert loop.state == ("2", "2", [])


def test_what_was_promoted_and_is_not_live_goes_live(loop):
    """As a turn leaves it that dies between the promotion and the deployment."""
    assert loop.run("promote", "--version", "3", "--model", loop.model).summary["changed"]
    with users.asking(loop.http):
        turn = loop.turn().summary
    assert (turn["outcome"], turn["reason"], turn["train"]) == ("switched", "version 2 -> 3", None)
    assert loop.state == ("3", "3", [])


def test_what_cannot_start_is_taken_back_and_told(loop, monkeypatch):
    from serving.service import BentoService

    def ends(service):
        raise service._failed("ended while it started")

    def promoted():
        assert loop.run("promote", "--version", "1", "--model", loop.model).summary["changed"]

    promoted()
    monkeypatch.setattr("cli.runs.continuous.run_deploy", lambda *_: (_ for _ in ()).throw(UserError("is busy")))
    busy = loop.turn()  # which is not its fault
    assert (busy.code, busy.err.splitlines()[-1]) == (2, "error: is busy")
    assert (loop.state[:2], loop.alerts[-1]["found"][0]["observed"]) == (("3", "1"), "is busy")
    monkeypatch.undo()
    told = len(loop.alerts)

    monkeypatch.setattr(BentoService, "_wait", ends)
    turn = loop.turn().summary
    assert turn["outcome"] == "aborted"
    assert "version 1 did not go live: ended while it started" in turn["reason"]
    assert loop.state == ("3", "3", [])
    assert len(loop.alerts) == told  # once a day


def test_a_rollback_that_dies_half_way_is_not_undone(loop, monkeypatch):
    def dies(*_, **__):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "somewhere")

    back = ("--set", "smoke.p95_ms=5000", "rollback", "--model", loop.model)
    time.sleep(1)  # times are recorded in seconds
    monkeypatch.setattr("cli.production.set_champion", dies)
    assert loop.run(*back).code == 1
    monkeypatch.undo()
    assert loop.state[:2] == ("2", "3")
    assert "rollback --to 2" in loop.status["warning"]
    turn = loop.turn().summary
    assert (turn["deploy"], turn["monitor"]["model_version"]) == (None, "2")
    assert loop.state[:2] == ("2", "3")
    assert loop.run(*back).summary["to"] == "2"
    assert loop.state == ("2", "2", [])


@pytest.fixture
def in_session(loop):
    from cli.session import session

    with session(loop.stack, debug=False):
        yield


@pytest.mark.usefixtures("in_session")
def test_a_holder_that_shows_no_life_holds_nobody_up(monkeypatch):
    from zenml.client import Client

    from registry import locks

    Client().create_tag("a loop that was killed")
    with locks.try_lock("a loop that was killed") as busy_since:
        assert busy_since is not None  # it may be alive
    monkeypatch.setattr(locks, "LEASE", timedelta(seconds=2))
    monkeypatch.setattr(locks, "HEARTBEAT_S", 0.1)
    time.sleep(2.1)
    with locks.try_lock("a loop that was killed") as busy_since:
        assert busy_since is None
        time.sleep(2.5)  # signs of life
        with locks.try_lock("a loop that was killed") as other:
            assert other is not None
    with pytest.raises(KeyError):
        Client().get_tag("a loop that was killed", allow_name_prefix_match=False)
