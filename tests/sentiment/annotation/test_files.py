"""Files in the documented formats of Label Studio and Argilla; no text is of a data set."""

import json
import stat
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from sentiment.annotation.files import FORMATS, read_answers, require_new, write_items
from sentiment.annotation.items import Item
from sentiment.errors import UserError

ITEMS = [
    Item("a" * 32, 'Fine <b>&</b> "quick"\u2028\nreally', "positive", 0.61, "3", "unsure and random"),
    Item("b" * 32, "half a pair \ud83d", "negative", 0.97, "3", "suspicious"),
]
TIME = "2026-03-01T12:00:00.250000Z"
SECONDS = 1772366400.25


def task(*annotations, prediction="a" * 32, meta=None):
    """Returns a task as Label Studio exports it."""
    return {
        "id": 7, "annotations": list(annotations), "file_upload": "x.json", "drafts": [], "predictions": [],
        "data": {"text": "good\u2028film", "prediction_id": prediction}, "meta": meta or {}, "project": 1,
        "created_at": TIME, "updated_at": TIME, "inner_id": 1, "total_annotations": 1, "cancelled_annotations": 0,
    }  # fmt: skip


def annotation(choice, by, *, name="sentiment", cancelled=False, created_at=TIME):
    result = [{"value": {"choices": [choice]}, "id": "x", "from_name": name, "to_name": "text", "type": "choices"}]
    return {
        "id": 1, "completed_by": by, "result": result if choice else [], "was_cancelled": cancelled, "lead_time": 3.1,
        "ground_truth": False, "created_at": created_at, "updated_at": "2026-03-05T00:00:00Z",
    }  # fmt: skip


def page(*responses, external="a" * 32):
    """Returns records as Argilla's server sends them."""
    record = {
        "id": "6f9619ff-8b86-d011-b42d-00cf4fc964ff", "status": "completed", "fields": {"text": "good"},
        "metadata": {"reason": "random", "score": 0.6}, "external_id": external, "responses": list(responses),
        "suggestions": None, "vectors": None, "inserted_at": "2026-03-01T10:00:00", "updated_at": "2026-03-01T10:00:00",
    }  # fmt: skip
    return {"items": [record], "total": 1}


def response(value, by, status="submitted"):
    values = {"sentiment": {"value": value}} if value else None
    return {
        "id": "1", "values": values, "status": status, "record_id": "2", "user_id": by,
        "inserted_at": TIME.removesuffix("Z"), "updated_at": "2026-03-05T00:00:00",
    }  # fmt: skip


def read(path, content):
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return read_answers(path)


def found(answers):
    return [(a.prediction_id[0], a.annotator, a.label, a.time, a.reason) for a in answers]


@pytest.mark.parametrize("name", ["batch.json", "batch.jsonl"])
@pytest.mark.parametrize("suggest", [False, True])
@pytest.mark.parametrize("format", FORMATS)
def test_a_batch_holds_the_texts_and_the_suggestion_only_where_asked(tmp_path, format, suggest, name):
    path = tmp_path / name
    write_items(path, ITEMS, format=format, suggest=suggest)
    text = path.read_text()
    entries = [json.loads(line) for line in text.split("\n") if line] if name.endswith("l") else json.loads(text)
    first = entries[0]
    assert len(entries) == 2
    assert (first.get("data") or first["fields"])["text"] == ITEMS[0].text
    assert (first.get("meta") or first["metadata"]) == {
        "model_version": "3", "score": 0.61, "reason": "unsure and random"
    }  # fmt: skip
    assert ("positive" in json.dumps(first)) == suggest
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [file.name for file in tmp_path.iterdir() if file.name.startswith(".")] == []


def test_the_settings_of_label_studio_declare_what_its_answers_name(tmp_path):
    root = ET.parse(write_items(tmp_path / "b.json", ITEMS, format="label-studio", suggest=True)).getroot()
    text, choices = root.find("Text"), root.find("Choices")
    assert (text.get("value"), choices.get("toName")) == ("$text", text.get("name"))
    assert [choice.get("value") for choice in choices] == ["negative", "positive"]
    (suggestion,) = json.loads((tmp_path / "b.json").read_text())[0]["predictions"]
    (result,) = suggestion["result"]
    assert (result["from_name"], result["to_name"], result["type"]) == (choices.get("name"), "text", "choices")


def test_the_settings_of_argilla_declare_every_field_of_a_record(tmp_path):
    settings = json.loads(write_items(tmp_path / "b.json", ITEMS, format="argilla", suggest=True).read_text())
    record = json.loads((tmp_path / "b.json").read_text())[0]
    assert record["id"] == "a" * 32
    assert {field["name"] for field in settings["fields"]} == record["fields"].keys()
    assert {question["name"] for question in settings["questions"]} == record["suggestions"].keys()
    assert {kind["name"]: kind["settings"]["visible_for_annotators"] for kind in settings["metadata"]} == dict.fromkeys(
        record["metadata"], False
    )


