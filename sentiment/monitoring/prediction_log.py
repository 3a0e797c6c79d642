"""The prediction log: one record a prediction, and the labels that come back, written off the request path.

Losses: a killed process loses the records of the last half second; a disk that is full or too slow
loses records, which are counted, and never delays a request. A machine that loses power may lose more: nothing is
forced out of the system's cache.

Standard library and numpy only: it runs in the served process.
"""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Generic, TypeVar, get_type_hints

from sentiment.monitoring.bounded_files import BoundedFiles, files_of
from sentiment.monitoring.sketch import sketch

GATHER_S = 0.25  # between the first record that waits and the writing
CLOSE_TIMEOUT_S = 5.0
MAX_WAITING_CHARACTERS = 4_000_000  # in memory, of each kind
LINES_A_WRITE = 64
OVERHEAD = 500  # characters that a record counts for besides its text
PREDICTIONS, FEEDBACK = "predictions", "feedback"
FEEDBACK_SHARE = 0.1  # of the bound; a flood of predictions evicts no label


@dataclass(frozen=True, slots=True)
class Record:
    """One prediction.

    Attributes:
        id: Identifier of the prediction.
        time: When it was given, in seconds since 1970 (UTC).
        model_version: Number of the model's version that gave it.
        request: Identifier of the request.
        index: Position of the text in the request, from 0.
        label: The answer.
        score: Its calibrated probability, in [0, 1].
        positive: Calibrated probability of the positive label, in [0, 1].
        abstained: Whether the score was too low to act on.
        words: Words of the text.
        characters: Characters of the text.
        sketch: Fingerprint of the words, see :mod:`sentiment.monitoring.sketch`; empty until it is written.
        text: The text; None once it is written, unless texts are kept.
        feedback: The correct label, if a client sent it; joined when the log is read.
        trace: Identifier of the W3C trace that the request belongs to: 32 hex digits; empty in old logs.
    """

    id: str
    time: float
    model_version: str
    request: str
    index: int
    label: str
    score: float
    positive: float
    abstained: bool
    words: int
    characters: int
    sketch: str
    text: str | None = None
    feedback: str | None = None
    trace: str = ""

    @classmethod
    def of(
        cls,
        *,
        id: str,
        time: float,
        model_version: str,
        request: str,
        index: int,
        label: str,
        score: float,
        positive: float,
        abstained: bool,
        text: str,
        trace: str = "",
    ) -> Record:
        """Creates the record of an answer to ``text``; the log's thread does the slow part."""
        return cls(
            id=id,
            time=time,
            model_version=model_version,
            request=request,
            index=index,
            label=label,
            score=score,
            positive=positive,
            abstained=abstained,
            words=len(text.split()),
            characters=len(text),
            sketch="",
            text=text,
            trace=trace,
        )


@dataclass(frozen=True, slots=True)
class Feedback:
    """The correct label of a prediction.

    Attributes:
        prediction_id: Which prediction.
        label: The correct label.
        time: When it was sent, in seconds since 1970 (UTC).
        client: Identity of the client; None if the service has no tokens.
    """

    prediction_id: str
    label: str
    time: float
    client: str | None = None


@dataclass(frozen=True)
class Logged:
    """The content of a prediction log.

    Attributes:
        records: Predictions, by the time they were given, with their feedback.
        damaged: About when each line was written that is no record: torn by a full disk or a kill, or damaged.
        feedback: Every label that came back, also for predictions that are not there, in no order.
    """

    records: tuple[Record, ...]
    damaged: tuple[float, ...] = ()
    feedback: tuple[Feedback, ...] = ()


EntryT = TypeVar("EntryT", Record, Feedback)


class PredictionLog:
    """Accepts records from any thread without waiting; its own thread writes them."""

    def __init__(self, folder: Path | None, *, max_mb: float, keep_text: bool, on_drop: Callable[[int], None]) -> None:
        """Starts the thread.

        Args:
            folder: Where it writes; shared with other processes. None: nothing is logged.
            max_mb: Bound of everything in the folder, in MB (10^6 bytes); a tenth of it is for feedback.
            keep_text: Whether texts are stored.
            on_drop: Called with the number of lost records, from any thread.
        """
        self._keep_text, self._on_drop = keep_text, on_drop
        self._wake, self._closing = threading.Event(), threading.Event()
        self._thread: threading.Thread | None = None
        if folder is None:
            return
        most = max_mb * 1e6
        self._predictions = _Queue[Record](BoundedFiles(folder, PREDICTIONS, int(most * (1 - FEEDBACK_SHARE))))
        self._feedback = _Queue[Feedback](BoundedFiles(folder, FEEDBACK, int(most * FEEDBACK_SHARE)))
        self._thread = threading.Thread(target=self._run, name="prediction-log", daemon=True)
        self._thread.start()

    def add(self, records: Sequence[Record]) -> None:
        """Notes predictions; never waits."""
        if self._thread is not None:
            characters = sum(record.characters + OVERHEAD for record in records)
            self._noted(len(records), self._predictions.put(records, characters))

    def feedback(self, prediction_id: str, label: str, time: float, client: str | None = None) -> None:
        """Logs the correct label of a prediction; never waits."""
        if self._thread is not None:
            self._noted(1, self._feedback.put([Feedback(prediction_id, label, time, client)], OVERHEAD))

    def close(self) -> None:
        """Writes the records in memory, unless the disk takes more than ``CLOSE_TIMEOUT_S``."""
        self._closing.set()
        self._wake.set()
        if self._thread is not None:
            self._thread.join(CLOSE_TIMEOUT_S)

    def _noted(self, records: int, accepted: bool) -> None:
        if accepted:
            self._wake.set()
        else:
            self._on_drop(records)

    def _run(self) -> None:
        closing = False
        while not closing:
            self._wake.wait()
            closing = self._closing.wait(GATHER_S)
            self._wake.clear()
            for lost in (self._feedback.write(_line), self._predictions.write(self._prediction_line)):
                if lost:
                    self._on_drop(lost)
        self._feedback.close()
        self._predictions.close()

    def _prediction_line(self, record: Record) -> bytes:
        text = record.text or ""
        return _line(replace(record, sketch=sketch(text), text=text if self._keep_text else None))


