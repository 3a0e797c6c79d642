"""Which parts of the cache may be deleted, and how much disk is used."""

import fcntl
import os
from datetime import UTC, datetime, timedelta

import pytest

from registry.retention.caches import delete_caches, find_caches
from registry.retention.disk_use import bytes_below
from registry.retention.rules import Rule

OLD = datetime(2026, 1, 1, tzinfo=UTC)
RULE = Rule(keep=1, before=OLD + timedelta(days=5))


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("SENTIMENT_CACHE", str(tmp_path))

    def add(name, *, day, folder=False):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if folder:
            path.mkdir()
            (path / "lock").touch()
        else:
            path.write_bytes(b"12345")
        time = (OLD + timedelta(days=day)).timestamp()
        os.utime(path, (time, time))
        return path

    return add


def names(paths):
    return sorted(path.name for path in paths)


def test_old_states_of_trainings_go_unless_a_process_trains_there(cache):
    folders = [
        cache(f"training/{name}", day=day, folder=True) for name, day in [("a", 0), ("b", 1), ("c", 2), ("d", 9)]
    ]
    cache("training/e", day=8, folder=True)
    assert names(find_caches(RULE, ())) == ["a", "b", "c"]  # e is too new
    with (folders[1] / "lock").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert names(find_caches(RULE, ())) == ["a", "c"]


def test_a_training_that_started_after_the_plan_keeps_its_folder(cache):
    planned = [cache(f"training/{name}", day=day, folder=True) for name, day in [("a", 0), ("b", 1), ("c", 2)]]
    os.utime(planned[2])  # another training has written to it
    study = cache("tuning/old.db", day=0)
    with (planned[1] / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        os.utime(planned[1], (OLD.timestamp(), OLD.timestamp()))
        delete_caches([*planned, study], RULE)
    assert names(planned[0].parent.iterdir()) == ["b", "c"] and not study.exists()
    delete_caches(planned, RULE)
    assert names(planned[0].parent.iterdir()) == ["c"]


def test_studies_go_with_their_logs_unless_the_search_is_unfinished(cache):
    for name, day in [("old", 0), ("open", 1), ("new", 2)]:
        cache(f"tuning/{name}.db", day=day)
        cache(f"tuning/{name}.worker-1.log", day=day)
    assert names(find_caches(RULE, ["open"])) == ["old.db", "old.worker-1.log"]


def test_broken_downloads_go_and_wheels_stay(cache):
    cache("models/download-x1", day=0, folder=True)
    cache("models/weights.whl", day=0)
    cache("alerts.jsonl", day=0)
    assert names(find_caches(RULE, ())) == ["download-x1"]


def test_sizes_do_not_follow_links_and_stop_in_time(tmp_path):
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "one").write_bytes(b"x" * 10)
    (tmp_path / "a" / "b" / "two").write_bytes(b"x" * 5)
    (tmp_path / "link").symlink_to(tmp_path / "a")
    assert bytes_below(tmp_path / "a") == 15
    assert bytes_below(tmp_path / "link") < 15 + len(str(tmp_path)) and not bytes_below(tmp_path / "none")
    assert bytes_below(tmp_path / "a", deadline=0) == 10
