"""Live texts go to annotators and come back as feedback, through the command line and a real prediction log."""

import json
import time
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from sentiment.monitoring.feedback_guard import feedback_reviews
from sentiment.monitoring.prediction_log import PredictionLog, Record
from sentiment.monitoring.settings import MonitorSettings
from sentiment.monitoring.window import read_window
from tests.helpers import command_line, users, windows

ROWS = 60


@pytest.fixture
def labels(linear_model, tmp_path):
    """Runs a command on labels with the log of a service elsewhere."""

    def labels(command, *more):
        chosen = ["--set", f"model={linear_model.name}", "--set", f"window.log={tmp_path / 'log'}"]
        return command_line.run("labels", command, *chosen, *more, "--json")

    return labels


def write_log(folder, *, keep_text=True):
    """Writes answers that are all positive, half of them unsure; returns the right label of each prediction."""
    log = PredictionLog(folder, max_mb=10, keep_text=keep_text, on_drop=lambda lost: pytest.fail(f"{lost} lost"))
    now, right = time.time(), {}
    for i, (text, label) in enumerate(users.usual(ROWS, seed=4)):
        positive = 0.55 if i % 2 else 0.9
        right[f"{i:032x}"] = label
        known = {"id": f"{i:032x}", "time": now - 100 + i / ROWS, "model_version": "1", "request": f"r{i}", "index": 0}
        answer = {"label": "positive", "score": positive, "positive": positive, "abstained": positive < 0.6}
        log.add([Record.of(**known, **answer, text=text)])
    log.close()
    return right


def stamp(number):
    """The time of the n-th answer: a second each, which the guard's limit of 60 a minute allows."""
    return datetime.fromtimestamp(time.time() - 80 + number, UTC).isoformat()


def answer_in_label_studio(batch, right):
    """Returns the batch as Label Studio exports it: two annotators, who disagree about the first and skip the last."""
    tasks = [json.loads(line) for line in batch.read_text().split("\n") if line]
    for number, task in enumerate(tasks):
        task["annotations"] = []
        for by in (1, 2):
            label = right[task["data"]["prediction_id"]]
            if number == 0 and by == 2:
                label = "negative" if label == "positive" else "positive"
            choice = {"from_name": "sentiment", "to_name": "text", "type": "choices", "value": {"choices": [label]}}
            given = {"completed_by": by, "created_at": stamp(number), "was_cancelled": number == len(tasks) - 1}
            task["annotations"].append({**given, "result": [choice]})
    return tasks


def answer_in_argilla(batch, right):
    """Returns the batch as Argilla's server sends it, all labelled by one annotator."""
    records = json.loads(batch.read_text())
    for number, record in enumerate(records):
        record["external_id"], record["id"] = record["id"], f"server-{number}"
        values = {"sentiment": {"value": right[record["external_id"]]}}
        given = {"values": values, "status": "submitted", "user_id": "kim", "inserted_at": stamp(number)}
        record["responses"] = [given]
    return {"items": records}


