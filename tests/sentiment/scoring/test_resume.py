"""A job that was killed goes on where it was, and ends with the same bytes."""

import os
import random
import signal
import sqlite3
import subprocess
import time
from multiprocessing import active_children

import pytest

from sentiment import progress
from sentiment.errors import UserError
from sentiment.scoring.storage import Storage
from tests.helpers import forked, scoring

SETTINGS = {"shard_rows": 40}
LINES = 8000


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    path = tmp_path_factory.mktemp("source") / "a.csv"
    frame = scoring.rows(LINES)
    frame.loc[::50, "text"] = ""
    frame.to_csv(path, index=False)
    return path


@pytest.fixture(scope="module")
def uninterrupted(linear, source, tmp_path_factory):
    """The files of a job that nothing disturbed."""
    output = tmp_path_factory.mktemp("uninterrupted") / "out"
    done = scoring.score(linear, source, output, **SETTINGS)
    assert len(done.tally.shards) == LINES / 40
    return scoring.contents(output)


def work(servable, source, output, settings) -> int:
    return 0 if scoring.score(servable, source, output, **settings).manifest.complete else 1


@pytest.mark.slow
def test_twenty_kills_change_no_byte(linear, source, uninterrupted, tmp_path):
    output, draw, kills = tmp_path / "out", random.Random(0), 0
    while kills < 20:
        before = len(list((output / "done").glob("*.json")))
        job = forked.start(work, linear, source, output, SETTINGS, folder=tmp_path)
        wanted = before + draw.randint(0, 3)
        while job.process.is_alive() and len(list((output / "done").glob("*.json"))) < wanted:
            time.sleep(0.001)
        time.sleep(draw.uniform(0, 0.02))
        if not job.process.is_alive():
            pytest.fail(job.err or f"finished after {kills} kills")
        os.kill(job.process.pid, signal.SIGKILL)
        job.process.join()
        kills += 1
    done = scoring.score(linear, source, output, **SETTINGS)
    assert 0 < done.new_rows < LINES
    assert scoring.contents(output) == uninterrupted


@pytest.mark.slow
def test_workers_end_with_a_killed_parent(linear, source, uninterrupted, tmp_path):
    import psutil

    output = tmp_path / "out"
    settings = {**SETTINGS, "on": "workers", "workers": 2}
    job = forked.start(work, linear, source, output, settings, folder=tmp_path)
    while len(list((output / "done").glob("*.json"))) < 3:
        assert job.process.is_alive(), job.err
        time.sleep(0.01)
    children = psutil.Process(job.process.pid).children(recursive=True)
    assert len(children) >= 2
    os.kill(job.process.pid, signal.SIGKILL)
    job.process.join()
    _, alive = psutil.wait_procs(children, timeout=10)
    assert not alive
    scoring.score(linear, source, output, **settings)
    assert scoring.contents(output) == uninterrupted


@pytest.mark.slow
def test_a_worker_that_is_killed_is_one_line_and_finished_parts_stay(linear, source, tmp_path, monkeypatch):
    def kill_one(task, done, total, **figures):
        if task == "score" and done == LINES / 4:
            active_children()[0].kill()

    with progress.listening(kill_one), pytest.raises(UserError, match="a worker process was killed"):
        scoring.score(linear, source, tmp_path / "out", **SETTINGS, on="workers", workers=2)
    assert len(list((tmp_path / "out" / "parts").iterdir())) > 3


@pytest.mark.skipif(os.geteuid() != 0, reason="mounts a small disk, for which one must be root")
def test_a_full_disk_is_told_and_loses_nothing(linear, source, uninterrupted, tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=300k", "tmpfs", str(disk)]
    if subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("may not mount")
    try:
        with pytest.raises(OSError, match="No space left"):
            scoring.score(linear, source, disk / "out", **SETTINGS)
        assert not list(disk.rglob("*.unfinished"))
        finished = len(list((disk / "out" / "done").iterdir()))
        assert finished
        subprocess.run(["mount", "-o", "remount,size=64m", str(disk)], check=True)
        done = scoring.score(linear, source, disk / "out", **SETTINGS)
        assert done.new_rows < LINES
        assert scoring.contents(disk / "out") == uninterrupted
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def test_the_same_command_again_has_nothing_to_do(linear, source, uninterrupted, tmp_path):
    scoring.score(linear, source, tmp_path / "out", **SETTINGS)
    again = scoring.score(linear, source, tmp_path / "out", **SETTINGS)
    assert (again.new_rows, again.manifest.complete) == (0, True)
    assert scoring.contents(tmp_path / "out") == uninterrupted


def test_a_part_that_was_lost_is_scored_again(linear, source, uninterrupted, tmp_path):
    scoring.score(linear, source, tmp_path / "out", **SETTINGS)
    (tmp_path / "out" / "parts" / "part-000003.parquet").unlink()
    scoring.score(linear, source, tmp_path / "out", **SETTINGS)
    assert scoring.contents(tmp_path / "out") == uninterrupted


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"abstain_below": 0.9}, "abstain_below was 0.6, and is 0.9"),
        ({"shard_rows": 20}, "shard_rows was 40, and is 20"),
        ({"input": "changed"}, r"the input .*a\.csv changed"),
        ({"model": "another"}, "the model's fingerprint was"),
        ({"engine": "another"}, "the model's engine was"),
    ],
)
def test_a_job_with_another_model_input_or_setting_is_refused(linear, cascade, tmp_path, monkeypatch, change, message):
    source = tmp_path / "a.csv"
    scoring.rows(50).to_csv(source, index=False)
    scoring.score(linear, source, tmp_path / "out", **SETTINGS)
    before = scoring.contents(tmp_path / "out")
    if "input" in change:
        scoring.rows(50, seed=9).to_csv(source, index=False)
    if "engine" in change:
        monkeypatch.setattr("sentiment.scoring.scorer.Scorer.engine", lambda _: "another")
    servable = cascade if "model" in change else linear
    settings = SETTINGS | {name: value for name, value in change.items() if name not in ("input", "model", "engine")}
    with pytest.raises(UserError, match=message):
        scoring.score(servable, source, tmp_path / "out", **settings)
    assert scoring.contents(tmp_path / "out") == before
    assert scoring.score(servable, source, tmp_path / "out", restart=True, **settings).new_rows == 50


