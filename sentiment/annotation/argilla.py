"""Records and answers of Argilla 2 (https://docs.argilla.io), its dataset settings included.

Answers are read from the records of its server, ``GET /api/v1/datasets/ID/records?include=responses``, and from files
of ``records.to_json``. The latter say neither when an answer was given nor whether it was submitted or discarded.
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any, Literal, TypeVar

from pydantic import BaseModel

from sentiment.annotation.items import GUIDELINE, QUESTION, Answer, Item
from sentiment.annotation.times import seconds
from sentiment.reviews.table import LABELS

SETTINGS_SUFFIX = ".argilla.json"
TEXT = "text"
T = TypeVar("T")


class _Value(BaseModel):
    value: Any = None


class _Exported(BaseModel):
    """An answer in a file of ``records.to_json``."""

    value: Any = None
    user_id: str | None = None
    status: Literal["draft", "submitted", "discarded"] | None = None
    inserted_at: datetime | None = None


class _Response(BaseModel):
    """All answers of an annotator to a record, as the server sends them."""

    values: dict[str, _Value] | None = None
    user_id: str | None = None
    status: Literal["draft", "submitted", "discarded"]
    inserted_at: datetime | None = None


class _Record(BaseModel):
    id: str
    external_id: str | None = None
    metadata: dict[str, Any] | None = None
    responses: list[_Response] | dict[str, list[_Exported]] | None = None


def is_own(entry: dict[str, Any]) -> bool:
    """Whether an entry of a file is a record of Argilla."""
    return isinstance(entry.get("fields"), dict) and "responses" in entry


def write_entry(item: Item, *, suggest: bool) -> dict[str, Any]:
    """Returns the record of an item."""
    suggestion = {"value": item.label, "score": item.score, "agent": f"version {item.model_version}"}
    return {
        "id": item.prediction_id,
        "fields": {TEXT: item.text},
        "metadata": {"model_version": item.model_version, "score": item.score, "reason": item.reason},
        "suggestions": {QUESTION: suggestion} if suggest else {},
        "responses": {},
    }


def write_settings() -> str:
    """Returns the settings of a dataset, for ``rg.Settings.from_json``; annotators do not see score and reason."""
    options = [{"value": label, "text": label, "description": None} for label in LABELS]
    hidden = {"visible_for_annotators": False}
    kinds = {"model_version": "terms", "score": "float", "reason": "terms"}
    settings = {
        "guidelines": GUIDELINE,
        "fields": [{"name": TEXT, "settings": {"type": "text", "use_markdown": False}, "required": True}],
        "questions": [{"name": QUESTION, "settings": {"type": "label_selection", "options": options}}],
        "vectors": [],
        "metadata": [{"name": name, "settings": {"type": kind, **hidden}, **hidden} for name, kind in kinds.items()],
        "allow_extra_metadata": False,
        "distribution": {"strategy": "overlap", "min_submitted": 1},
    }
    return json.dumps(settings, indent=2) + "\n"


def read_answers(entry: dict[str, Any]) -> list[Answer]:
    """Returns the answers to a record.

    Raises:
        ValueError: If it has another shape, or answers another question.
    """
    record = _Record.model_validate(entry)
    prediction, reason = record.external_id or record.id, str((record.metadata or {}).get("reason", ""))
    if isinstance(record.responses, list):
        given = [
            _Exported(value=_value(r), user_id=r.user_id, status=r.status, inserted_at=r.inserted_at)
            for r in record.responses
        ]
    else:
        given = _own(record.responses or {}, [])
    return [
        Answer(
            prediction,
            answer.user_id or "unknown",
            None if answer.value is None or answer.status in ("draft", "discarded") else str(answer.value),
            seconds(answer.inserted_at),
            reason,
            has_status=answer.status is not None,
        )
        for answer in given
    ]


def _value(response: _Response) -> Any:  # noqa: ANN401  # as in the file
    return _own(response.values or {}, _Value()).value


def _own(answers: dict[str, T], default: T) -> T:
    """Returns the answer to our question; the default if no question was answered."""
    if answers and QUESTION not in answers:
        raise ValueError(f"answers the question {next(iter(answers))!r}, not {QUESTION!r}")
    return answers.get(QUESTION, default)
