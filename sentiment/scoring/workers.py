"""Processes of this machine that plan and score: one a core, each with its own model on one thread."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from itertools import islice
from multiprocessing import active_children, get_context
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from sentiment.child_process import follow_parent
from sentiment.errors import UserError

if TYPE_CHECKING:
    from sentiment.scoring.scorer import Scorer
    from sentiment.scoring.settings import ScoreSettings

MAX_QUEUED_PER_WORKER = 2  # tasks: no worker waits for the next one, and a billion rows need no long list


class Workers(Protocol):
    """Where the methods of a :class:`~sentiment.scoring.scorer.Scorer` run.

    Attributes:
        count: Tasks that run at the same time.
    """

    count: int

    def engine(self) -> str:
        """Returns ``Scorer.engine()``."""

    def run(self, method: str, items: Iterable[Any]) -> Iterator[Any]:
        """Calls a method of the scorer with every item; yields the results as they are finished, in any order."""


class LocalWorkers:
    """Processes of this machine."""

    def __init__(self, pool: ProcessPoolExecutor, count: int) -> None:
        self._pool, self.count = pool, count

    def engine(self) -> str:
        """See the protocol."""
        with _explained():
            asked = [self._pool.submit(_call, "engine") for _ in range(self.count)]  # each loads its model meanwhile
            return {str(future.result()) for future in asked}.pop()

    def run(self, method: str, items: Iterable[Any]) -> Iterator[Any]:
        """See the protocol."""
        left = iter(items)
        running: set[Future[Any]] = set()
        with _explained():
            while True:
                room = MAX_QUEUED_PER_WORKER * self.count - len(running)
                running.update(self._pool.submit(_call, method, item) for item in islice(left, room))
                if not running:
                    return
                finished, running = wait(running, return_when=FIRST_COMPLETED)
                yield from (future.result() for future in finished)


@contextmanager
def local_workers(make: Callable[[str], Scorer], servable: Path, count: int) -> Iterator[LocalWorkers]:
    """Starts processes, and ends them with the block, at once if it fails.

    Args:
        make: Makes the scorer of a process from the directory of a servable; can be sent there.
        servable: The directory.
        count: Number of processes.
    """
    before = set(active_children())
    pool = ProcessPoolExecutor(
        count, mp_context=get_context("spawn"), initializer=_start, initargs=(make, str(servable))
    )
    # A terminal sends Ctrl-C to every process. Workers inherit that it is blocked, and the parent ends them; one that
    # still starts would print a traceback.
    before_start = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        pool.submit(int)  # starts every process
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before_start)
    try:
        yield LocalWorkers(pool, count)
    except BaseException:
        pool.shutdown(wait=False, cancel_futures=True)
        for process in set(active_children()) - before:
            process.kill()  # what it writes has another name until it is whole
        raise
    pool.shutdown()


_scorer: Scorer | None = None  # of a worker process


def _start(make: Callable[[str], Scorer], servable: str) -> None:
    """Prepares a worker process."""
    global _scorer  # noqa: PLW0603 # a pool's tasks have no other place to find it
    follow_parent()
    os.environ.update(OMP_NUM_THREADS="1", TOKENIZERS_PARALLELISM="false")
    import pyarrow as pa

    pa.set_cpu_count(1)
    _scorer = make(servable)


def _call(method: str, *arguments: Any) -> Any:  # noqa: ANN401 # whichever method
    return getattr(_scorer, method)(*arguments)


@contextmanager
def _explained() -> Iterator[None]:
    try:
        yield
    except BrokenProcessPool as error:
        raise UserError(
            "a worker process was killed",
            where="scoring",
            remedy="If the memory was full, set workers or shard_rows lower. The same command goes on.",
        ) from error


@contextmanager
def open_workers(make: Callable[[str], Scorer], servable: Path, settings: ScoreSettings) -> Iterator[Workers]:
    """Starts the workers that the settings ask for: processes of this machine, or actors of a Ray cluster."""
    if settings.engine == "ray":
        from sentiment.scoring.ray_workers import ray_workers

        with ray_workers(make, servable, settings) as on_ray:
            yield on_ray
        return
    from joblib import cpu_count  # unlike os.cpu_count, it knows affinity and the limits of a container

    with local_workers(make, servable, settings.workers or cpu_count()) as local:
        yield local