def test_only_what_a_job_has_written_is_ever_removed(linear, tmp_path):
    source, output = tmp_path / "a.csv", tmp_path / "out"
    scoring.rows(50).to_csv(source, index=False)
    (output / "parts").mkdir(parents=True)
    (output / "parts" / "mine.txt").write_text("mine")
    for restart in (False, True):
        with pytest.raises(UserError, match=r"files that no job has written, such as .*mine\.txt"):
            scoring.score(linear, source, output, restart=restart)
    (tmp_path / "mine.csv").write_text("mine")
    with pytest.raises(UserError, match=r"no job has written.*--restart"):
        scoring.score(linear, source, tmp_path / "mine.csv")
    assert (tmp_path / "mine.csv").read_text() == "mine"
    scoring.score(linear, source, tmp_path / "mine.csv", restart=True)
    assert (tmp_path / "mine.csv").read_text().startswith('"id","text","shop","label"')


def test_a_query_is_not_asked_again(linear, tmp_path, monkeypatch):
    with sqlite3.connect(tmp_path / "reviews.db") as database:
        scoring.rows(50).to_sql("reviews", database, index=False)
    source, query = f"sql:sqlite:///{tmp_path}/reviews.db", "SELECT * FROM reviews"
    with monkeypatch.context() as patch:
        patch.setattr("sentiment.scoring.scorer.Scorer.score", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            scoring.score(linear, source, tmp_path / "out", query=query)
    with sqlite3.connect(tmp_path / "reviews.db") as database:
        database.execute("DELETE FROM reviews WHERE id > 10")
    assert scoring.score(linear, source, tmp_path / "out", query=query).manifest.rows == 50


def test_a_copy_is_only_used_for_the_query_that_it_is_of(linear, tmp_path):
    for name, first in {"a": 0, "b": 100}.items():
        with sqlite3.connect(tmp_path / f"{name}.db") as database:
            frame = scoring.rows(30).rename(columns={"text": "body"})
            frame.assign(id=frame["id"] + first).to_sql("reviews", database, index=False)
    source, other = (f"sql:sqlite:///{tmp_path}/{name}.db" for name in "ab")
    with pytest.raises(UserError, match="no column 'text'"):  # copied, but not begun
        scoring.score(linear, source, tmp_path / "out", query="SELECT * FROM reviews WHERE id < 10")
    fewer = {"query": "SELECT * FROM reviews WHERE id % 100 < 5", "text_column": "body"}
    scoring.score(linear, source, tmp_path / "out", **fewer)
    assert len(scoring.read_parts(tmp_path / "out")) == 5
    for address, query in ((other, fewer["query"]), (source, "SELECT * FROM reviews")):
        with pytest.raises(UserError, match=r"this job has begun, but (input|query) was"):
            scoring.score(linear, address, tmp_path / "out", query=query, text_column="body")
    scoring.score(linear, source, tmp_path / "out", **fewer)
    assert not (tmp_path / "out" / "spool").exists()
    with sqlite3.connect(tmp_path / "a.db") as database:
        database.execute("DELETE FROM reviews WHERE id = 3")
    with pytest.raises(UserError, match=r"the input .* changed"):
        scoring.score(linear, source, tmp_path / "out", **fewer)
    scoring.score(linear, source, tmp_path / "out", restart=True, **fewer)
    assert len(scoring.read_parts(tmp_path / "out")) == 4


@pytest.mark.parametrize("lost", ["done/part-000001.json", "../scored.csv"])
def test_a_joined_output_that_lost_something_is_made_again(linear, tmp_path, lost):
    scoring.rows(100).to_csv(tmp_path / "a.csv", index=False)
    scoring.score(linear, tmp_path / "a.csv", tmp_path / "scored.csv", shard_rows=40)
    before = (tmp_path / "scored.csv").read_bytes()
    (tmp_path / "scored.csv.job" / lost).unlink()
    scoring.score(linear, tmp_path / "a.csv", tmp_path / "scored.csv", shard_rows=40)
    assert (tmp_path / "scored.csv").read_bytes() == before
    assert not (tmp_path / "scored.csv.job" / "parts").exists()


def test_a_record_of_another_version_of_the_code_is_scored_again(linear, source, uninterrupted, tmp_path):
    scoring.score(linear, source, tmp_path / "out", **SETTINGS)
    (tmp_path / "out" / "done" / "part-000002.json").write_text('{"index": 2}')
    assert scoring.score(linear, source, tmp_path / "out", **SETTINGS).new_rows == 40
    assert scoring.contents(tmp_path / "out") == uninterrupted


def test_what_fails_while_it_is_written_gets_no_name(tmp_path):
    storage = Storage()
    storage.put(f"{tmp_path}/a", b"before")
    with pytest.raises(RuntimeError), storage.write(f"{tmp_path}/a") as sink:
        sink.write(b"half")
        raise RuntimeError
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"a": b"before"}
