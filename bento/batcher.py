"""Natural batching: one computation at a time; the texts that arrive meanwhile are the next batch.

No timer and nothing learned, so a lone request never waits; under load batches grow by themselves.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from bento.errors import overloaded
from bento.tracing import Trace


@dataclass(slots=True, eq=False)
class _Job:
    texts: Sequence[str]
    done: asyncio.Future[list[float]]
    scores: list[float]
    trace: Trace | None
    accepted: float


class Batcher:
    """Gives texts of many requests to one thread, in batches.

    Long requests are served a batch at a time, so that short ones do not wait behind all of their texts.
    """

    def __init__(
        self,
        compute: Callable[[list[str]], Sequence[float]],
        *,
        max_waiting: int,
        batch_texts: int = 16,
        on_batch: Callable[[int, int], None] = lambda texts, waiting: None,
        on_wait: Callable[[float], None] = lambda seconds: None,
    ) -> None:
        """Starts nothing yet; the first text starts the loop.

        Args:
            compute: Scores of texts; runs in a thread.
            max_waiting: Texts that may wait; further ones are refused.
            batch_texts: Texts of a batch, at most.
            on_batch: Called with the number of texts of every batch, and the number that still wait.
            on_wait: Called for every request with the seconds that it waited for its first batch, or until it was found
                that its client has left.
        """
        self._compute, self._max_waiting, self._batch_texts = compute, max_waiting, batch_texts
        self._on_batch, self._on_wait = on_batch, on_wait
        self._jobs: deque[_Job] = deque()
        self._waiting = 0
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="forward")
        self._loop: asyncio.Task[None] | None = None

    async def submit(self, texts: Sequence[str], trace: Trace | None = None) -> list[float]:
        """Scores of the texts, in order; ``trace`` gets a span of the wait, and one of every batch.

        Raises:
            RequestError: If too many texts wait already.
        """
        if self._waiting + len(texts) > self._max_waiting and self._waiting:
            raise overloaded()
        job = _Job(texts, asyncio.get_running_loop().create_future(), [], trace, time.perf_counter())
        self._jobs.append(job)
        self._waiting += len(texts)
        if self._loop is None or self._loop.done():
            self._loop = asyncio.create_task(self._work())
        return await job.done

    def close(self) -> None:
        """Stops the thread after the batch at hand."""
        self._thread.shutdown(wait=True)

    async def _work(self) -> None:
        loop = asyncio.get_running_loop()
        while self._jobs:
            batch = self._next()
            if not batch:
                continue
            texts = [text for _, part in batch for text in part]
            self._on_batch(len(texts), self._waiting)
            started = time.perf_counter()
            try:
                scores = await loop.run_in_executor(self._thread, self._compute, texts)
            except Exception as error:
                self._fail([job for job, _ in batch], error)
                continue
            start, ended = 0, time.perf_counter()
            for job, part in batch:
                if job.trace is not None:
                    job.trace.add_span("model", started, ended, {"sentiment.batch_texts": len(texts)})
                job.scores.extend(scores[start : start + len(part)])
                start += len(part)
                if len(job.scores) == len(job.texts) and not job.done.done():
                    job.done.set_result(job.scores)

    def _next(self) -> list[tuple[_Job, Sequence[str]]]:
        """Takes texts for the next batch: a share of every waiting request in turn, without cancelled ones."""
        batch: list[tuple[_Job, Sequence[str]]] = []
        room = self._batch_texts
        for _ in range(len(self._jobs)):
            if not room:
                break
            job = self._jobs.popleft()
            rest = job.texts[len(job.scores) :]
            if not job.scores:
                self._end_wait(job)
            if job.done.done():  # the client has left, or its time is over
                self._waiting -= len(rest)
                continue
            part = rest[:room]
            batch.append((job, part))
            self._waiting -= len(part)
            room -= len(part)
            if len(part) < len(rest):
                self._jobs.append(job)  # the others first
        return batch

    def _end_wait(self, job: _Job) -> None:
        now = time.perf_counter()
        self._on_wait(now - job.accepted)
        if job.trace is not None:
            job.trace.add_span("queue", job.accepted, now)

    def _fail(self, jobs: list[_Job], error: Exception) -> None:
        for job in jobs:
            if job in self._jobs:
                self._jobs.remove(job)
                self._waiting -= len(job.texts) - len(job.scores)
            if not job.done.done():
                job.done.set_exception(error)
