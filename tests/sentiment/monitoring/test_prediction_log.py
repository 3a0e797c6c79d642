import json
import os
import signal
import subprocess
import sys
import threading
from dataclasses import replace

import numpy as np
import pytest

from sentiment.monitoring import prediction_log
from sentiment.monitoring.prediction_log import OVERHEAD, PredictionLog, Record, read_log
from sentiment.monitoring.sketch import sketch, unsketch
from tests.helpers.windows import window

TEXT = "A quiet film that stays with you."


def record(number=0, *, time=1000.0, version="3", text=TEXT, index=0):
    return Record.of(
        id=f"{number:032x}",
        time=time + number,
        model_version=version,
        request=f"request-{number}",
        index=index,
        label="positive",
        score=0.75,
        positive=0.75,
        abstained=False,
        text=text,
    )


class Drops(list):
    """The records that the log reported as lost."""

    @property
    def total(self):
        return sum(self)


@pytest.fixture
def drops():
    return Drops()


@pytest.fixture
def log(tmp_path, drops):
    made = PredictionLog(tmp_path / "log", max_mb=10, keep_text=False, on_drop=drops.append)
    yield made
    made.close()


def files(folder, kind=""):
    return sorted(folder.glob(f"{kind}*.jsonl"))


def test_a_prediction_comes_back_with_its_feedback(log, tmp_path, drops):
    log.add([record(1), record(2)])
    log.feedback(record(2).id, "negative", 5000.0)
    log.close()
    first, second = read_log(tmp_path / "log").records
    assert (first.id, first.request, first.time, first.label, first.score) == (
        record(1).id, "request-1", 1001.0, "positive", 0.75,
    )  # fmt: skip
    assert (first.words, first.characters, first.sketch) == (7, len(TEXT), sketch(TEXT))
    assert (first.feedback, second.feedback) == (None, "negative")
    assert np.linalg.norm(unsketch(first.sketch)) == pytest.approx(1)
    assert drops == []


def test_a_log_from_before_traces_is_read_beside_a_new_one(log, tmp_path):
    log.add([replace(record(1), trace="4b" * 16), record(2)])
    log.close()
    (file,) = files(tmp_path / "log")
    file.write_text(file.read_text().replace(',"trace":""', ""))
    found = read_log(tmp_path / "log")
    assert [r.trace for r in found.records] == ["4b" * 16, ""]
    assert found.damaged == ()
    assert window(found.records, start=1000.0, end=2000.0).predictions["trace"].tolist() == ["4b" * 16, ""]


def test_texts_are_kept_only_where_that_is_wanted(tmp_path, drops):
    for keep in (False, True):
        log = PredictionLog(tmp_path / str(keep), max_mb=10, keep_text=keep, on_drop=drops.append)
        log.add([record(text="Vielschichtig \U0001f600\u2028 …")])
        log.close()
    assert b"Vielschichtig" not in b"".join(f.read_bytes() for f in files(tmp_path / "False"))
    assert read_log(tmp_path / "False").records[0].text is None
    assert read_log(tmp_path / "True").records[0].text == "Vielschichtig \U0001f600\u2028 …"


def test_without_a_folder_nothing_happens(drops):
    threads = threading.active_count()
    log = PredictionLog(None, max_mb=10, keep_text=True, on_drop=drops.append)
    log.add([record()])
    log.feedback("id", "positive", 0.0)
    log.close()
    assert threading.active_count() == threads
    assert drops == []


def test_the_last_feedback_counts_in_any_file_order(log, tmp_path):
    log.add([record(1)])
    for label, time in (("positive", 20.0), ("negative", 30.0), ("positive", 10.0)):
        log.feedback(record(1).id, label, time)
    log.feedback("of a prediction that is gone", "positive", 40.0)
    log.close()
    assert [r.feedback for r in read_log(tmp_path / "log").records] == ["negative"]