def test_answers_of_label_studio(tmp_path):
    tasks = [
        task(
            annotation("positive", 4),
            annotation("negative", {"id": 5, "email": "kim@example.org", "first_name": "Kim"}),
            annotation("positive", 6, cancelled=True),
            annotation(None, None),
            meta={"reason": "unsure and random"},
        ),
        task(annotation("negative", 4, created_at=None), prediction="b" * 32),
    ]
    expected = [
        ("a", "4", "positive", SECONDS, "unsure and random"),
        ("a", "kim@example.org", "negative", SECONDS, "unsure and random"),
        ("a", "6", None, SECONDS, "unsure and random"),
        ("a", "unknown", None, SECONDS, "unsure and random"),
        ("b", "4", "negative", 1772668800.0, ""),
    ]
    assert found(read(tmp_path / "a.json", tasks)) == expected
    lines = [json.dumps(task, ensure_ascii=False) for task in tasks]
    assert found(read(tmp_path / "a.jsonl", "\n".join(lines) + "\n\n")) == expected


def test_answers_of_argillas_server_have_times_and_a_status(tmp_path):
    given = [response("positive", "u1"), response("negative", "u2", "discarded"), response(None, "u3", "draft")]
    answers = read(tmp_path / "a.json", page(*given, response("negative", None)))
    assert found(answers) == [
        ("a", "u1", "positive", SECONDS, "random"),
        ("a", "u2", None, SECONDS, "random"),
        ("a", "u3", None, SECONDS, "random"),
        ("a", "unknown", "negative", SECONDS, "random"),
    ]
    assert all(answer.has_status for answer in answers)


def test_answers_of_argillas_to_json_have_neither(tmp_path):
    record = {
        "id": "a" * 32, "fields": {"text": "good"}, "metadata": {"reason": "random"}, "suggestions": {},
        "responses": {"sentiment": [{"value": "positive", "user_id": "u1"}]}, "vectors": {}, "status": "completed",
        "_server_id": None,
    }  # fmt: skip
    answers = read(tmp_path / "a.json", [record, {**record, "responses": {}}])
    assert found(answers) == [("a", "u1", "positive", None, "random")]
    assert not answers[0].has_status


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "holds no answers"),
        ("[]", "holds no answers"),
        ('{"items": []}', "holds no answers"),
        ("id,text\n1,good\n", "line 1: is no JSON"),
        (json.dumps(task(annotation("positive", 1))) + '\n{"data": {', "line 2: is no JSON"),
        ("[\n{},\n{]", "line 3: is no JSON"),
        ("[" * 100_000, "is nested too deeply"),
        ("[1]", "item 1: is no answer of Label Studio or Argilla"),
        ([{"text": "good", "id": 1, "sentiment": "positive", "annotator": 1}], "neither JSON-MIN nor CSV"),
        ([task(annotation("positive", 1)), page()["items"][0]], "item 2: is no answer"),
        ([task(annotation("Good", 1))], "item 1: the label 'Good' is not one of negative, positive"),
        ([task(annotation("positive", 1, name="topic"))], "item 1: answers the question 'topic', not 'sentiment'"),
        ([{"data": {"text": "good"}, "annotations": []}], "item 1: has the wrong shape at data.prediction_id"),
        (page(response("good", "u1")), "the label 'good' is not"),
        (page({**response("positive", "u1"), "values": {"topic": {"value": "x"}}}), "answers the question 'topic'"),
        (page({**response("positive", "u1"), "status": "odd"}), "has the wrong shape"),
    ],
)
def test_a_file_of_another_kind_is_one_line_that_names_the_place(tmp_path, content, words):
    with pytest.raises(UserError) as caught:
        read(tmp_path / "answers.json", content)
    message = str(caught.value)
    assert words in message and "answers.json" in message
    assert "\n" not in message


def test_a_file_that_is_not_there_or_no_text_is_one_line(tmp_path):
    (tmp_path / "x.json").write_bytes(b"\xff\xfe\x00")
    for name in ("none.json", "x.json"):
        with pytest.raises(UserError, match="cannot be read"):
            read_answers(tmp_path / name)


def test_a_batch_replaces_no_file(tmp_path):
    (tmp_path / "b.json").touch()
    with pytest.raises(UserError, match="exists already"):
        require_new(tmp_path / "b.json", format="argilla")
    with pytest.raises(UserError, match="is neither"):
        require_new(tmp_path / "b.csv", format="argilla")
    (tmp_path / "c.label-studio.xml").write_text("changed by its owner")
    with pytest.raises(UserError, match=r"c\.label-studio\.xml: exists already"):
        write_items(tmp_path / "c.json", ITEMS, format="label-studio", suggest=False)
    assert (tmp_path / "c.label-studio.xml").read_text() == "changed by its owner"
    with pytest.raises(UserError, match="cannot be written: No such file"):
        write_items(tmp_path / "none" / "b.json", ITEMS, format="argilla", suggest=False)


def test_a_batch_that_cannot_be_written_leaves_no_texts_and_no_settings(tmp_path, monkeypatch):
    def fail(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(UserError, match="No space left"):
        write_items(tmp_path / "b.json", ITEMS, format="label-studio", suggest=False)
    assert list(tmp_path.iterdir()) == []
