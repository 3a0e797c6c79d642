"""Window: the answers of a service in a period of time, from its prediction log."""

from __future__ import annotations

import hashlib
import math
import os
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd  # at run time: pydantic and ZenML read this annotation
from pydantic import BaseModel, ConfigDict

from sentiment.errors import UserError
from sentiment.monitoring.prediction_log import Feedback, Logged, Record, read_log
from sentiment.monitoring.settings import WindowSettings
from sentiment.monitoring.sketch import unsketch
from sentiment.reviews.table import LABELS

GRACE = 300.0  # seconds by which clocks may differ, and in which a log goes on while it is read
_LARGEST = 2**53
_TYPES = {
    "time": "float64",
    "index": "int64",
    "score": "float64",
    "positive": "float64",
    "abstained": "bool",
    "words": "int64",
    "characters": "int64",
    "contested": "bool",
    "feedback_time": "float64",
    "sampled": "bool",
}
_TEXTS = ("id", "model_version", "request", "label", "sketch", "text", "feedback", "client", "trace")


class FeedbackFacts(BaseModel):
    """The feedback labels that arrived within a window, about any prediction.

    Attributes:
        entries: How many came.
        unknown: About predictions that the log does not hold.
        repeated: Labels that repeat an earlier one.
        changed: Labels that contradict an earlier one.
        wrong: With a label that the model does not have.
        clock_skewed: From before their prediction, or from the future.
        busiest_minute: Most that came within one minute.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    entries: int = 0
    unknown: int = 0
    repeated: int = 0
    changed: int = 0
    wrong: int = 0
    clock_skewed: int = 0
    busiest_minute: int = 0


class WindowFacts(BaseModel):
    """The origin of a window, and the parts of the log that are not in it.

    Attributes:
        model_version: Whose predictions these are.
        start: First moment, in seconds since 1970 (UTC).
        end: The moment after the last one.
        seen: Predictions of this version in the window; a sample of them may be kept.
        other_versions: Predictions of each other version in the same stretch of time.
        unreadable: Lines from about this time, and predictions of this version in it, that are damaged.
        logged: Predictions of this version in the whole log, also those with a wrong clock.
        clock_skewed: Those of them from the future, or from before the version was made: they are in no window.
        repeated: Predictions whose id was there already.
        feedback: The labels that came back.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    model_version: str
    start: float
    end: float
    seen: int
    other_versions: dict[str, int] = {}
    unreadable: int = 0
    logged: int = 0
    clock_skewed: int = 0
    repeated: int = 0
    feedback: FeedbackFacts = FeedbackFacts()


