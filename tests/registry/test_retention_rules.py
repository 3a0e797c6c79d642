"""Which versions and runs may be deleted, and which stay."""

import dataclasses
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from uuid import uuid4

import pytest

from cli.commands import COMMANDS
from cli.parser import parse
from registry.retention.packages import Package, choose_packages
from registry.retention.rules import Rule, Run, choose_runs, find_previous, find_reasons
from sentiment.deployment import Version
from sentiment.errors import UserError

NOW = datetime(2026, 11, 30, tzinfo=UTC)
RULE = Rule(keep=1, before=NOW)


def version(number, *, days=10, **values):
    registered = (NOW - timedelta(days=days)).isoformat()
    empty = {
        "stage": "",
        "kind": "linear",
        "fingerprint": f"f{number}",
        "promoted": False,
        "reason": "",
        "replaced": "",
    }
    return Version(number=str(number), registered=registered, run=f"train-{number}", **{**empty, **values})


def run(number, *, pipeline="train", days=10, **values):
    return Run(uuid4(), f"{pipeline}-{number}", pipeline, NOW - timedelta(days=days, seconds=-number), **values)


def test_a_version_stays_for_a_reason_that_is_named():
    known = [
        version(1),
        version(2, stage="archived"),
        version(3, waiting=True),
        version(4, rolled_back="2026-11-01"),
        version(5, stage="production", replaced="2"),
        version(6),
        version(7),
        version(8, days=1),
        version(9),
    ]
    rule = dataclasses.replace(RULE, before=NOW - timedelta(days=5))
    assert find_reasons(known, rule, {"6": "live"}) == {
        "2": "target of a rollback",
        "3": "waits for an approval",
        "4": "was rolled back",
        "5": "in production",
        "6": "live",
        "8": "too new",
        "9": "one of the newest 1",
    }


def test_without_a_record_of_it_the_last_archived_version_is_the_target_of_a_rollback():
    known = [version(1, stage="archived"), version(2, stage="archived"), version(3, stage="production"), version(4)]
    assert set(find_reasons(known, RULE, {})) == {"2", "3", "4"}


def test_a_rollback_restores_an_older_version_if_the_previous_one_was_deleted():
    known = [version(1, stage="archived"), version(3, stage="archived", rolled_back="2026-11-01")]
    known += [version(5, stage="production", replaced="4"), version(6)]
    assert find_previous(known) == "1"
    assert find_reasons(known, RULE, {})["1"] == "target of a rollback"
    assert find_previous(known[2:]) == ""


def test_a_rejected_version_stays_so_that_no_training_presents_it_again():
    known = [version(1, approval="rejected"), version(2, approval="approved"), version(3)]
    assert find_reasons(known, RULE, {}) == {"1": "was rejected", "3": "one of the newest 1"}


def test_an_interrupted_deletion_goes_on_unless_the_version_came_into_use():
    known = [version(1), version(2, stage="production"), version(3)]
    assert "1" in find_reasons(known, Rule(9, NOW), {})
    assert "1" not in find_reasons(known, Rule(9, NOW), {}, interrupted=["1", "2"])
    assert {"1", "2"} <= set(find_reasons(known, Rule(9, NOW), {"1": "live"}, interrupted=["1", "2"]))


def test_each_pipeline_keeps_its_newest_runs():
    runs = [run(i, pipeline=pipeline) for pipeline in ("train", "deploy") for i in range(4)]
    old, kept = choose_runs(runs, Rule(2, NOW), needed=["train-0"])
    assert [r.name for r in old] == ["train-1", "deploy-0", "deploy-1"]
    assert len(old) + len(kept) == len(runs)


def test_running_newer_and_other_stacks_runs_stay():
    runs = [run(0, active=True), run(1, here=False), run(2, days=0), run(3), run(4), run(5, days=-1)]
    before = NOW - timedelta(days=5)
    assert [r.name for r in choose_runs(runs, Rule(1, before), needed=[])[0]] == ["train-3", "train-4"]
    assert [r.name for r in choose_runs(runs, Rule(9, before), [], interrupted=["train-0", "train-4"])[0]] == [
        "train-4"
    ]


def test_bentos_of_old_versions_and_of_older_code_go():
    packages = [
        Package(f"m:{name}", f"f{number}", number, NOW - timedelta(days=days))
        for name, number, days in [
            ("a", "1", 9),
            ("b", "2", 9),
            ("c", "2", 8),
            ("d", "2", 0),
            ("e", "7", 9),
            ("f", "3", 9),
        ]
    ]
    known = [version(1), version(2), version(3)]
    chosen = choose_packages(packages, known, {"1", "3"}, Rule(1, NOW - timedelta(days=1)), {"m:b", "m:f"})
    assert [package.tag for package in chosen] == ["m:a", "m:c"]  # e belongs to another ZenML; b and f run


@pytest.mark.parametrize("words", [["--keep", "0"], ["--keep", "x"], ["--older-than", "30"], ["--older-than", "2w"]])
def test_wrong_limits_are_refused(words):
    with pytest.raises(UserError, match="must be"):
        parse(COMMANDS, ["prune", *words])


def test_limits_are_read():
    arguments = parse(COMMANDS, ["prune", "--keep", "7", "--older-than", "30d", "--dry-run"]).arguments
    assert (arguments.keep, arguments.older_than, arguments.dry_run) == (7, timedelta(days=30), True)


def test_every_pipeline_of_the_project_is_considered():
    from pipelines import deploy, evaluate, monitor, score, train, tune
    from registry.retention.records import PIPELINES

    found = [train.train, tune.trial, tune.tune, evaluate.evaluate, deploy.deploy, monitor.monitor, score.score]
    assert sorted(PIPELINES) == sorted(p.name for p in found)


def test_a_service_that_is_neither_live_nor_on_trial_is_a_leftover(tmp_path, monkeypatch):
    from serving import leftovers

    for name in ("live", "dead"):
        (tmp_path / "services" / name).mkdir(parents=True)
        (tmp_path / "services" / name / "service.log").write_text("x" * 30)
    (tmp_path / "failed.log").write_text("it failed")
    record = SimpleNamespace(deployment=SimpleNamespace(service="live"), former=None)
    monkeypatch.setattr(leftovers, "read_live", lambda root: record)
    monkeypatch.setattr(leftovers, "MAX_BODY_BYTES", 20)
    found = leftovers.find_leftovers(tmp_path, datetime.now(UTC) + timedelta(days=1))
    assert [path.name for path in (*found.services, *found.files)] == ["dead", "failed.log"]
    assert {log.parent.name for log in found.grown} == {"live", "dead"}
    assert leftovers.find_leftovers(tmp_path, NOW - timedelta(days=900)).files == ()
    monkeypatch.setattr(leftovers, "read_live", lambda root: None)  # a removed record: the front knows the live one
    assert leftovers.find_leftovers(tmp_path, NOW).services == ()
