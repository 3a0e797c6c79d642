"""Prometheus metrics of both protocols, summed over the workers of one service.

BentoML's own metrics are switched off: they take raw paths as labels, and every service of one Bento store deletes the
files of the one that started before it.
"""

from __future__ import annotations

import contextlib
import logging
import os
from pathlib import Path

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest, values
from prometheus_client.multiprocess import MultiProcessCollector

from bento.identity import Identity

SECONDS = (0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
WAITS = (0.0005, 0.001, *SECONDS)
TEXTS = (1, 2, 4, 8, 16, 32, 64)
SCORES = (0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95, 0.99, 1.0)
COUNTS = ("counter", "histogram")  # how the client names its files: <kind>_<pid>.db
GAUGES = ("gauge_livesum", "gauge_livemax")
FILE_BYTES = 1 << 17  # of each file: enough for every combination of labels, so that no file grows

logger = logging.getLogger("bento.metrics")


class ServiceMetrics:
    """One worker's share of the metrics; every label has a bounded set of values."""

    def __init__(self, folder: Path, identity: Identity) -> None:
        """Starts counting.

        Args:
            folder: The folder in which the workers of this service alone keep their counts.
            identity: Exported as a metric of its own.
        """
        self._folder, self._shared = folder, _has_files(folder)
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(folder)  # read by the client when a metric is created
        shared = values.MultiProcessValue() if self._shared else None  # type: ignore[no-untyped-call] # has no types
        values.ValueClass = shared or values.MutexValue
        self._own = own = CollectorRegistry()
        self._requests = Counter(
            "sentiment_requests_total", "Requests answered", ["protocol", "method", "code"], registry=own
        )
        self._seconds = Histogram(
            "sentiment_request_seconds", "Time to the answer", ["protocol", "method"], buckets=SECONDS, registry=own
        )
        self._series: dict[tuple[str, str, str], tuple[Counter, Histogram]] = {}
        self._batch = Histogram("sentiment_batch_texts", "Texts of a batch", buckets=TEXTS, registry=own)
        self._queue = Gauge("sentiment_queue_texts", "Texts that wait", multiprocess_mode="livesum", registry=own)
        self._waits = Histogram(
            "sentiment_queue_seconds", "Time that a request waits for its first batch", buckets=WAITS, registry=own
        )
        self._predictions = Counter("sentiment_predictions_total", "Predictions", ["label"], registry=own)
        self._abstained = Counter("sentiment_abstained_total", "Predictions with too low a score", registry=own)
        self._confidence = Histogram("sentiment_confidence", "Scores", buckets=SCORES, registry=own)
        self._dropped = Counter("sentiment_log_dropped_total", "Log records that could not be written", registry=own)
        self._feedback = Counter("sentiment_feedback_total", "Labels of feedback", ["label"], registry=own)
        names = ["model", "version", "kind", "bento"]
        info = Gauge("sentiment_model_info", "The model", names, multiprocess_mode="livemax", registry=own)
        info.labels(*(getattr(identity, name) for name in names)).set(1)
        for label in identity.labels:  # a rate needs a first sample
            self._predictions.labels(label)
            self._feedback.labels(label)

    def request(self, protocol: str, method: str, code: str, seconds: float) -> None:
        """Counts an answered request; ``method`` is a route's template or an RPC's name, never a raw path."""
        series = self._series.get((protocol, method, code))
        if series is None:  # looking the labels up takes longer than counting
            series = self._requests.labels(protocol, method, code), self._seconds.labels(protocol, method)
            self._series[protocol, method, code] = series
        answered, times = series
        answered.inc()
        times.observe(seconds)

    def batch(self, texts: int, waiting: int) -> None:
        """Counts a batch."""
        self._batch.observe(texts)
        self._queue.set(waiting)

    def waited(self, seconds: float) -> None:
        """Counts a request whose wait for its first batch is over."""
        self._waits.observe(seconds)

    def prediction(self, label: str, score: float, abstained: bool) -> None:
        """Counts a prediction."""
        self._predictions.labels(label).inc()
        self._confidence.observe(score)
        if abstained:
            self._abstained.inc()

    def dropped(self, records: int) -> None:
        """Counts lost log records; may be called from any thread."""
        self._dropped.inc(records)

    def feedback(self, label: str) -> None:
        """Counts a label of feedback."""
        self._feedback.labels(label).inc()

    def page(self) -> bytes:
        """Returns the metrics of all workers in Prometheus' text format; without files, those of this worker alone."""
        if not self._shared:
            return generate_latest(self._own)
        combined = CollectorRegistry()
        MultiProcessCollector(combined, str(self._folder))  # type: ignore[no-untyped-call] # has no types
        try:
            return generate_latest(combined)
        except FileNotFoundError:  # a new worker has just taken over a dead worker's counts
            return generate_latest(combined)


def _has_files(folder: Path) -> bool:
    """Allocates the disk space of this worker's counts at once; returns whether there was enough.

    The client maps its files into memory. On a full disk, the first touch of a part that has no block yet would kill
    the worker, and every one that follows it.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for kind in GAUGES:  # left by a killed worker: they would be counted forever
            for file in _find_orphans(folder, kind):
                file.unlink(missing_ok=True)
        for kind in (*COUNTS, *GAUGES):
            _take_file(folder, kind)
    except OSError as error:
        logger.warning("metrics are each worker's own, not in %s: %s", folder, error.strerror)
        return False
    return True


def _take_file(folder: Path, kind: str) -> None:
    """Takes over a dead worker's file with its counts, which needs no more space, or creates a new one."""
    own = folder / f"{kind}_{os.getpid()}.db"
    for file in _find_orphans(folder, kind):
        if not own.exists():
            with contextlib.suppress(FileNotFoundError):  # another worker was faster
                file.rename(own)
    if own.exists():
        _allocate(own)
        return
    new = own.with_suffix(".new")  # no worker reads it while it is empty
    try:
        _allocate(new)
        new.rename(own)
    finally:
        new.unlink(missing_ok=True)


def _find_orphans(folder: Path, kind: str) -> list[Path]:
    """Finds the files of dead workers."""
    files = folder.glob(f"{kind}_*.db")
    return [file for file in files if not Path("/proc", file.stem.rpartition("_")[2]).exists()]


def _allocate(file: Path) -> None:
    """Allocates the blocks of a file; its content stays."""
    with file.open("ab") as opened:
        os.posix_fallocate(opened.fileno(), 0, max(FILE_BYTES, opened.tell()))