@dataclass(frozen=True)
class Window:
    """The predictions of one model version in a period of time, and the feedback that arrived in it.

    Inputs and scores count at the time of the request; answers count when their label arrives, which may be days later.

    Attributes:
        predictions: One row a prediction, by time: the columns of :class:`~sentiment.monitoring.prediction_log.Record`;
            and of its feedback ``feedback_time`` (when it was first said; NaN: never), ``client`` and ``contested``
            (whether different labels came); and ``sampled``: whether it belongs to the sample of the window, of which
            all but accuracy is measured. The others have a label, and may be of any time and version.
        facts: Its origin, and the parts of the log that are not in it.
    """

    predictions: pd.DataFrame
    facts: WindowFacts

    @classmethod
    def of(
        cls,
        logged: Logged,
        *,
        model_version: str,
        start: float,
        end: float,
        most: int,
        seed: int,
        now: float | None = None,
        born: float = 0.0,
    ) -> Window:
        """The window of a log that was read as a whole.

        Args:
            logged: Records of every version and time; those of other versions or with a wrong clock are counted.
            model_version: Whose predictions are wanted.
            start: First moment, in seconds since 1970 (UTC).
            end: The moment after the last one.
            most: Of more predictions, a sample of this size is kept, and as many of the latest labels.
            seed: Of the sample.
            now: The time it is; by default ``end``.
            born: When the version was made: it cannot have answered before.
        """
        now = end if now is None else now
        own, others = _by_version(logged.records, model_version, start, end)

        def right_clock(record: Record) -> bool:
            earliest = born if record.model_version == model_version else 0.0
            return earliest - GRACE <= record.time <= now + GRACE

        plausible = list(filter(right_clock, own))
        within = [r for r in plausible if start <= r.time < end]
        distinct = _distinct(within)
        whole = list(filter(_whole, distinct))
        said = _Said({record.id: record.time for record in logged.records}, logged.feedback, now)
        about = _distinct(r for r in logged.records if r.id in said.accepted and right_clock(r))
        facts = WindowFacts(
            model_version=model_version,
            start=start,
            end=end,
            seen=len(whole),
            other_versions=others,
            unreadable=sum(start <= time < end for time in logged.damaged) + len(distinct) - len(whole),
            logged=len(own),
            clock_skewed=len(own) - len(plausible),
            repeated=len(within) - len(distinct),
            feedback=said.facts(start, end),
        )
        return cls(_table(whole, list(filter(_whole, about)), said, most, seed), facts)

    @property
    def sample(self) -> pd.DataFrame:
        """The predictions of the sample."""
        return self.predictions[self.predictions["sampled"]]

    @property
    def taught(self) -> pd.DataFrame:
        """The predictions of the whole log with one undisputed label, and whether they were right (``correct``)."""
        rows = self.predictions[self.predictions["feedback"].notna() & ~self.predictions["contested"]]
        return rows.assign(correct=rows["feedback"] == rows["label"])

    @property
    def labelled(self) -> pd.DataFrame:
        """The predictions of this version whose label arrived in the window."""
        rows, known = self.taught, self.facts
        lately = rows["feedback_time"].between(known.start, known.end, inclusive="left")
        return rows[lately & rows["model_version"].eq(_stored(known.model_version))]

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 (hex) over the predictions and the facts."""
        digest = hashlib.sha256(self.facts.model_dump_json().encode())
        digest.update(pd.util.hash_pandas_object(self.predictions, index=False).to_numpy().tobytes())
        return digest.hexdigest()

    def save(self, path: Path) -> None:
        """Writes ``predictions.parquet`` and ``window.json`` into the directory ``path``."""
        self.predictions.to_parquet(path / "predictions.parquet", index=False)
        (path / "window.json").write_text(self.facts.model_dump_json(indent=2) + "\n", encoding="utf-8")

    @classmethod
    def load(cls, path: Path) -> Window:
        """Reads the files of :meth:`save`."""
        facts = WindowFacts.model_validate_json((path / "window.json").read_text(encoding="utf-8"))
        return cls(pd.read_parquet(path / "predictions.parquet"), facts)


def read_window(
    where: str, settings: WindowSettings, *, model_version: str, end: float, born: float = 0.0, seed: int
) -> Window:
    """Reads the window of ``settings.hours`` before ``end`` from a prediction log, also while it is written.

    Args:
        where: A folder, or ``s3://bucket/prefix`` (keys and endpoint from the ``AWS_*`` variables). A folder that is
            not there holds nothing.
        settings: How much of it.
        model_version: Whose predictions are wanted.
        end: The moment after the window, in seconds since 1970 (UTC); normally now.
        born: When the version was made.
        seed: Of the sample of a large window.

    Raises:
        UserError: If the bucket cannot be reached, or holds no log there.
    """
    with local_log(where) as folder:
        logged = read_log(folder)
    start = end - settings.hours * 3600
    return Window.of(
        logged,
        model_version=model_version,
        start=start,
        end=end,
        most=settings.max_predictions,
        seed=seed,
        born=born,
    )


def require_files(where: str, files: Sequence[str]) -> None:
    """Raises a UserError if a log in a bucket has no file: a misspelt address must not look like a quiet service."""
    if not files:
        raise UserError("there is no prediction log", where=where, remedy="Check the address: window.log.")


@contextmanager
def local_log(where: str) -> Iterator[Path]:
    """The folder of a prediction log on this machine; one in a bucket is copied here for as long as it takes.

    Raises:
        UserError: If the bucket cannot be reached.
    """
    if not where.startswith("s3://"):
        yield Path(where)
        return
    import s3fs

    with tempfile.TemporaryDirectory(prefix="prediction-log-") as name:
        folder = Path(name)
        bucket = s3fs.S3FileSystem(endpoint_url=os.environ.get("AWS_ENDPOINT_URL"), skip_instance_cache=True)
        try:
            files = bucket.glob(f"{where.rstrip('/')}/*.jsonl")
            require_files(where, files)
            bucket.get(files, [str(folder / Path(file).name) for file in files])
        except UserError:
            raise
        except Exception as error:  # botocore's errors have no common base with those of the network
            raise UserError(
                f"cannot be read: {(str(error).strip() or type(error).__name__).splitlines()[0][:200]}",
                where=where,
                remedy="Check the address and the AWS_* variables.",
            ) from error
        yield folder


def _by_version(
    records: Iterable[Record], model_version: str, start: float, end: float
) -> tuple[list[Record], dict[str, int]]:
    own: list[Record] = []
    others: Counter[str] = Counter()
    for record in records:
        if record.model_version == model_version:
            own.append(record)
        elif start <= record.time < end:
            others[_stored(record.model_version)[:40]] += 1
    return own, dict(others.most_common(10))


def _distinct(records: Iterable[Record]) -> list[Record]:
    """Of equal ids the first."""
    first: dict[str, Record] = {}
    for record in records:
        first.setdefault(record.id, record)
    return list(first.values())


def _whole(record: Record) -> bool:
    """Whether a record is usable for computing; the data gate checks whether its values make sense."""
    numbers = (record.score, record.positive, record.words, record.characters, record.index)
    if not all(math.isfinite(number) and abs(number) < _LARGEST for number in numbers):
        return False
    try:
        unsketch(record.sketch)
    except ValueError:
        return False
    return True


class _Said:
    """Collects the labels of each prediction."""

    def __init__(self, predicted: dict[str, float], feedback: Iterable[Feedback], now: float) -> None:
        self._predicted, self._now = predicted, now
        entries = list(feedback)
        self._given = sorted((entry for entry in entries if math.isfinite(entry.time)), key=lambda entry: entry.time)
        self._timeless = len(entries) - len(self._given)
        self.accepted: dict[str, list[Feedback]] = {}
        for entry in self._given:
            if entry.label in LABELS and entry.prediction_id in predicted and not self._skewed(entry):
                self.accepted.setdefault(entry.prediction_id, []).append(entry)

    def _skewed(self, entry: Feedback) -> bool:
        return entry.time > self._now + GRACE or entry.time < self._predicted.get(entry.prediction_id, 0) - GRACE

    def facts(self, start: float, end: float) -> FeedbackFacts:
        given = [entry for entry in self._given if start <= entry.time < end]
        future = [entry for entry in self._given if entry.time > self._now + GRACE]
        later = [(entry, entries[0]) for entries in self.accepted.values() for entry in entries[1:]]
        later = [(entry, first) for entry, first in later if start <= entry.time < end]
        return FeedbackFacts(
            entries=len(given),
            unknown=sum(entry.prediction_id not in self._predicted for entry in given),
            repeated=sum(entry.label == first.label for entry, first in later),
            changed=sum(entry.label != first.label for entry, first in later),
            wrong=sum(entry.label not in LABELS for entry in given),
            clock_skewed=self._timeless + len(future) + sum(map(self._skewed, given)),
            busiest_minute=max(Counter(entry.time // 60 for entry in given).values(), default=0),
        )


def _table(within: Sequence[Record], about: Iterable[Record], said: _Said, most: int, seed: int) -> pd.DataFrame:
    """Samples the predictions of the window, and keeps those with the latest labels."""
    sampled = {within[i].id for i in np.random.default_rng(seed).permutation(len(within))[:most]}
    latest = sorted(about, key=lambda record: said.accepted[record.id][0].time)[-most:]
    kept = {record.id: record for record in (*latest, *(r for r in within if r.id in sampled))}
    rows = []
    for record in sorted(kept.values(), key=lambda r: (r.time, r.request, r.index)):
        entries = said.accepted.get(record.id, [])
        first = entries[0] if entries else None
        values = {field.name: _stored(getattr(record, field.name)) for field in fields(Record)}
        labels = {entry.label for entry in entries}
        rows.append(
            values
            | {
                "feedback": first.label if first else None,
                "feedback_time": first.time if first else math.nan,
                "client": _stored(first.client) if first else None,
                "contested": len(labels) > 1,
                "sampled": record.id in sampled,
            }
        )
    columns = [*(field.name for field in fields(Record)), "feedback_time", "client", "contested", "sampled"]
    frame = pd.DataFrame(rows, columns=columns)
    for column in _TEXTS:
        frame[column] = frame[column].astype("str")
    return frame.astype(_TYPES)


def _stored(value: Any) -> Any:  # noqa: ANN401  # any value of a record
    """The value as every file format takes it: text without halves of surrogate pairs."""
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else value
