"""Tasks and answers of Label Studio (https://labelstud.io/guide/task_format), its labelling configuration included."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from xml.sax.saxutils import quoteattr

from pydantic import BaseModel, Field

from sentiment.annotation.items import GUIDELINE, QUESTION, Answer, Item
from sentiment.annotation.times import seconds
from sentiment.reviews.table import LABELS

SETTINGS_SUFFIX = ".label-studio.xml"
TEXT = "text"


class _Data(BaseModel):
    prediction_id: str


class _Result(BaseModel):
    type: str
    from_name: str
    value: dict[str, Any]


class _User(BaseModel):
    id: int
    email: str = ""


class _Annotation(BaseModel):
    result: list[_Result]
    was_cancelled: bool = False
    completed_by: _User | int | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None


class _Task(BaseModel):
    data: _Data
    meta: dict[str, Any] | None = None
    annotations: list[_Annotation] = Field(default_factory=list)


def is_own(entry: dict[str, Any]) -> bool:
    """Whether an entry of a file is a task of Label Studio."""
    return isinstance(entry.get("data"), dict) and "annotations" in entry


def write_entry(item: Item, *, suggest: bool) -> dict[str, Any]:
    """Returns the task of an item.

    Score and reason are in ``meta``: annotators see the columns of ``data``, and they would sway them.
    """
    task: dict[str, Any] = {
        "data": {TEXT: item.text, "prediction_id": item.prediction_id},
        "meta": {"model_version": item.model_version, "score": item.score, "reason": item.reason},
    }
    if suggest:
        choice = {"from_name": QUESTION, "to_name": TEXT, "type": "choices", "value": {"choices": [item.label]}}
        task["predictions"] = [{"model_version": item.model_version, "score": item.score, "result": [choice]}]
    return task


def write_settings() -> str:
    """Returns the labelling configuration of a project."""
    choices = "".join(f"    <Choice value={quoteattr(label)}/>\n" for label in LABELS)
    return (
        f"<View>\n  <Header value={quoteattr(GUIDELINE)}/>\n"
        f'  <Text name="{TEXT}" value="${TEXT}"/>\n'
        f'  <Choices name="{QUESTION}" toName="{TEXT}" choice="single" required="true">\n{choices}  </Choices>\n'
        "</View>\n"
    )


def read_answers(entry: dict[str, Any]) -> list[Answer]:
    """Returns the answers to a task.

    Raises:
        ValueError: If it has another shape, or answers another question.
    """
    task = _Task.model_validate(entry)
    reason = str((task.meta or {}).get("reason", ""))
    return [
        Answer(task.data.prediction_id, _name(given.completed_by), _label(given), _time(given), reason)
        for given in task.annotations
    ]


def _label(annotation: _Annotation) -> str | None:
    choices = [result for result in annotation.result if result.type == "choices"]
    if annotation.was_cancelled or not choices:
        return None
    own = next((result for result in choices if result.from_name == QUESTION), None)
    if own is None:
        raise ValueError(f"answers the question {choices[0].from_name!r}, not {QUESTION!r}")
    given = own.value.get("choices")
    return str(given[0]) if isinstance(given, list) and len(given) == 1 else str(given)


def _time(annotation: _Annotation) -> float | None:
    return seconds(annotation.created_at or annotation.updated_at)


def _name(user: _User | int | None) -> str:
    if isinstance(user, _User):
        return user.email or str(user.id)
    return "unknown" if user is None else str(user)