class _Queue(Generic[EntryT]):
    """Entries of one kind on their way: bounded in memory, bounded on disk."""

    def __init__(self, files: BoundedFiles) -> None:
        self._files = files
        self._lock = threading.Lock()
        self._entries: list[EntryT] = []
        self._size = 0
        self._open = True

    def put(self, entries: Sequence[EntryT], size: int) -> bool:
        """Accepts all records, or none if too many wait already or the writer has ended."""
        with self._lock:
            if not self._open or self._size + size > MAX_WAITING_CHARACTERS:
                return False
            self._entries.extend(entries)
            self._size += size
        return True

    def write(self, line: Callable[[EntryT], bytes]) -> int:
        """Writes the waiting records; returns the number that was lost."""
        with self._lock:
            entries, self._entries, self._size = self._entries, [], 0
        return sum(
            self._files.append([line(entry) for entry in entries[start : start + LINES_A_WRITE]])
            for start in range(0, len(entries), LINES_A_WRITE)
        )

    def close(self) -> None:
        with self._lock:
            self._open = False
        self._files.close()


def read_log(
    folder: Path, *, model_version: str | None = None, since: float | None = None, until: float | None = None
) -> Logged:
    """Reads a prediction log, also while it is written.

    Args:
        folder: Of the log; one that is not there holds nothing.
        model_version: Only this version's predictions; all if None.
        since: Only predictions from this time on (seconds since 1970, UTC).
        until: Only predictions before this time.
    """
    damaged: list[float] = []
    labels: dict[str, str] = {}
    latest: dict[str, float] = {}
    given = []
    for feedback in _entries(folder, FEEDBACK, Feedback):
        if isinstance(feedback, float):
            damaged.append(feedback)
            continue
        given.append(feedback)
        if feedback.time >= latest.get(feedback.prediction_id, feedback.time):
            labels[feedback.prediction_id], latest[feedback.prediction_id] = feedback.label, feedback.time
    records = []
    for record in _entries(folder, PREDICTIONS, Record):
        if isinstance(record, float):
            damaged.append(record)
        elif (
            model_version in (None, record.model_version)
            and (since is None or record.time >= since)
            and (until is None or record.time < until)
        ):
            records.append(replace(record, feedback=labels.get(record.id)))
    return Logged(tuple(sorted(records, key=lambda r: (r.time, r.request, r.index))), tuple(damaged), tuple(given))


def write_feedback(folder: Path, labels: Sequence[Feedback]) -> int:
    """Adds labels to a log from outside the service, which may write at the same time and keeps the log's bound.

    Returns:
        How many could not be written.
    """
    files = BoundedFiles(folder, FEEDBACK, sys.maxsize)
    lost = files.append([_line(label) for label in labels])
    files.close()
    return lost


def _line(entry: Record | Feedback) -> bytes:
    values = {field.name: getattr(entry, field.name) for field in fields(entry)}
    stored = {k: round(v, 6) if isinstance(v, float) else v for k, v in values.items() if v is not None}
    return json.dumps(stored, separators=(",", ":")).encode() + b"\n"


def _entries(folder: Path, kind: str, entry: type[EntryT]) -> Iterator[EntryT | float]:
    """Every entry of a kind; for a line that cannot be read, the time of the line before it, or of the file's name."""
    types = get_type_hints(entry)
    for file in files_of(folder, kind):
        try:
            stream = file.open("rb")
        except FileNotFoundError:  # the service has just made room
            continue
        written = _opened(file)
        with stream:
            for line in stream:
                parsed = _parsed(line, entry, types)
                written = written if parsed is None else parsed.time
                yield written if parsed is None else parsed


def _opened(file: Path) -> float:
    """Returns the start time in a file's name, in seconds since 1970; 0 if the file was renamed."""
    nanoseconds = file.stem.split("-")[1]
    return int(nanoseconds) / 1e9 if nanoseconds.isdecimal() else 0.0


def _parsed(line: bytes, entry: type[EntryT], types: dict[str, type]) -> EntryT | None:
    try:
        parsed = entry(**json.loads(line))
    except (ValueError, TypeError):  # no JSON, no object, or other keys
        return None
    return parsed if all(isinstance(getattr(parsed, name), kind) for name, kind in types.items()) else None