def test_workers_share_a_folder(tmp_path, drops):
    logs = [PredictionLog(tmp_path, max_mb=10, keep_text=False, on_drop=drops.append) for _ in range(2)]
    for number in range(6):
        logs[number % 2].add([record(number)])
    logs[0].feedback(record(1).id, "negative", 1.0)  # another worker's prediction
    for log in logs:
        log.close()
    records = read_log(tmp_path).records
    assert [r.request for r in records] == [f"request-{n}" for n in range(6)]
    assert [r.feedback for r in records] == [None, "negative", *[None] * 4]


def test_a_window_and_a_version_are_picked(log, tmp_path):
    log.add([record(n, version=str(n % 2)) for n in range(10)])
    log.close()

    def numbers(**wanted):
        return [int(r.id, 16) for r in read_log(tmp_path / "log", **wanted).records]

    assert numbers(since=1003.0, until=1006.0) == [3, 4, 5]
    assert numbers(model_version="1", since=1004.0) == [5, 7, 9]
    assert numbers(model_version="9") == []


def test_a_log_that_is_not_there_holds_nothing(tmp_path):
    assert read_log(tmp_path / "nowhere").records == ()


UNREADABLE = [
    b'{"id": "torn',
    b"\x00\x00\x00",
    b"\xff\xfe",
    b"[]",
    b"17",
    b"{}",
    json.dumps({"id": "a", "label": "positive"}).encode(),
]


@pytest.mark.parametrize("bad", UNREADABLE)
@pytest.mark.parametrize("kind", ["predictions", "feedback"])
def test_unreadable_lines_are_counted_and_hide_no_other(bad, kind, log, tmp_path):
    log.add([record(1)])
    log.feedback(record(1).id, "negative", 1.0)
    log.close()
    (file,) = files(tmp_path / "log", kind)
    file.write_bytes(bad + b"\n" + file.read_bytes() + bad)
    found = read_log(tmp_path / "log")
    assert [(r.id, r.feedback) for r in found.records] == [(record(1).id, "negative")]
    assert len(found.damaged) == 2


def test_a_damaged_line_is_of_about_the_time_of_the_line_before_it(log, tmp_path):
    log.add([record(1), record(2)])
    log.close()
    (file,) = files(tmp_path / "log", "predictions")
    first, second = file.read_bytes().splitlines(keepends=True)
    file.write_bytes(b"torn\n" + first + b"torn\n" + second)
    opened, after = read_log(tmp_path / "log").damaged
    assert opened == int(file.name.split("-")[1]) / 1e9
    assert after == record(1).time
    file.rename(file.with_name("predictions-of_last_week.jsonl"))
    assert read_log(tmp_path / "log").damaged == (0.0, after)


@pytest.mark.parametrize(("key", "value"), [("score", "high"), ("time", None), ("label", 1), ("extra", 1)])
def test_a_record_of_another_form_is_unreadable(key, value, log, tmp_path):
    log.add([record(1)])
    log.close()
    (file,) = files(tmp_path / "log", "predictions")
    file.write_text(json.dumps(json.loads(file.read_text()) | {key: value}) + "\n")
    assert len(read_log(tmp_path / "log").damaged) == 1


def test_the_bound_holds_and_a_flood_of_predictions_evicts_no_feedback(tmp_path, drops, monkeypatch):
    monkeypatch.setattr(prediction_log, "GATHER_S", 0)
    log = PredictionLog(tmp_path, max_mb=0.05, keep_text=True, on_drop=drops.append)
    log.feedback(record(9_999).id, "negative", 1.0)
    for start in range(0, 1000, 50):
        log.add([record(n) for n in range(start, start + 50)])
    log.add([record(9_999)])
    log.close()
    assert 25_000 < sum(f.stat().st_size for f in files(tmp_path)) <= 50_000
    records = read_log(tmp_path).records
    numbers = [int(r.id, 16) for r in records]
    assert numbers == [*range(1000 - len(numbers) + 1, 1000), 9_999]
    assert records[-1].feedback == "negative"
    assert drops == []


def test_a_flood_of_both_stays_within_the_bound(tmp_path, drops):
    log = PredictionLog(tmp_path, max_mb=0.05, keep_text=False, on_drop=drops.append)
    log.add([record(n) for n in range(500)])
    for n in range(2000):
        log.feedback(record(n).id, "negative", 1.0)
    log.close()
    assert 40_000 < sum(f.stat().st_size for f in files(tmp_path)) <= 50_000