def test_labels_make_the_round_trip_in_both_formats(labels, tmp_path):
    right = write_log(tmp_path / "log")
    batch, answers = tmp_path / "batch.jsonl", tmp_path / "answers.json"
    first = labels("export", batch, "--count", "20").summary
    assert (first["items"], first["texts"], first["exported_before"]) == (20, ROWS, 0)
    assert first["reasons"]["unsure"] == 5
    assert "predictions" not in batch.read_text()  # the model's answer is not suggested

    answers.write_text(json.dumps(answer_in_label_studio(batch, right)))
    result = labels("import", answers)
    summary = result.summary
    assert (summary["imported"], summary["ties"], summary["skipped"], summary["unknown"]) == (18, 1, 1, 0)
    agreement = summary["agreement"]
    (pair,) = agreement["pairs"]
    assert (pair["texts"], agreement["texts"], agreement["annotators"]) == (19, 19, {"1": 19, "2": 19})
    assert 0 < agreement["alpha"] < pair["share"] < 1
    assert "Krippendorff's alpha" in result.err
    again = labels("import", answers).summary
    assert (again["imported"], again["known"]) == (0, 18)

    rest, second = tmp_path / "rest.json", labels("export", tmp_path / "rest.json", "--format", "argilla").summary
    assert (second["items"], second["exported_before"]) == (ROWS - 20, 20)
    answers.write_text(json.dumps(answer_in_argilla(rest, right)))
    last = labels("import", answers)
    assert (last.summary["imported"], last.summary["warnings"]) == (ROWS - 20, [])
    assert "nothing to compare" in last.err

    settings = MonitorSettings(model="shared")
    window = read_window(str(tmp_path / "log"), settings.window, model_version="1", end=time.time(), seed=0)
    seen = window.labelled.set_index("id")
    assert len(seen) == ROWS - 2
    assert seen["feedback"].to_dict() == {i: label for i, label in right.items() if i in seen.index}
    assert set(seen["client"]) == {"annotator:2", "annotator:kim"}
    reviews, report = feedback_reviews(window, settings, other_rows=10_000, learnt=())
    cut = next(check for check in report.checks if check.name == "feedback: no dominant client")
    assert not cut.passed  # one annotator gave 40 of 58 labels: the guard treats annotators as any client
    assert len(reviews) == 18 + 29
    assert labels("export", tmp_path / "none.json").err.count("every text is in an earlier batch") == 1
    assert labels("export", tmp_path / "all.json", "--again", "--suggest").summary["items"] == ROWS


def test_texts_far_from_the_reference_of_the_version_are_drifted(labels, tmp_path, monkeypatch):
    write_log(tmp_path / "log")
    blind = labels("export", tmp_path / "blind.json", "--again", "--count", "20")
    stored = SimpleNamespace(load=lambda: windows.reference(300))  # of other words
    monkeypatch.setattr("registry.versions.is_stored", lambda *_: True)
    monkeypatch.setattr("registry.versions.get_artifact", lambda *_: stored)
    seeing = labels("export", tmp_path / "seeing.json", "--again", "--count", "20")
    assert seeing.summary["reasons"]["drifted"] == 5
    assert "run make monitor first" not in seeing.err
    assert "drifted" not in blind.summary["reasons"] or "run make monitor first" not in blind.err


def test_answers_without_times_come_as_a_flood_and_the_user_is_told(labels, tmp_path):
    write_log(tmp_path / "log")
    answers = tmp_path / "answers.json"
    ids = [f"{i:032x}" for i in range(ROWS)]
    answered = {"sentiment": [{"value": "positive", "user_id": "kim"}]}
    answers.write_text(
        json.dumps([{"id": i, "fields": {"text": "t"}, "responses": answered} for i in [*ids, "f" * 32]])
    )
    summary = labels("import", answers, "--set", "feedback.max_per_minute=30").summary
    assert (summary["imported"], summary["unknown"], summary["untimed"]) == (ROWS, 1, ROWS)
    flood, untimed, status = summary["warnings"]
    assert "60 labels have the same minute: the guard uses none" in flood
    assert "60 labels have no time" in untimed
    assert "61 answers have no status" in status


@pytest.mark.parametrize(
    ("words", "arguments"),
    [
        ("none of 60 predictions has its text. If the users agree", ["export", "b.json"]),
        ("there are no predictions of version 1 in the last 0.01 hours", ["export", "b.json", "--hours", "0.01"]),
        ("window.hours: Input should be greater than 0", ["export", "b.json", "--hours", "0"]),
        ("--format: must be label-studio or argilla", ["export", "b.json", "--format", "csv"]),
        ("--count: must be a number of at least 1", ["export", "b.json", "--count", "0"]),
        ("b.csv: is neither .jsonl nor .json", ["export", "b.csv"]),
        ("answers.csv, line 1: is no JSON", ["import", "answers.csv"]),
        ("window.log nowhere: no such folder", ["export", "b.json", "--set", "window.log=nowhere"]),
    ],
)
def test_a_mistake_is_one_line_and_nothing_is_written(labels, tmp_path, words, arguments):
    write_log(tmp_path / "log", keep_text=False)
    (tmp_path / "answers.csv").write_text("id,label\n")
    command, name, *more = arguments
    result = labels(command, tmp_path / name, *more)
    assert result.code == 2
    (line,) = result.err.splitlines()
    assert words in line
    assert {file.name for file in tmp_path.iterdir()} == {"answers.csv", "log"}
