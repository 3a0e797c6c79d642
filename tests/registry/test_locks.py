"""Locks in ZenML's database, between threads and processes."""

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from registry import locks

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("in_session")]


@pytest.fixture
def in_session():
    from cli.session import session

    with session("local", debug=False):
        yield


def require_no_tag(name):
    from zenml.client import Client

    with pytest.raises(KeyError):
        Client().get_tag(name, allow_name_prefix_match=False)


def test_a_killed_holder_of_the_version_lock_blocks_only_for_a_while(monkeypatch):
    from zenml.client import Client

    monkeypatch.setattr(locks, "STALE_AFTER_S", 0.3)
    Client().create_tag("versions of unknown are changing")  # left by a process that was killed
    with locks.version_lock("unknown"):
        pass
    require_no_tag("versions of unknown are changing")


def test_one_holder_at_a_time(tmp_path):
    """Eight threads add one to a number in a file, each reading before it writes."""
    number = tmp_path / "number"
    number.write_text("0")

    def add(_):
        with locks.version_lock("a number"):
            before = int(number.read_text())
            time.sleep(0.02)
            number.write_text(str(before + 1))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(add, range(8)))
    assert number.read_text() == "8"


def test_a_holder_without_a_heartbeat_loses_the_lock(monkeypatch):
    from zenml.client import Client

    name = "a loop that was killed"
    Client().create_tag(name)
    with locks.try_lock(name) as busy_since:
        assert busy_since is not None  # the holder may be alive
    monkeypatch.setattr(locks, "LEASE", timedelta(seconds=1))
    monkeypatch.setattr(locks, "HEARTBEAT_S", 0.1)
    time.sleep(1.1)
    with locks.try_lock(name) as busy_since:
        assert busy_since is None
        time.sleep(1.3)  # longer than the lease: only the heartbeat keeps the lock
        with locks.try_lock(name) as other:
            assert other is not None
    require_no_tag(name)