class Stuck:
    """A disk that hangs until it is released; sets an event at the first write."""

    def __init__(self, monkeypatch):
        self.reached, self.released = threading.Event(), threading.Event()
        append = prediction_log.BoundedFiles.append

        def wait(files, lines):
            if lines:
                self.reached.set()
                self.released.wait(30)
            return append(files, lines)

        monkeypatch.setattr(prediction_log.BoundedFiles, "append", wait)


def test_a_stuck_disk_blocks_no_request_and_memory_stays_bounded(log, tmp_path, drops, monkeypatch):
    monkeypatch.setattr(prediction_log, "MAX_WAITING_CHARACTERS", 10 * (len(TEXT) + OVERHEAD))
    disk = Stuck(monkeypatch)
    log.add([record(0)])
    assert disk.reached.wait(10)
    for start in range(1, 31, 5):
        log.add([record(n) for n in range(start, start + 5)])  # returns, though nothing is written
    assert drops == [5, 5, 5, 5]
    log.feedback(record(1).id, "negative", 1.0)  # has its own space
    disk.released.set()
    log.close()
    found = read_log(tmp_path / "log").records
    assert [int(r.id, 16) for r in found] == list(range(11))
    assert found[1].feedback == "negative"


def test_a_full_disk_is_counted_and_it_goes_on_when_there_is_room(log, tmp_path, drops, monkeypatch):
    told = threading.Event()
    monkeypatch.setattr(log, "_on_drop", lambda lost: (drops.append(lost), told.set()))
    (tmp_path / "log").write_text("in the way")
    log.add([record(1), record(2)])
    assert told.wait(10)
    (tmp_path / "log").unlink()
    log.add([record(3)])
    log.close()
    assert drops == [2]
    assert [int(r.id, 16) for r in read_log(tmp_path / "log").records] == [3]


def test_records_after_closing_are_counted_as_lost(log, drops):
    log.close()
    log.add([record(1), record(2)])
    log.feedback("id", "negative", 1.0)
    assert drops == [2, 1]


def test_sketches_are_made_by_the_logs_own_thread(log, tmp_path, monkeypatch):
    makers = []
    monkeypatch.setattr(prediction_log, "sketch", lambda text: makers.append(threading.current_thread()) or "")
    log.add([record(1)])
    assert makers == [] or makers[0] is not threading.current_thread()
    log.close()
    (maker,) = makers
    assert (maker.name, maker.daemon) == ("prediction-log", True)


KILLED = """
import sys, time
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from test_prediction_log import PredictionLog, record
log = PredictionLog(Path(sys.argv[1]), max_mb=10, keep_text=False, on_drop=print)
for number in range(100_000):
    log.add([record(number)])
    print(number, time.monotonic(), flush=True)
    time.sleep(0.01)
"""


def test_a_killed_process_loses_the_last_second_at_most(tmp_path):
    command = [sys.executable, "-c", KILLED, str(tmp_path), os.path.dirname(__file__)]  # noqa: PTH120  # for sys.path
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        told = [process.stdout.readline().split() for _ in range(150)]
        process.send_signal(signal.SIGKILL)
        told += [line.split() for line in process.stdout if line.endswith("\n")]
    told = [(int(number), float(when)) for number, when in told]
    found = read_log(tmp_path)
    written = [int(r.id, 16) for r in found.records]
    assert written == list(range(len(written)))
    due = [number for number, when in told if when < told[-1][1] - 1]
    assert due
    assert len(written) >= len(due)
    assert len(found.damaged) <= 1


def test_the_served_process_needs_numpy_only():
    code = "import sys; before = set(sys.modules); import sentiment.monitoring.prediction_log; "
    code += "print(*{m.partition('.')[0] for m in set(sys.modules) - before})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    foreign = set(done.stdout.split()) - sys.stdlib_module_names
    assert {name for name in foreign if not name.startswith("_")} == {"sentiment", "numpy"}
