"""Actors of a Ray cluster that plan and score. Ray Data restarts them, and gives their work to others, where one dies.

What is done twice then is written twice under the same name, with the same bytes.
"""

from __future__ import annotations

import io
import logging
import os
import pickle
import tarfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import TYPE_CHECKING, Any

from sentiment.errors import UserError
from sentiment.imports import ROOT
from sentiment.scoring.settings import ScoreSettings
from sentiment.scoring.storage import S3

if TYPE_CHECKING:
    from sentiment.scoring.scorer import Scorer


class RayWorkers:
    """Actors of a Ray cluster, one a core."""

    def __init__(self, make: Callable[[str], Scorer], servable: Path, count: int) -> None:
        """Sends the servable to the cluster, so that its machines need no common disk."""
        import ray

        self._make, self._packed, self.count = make, ray.put(_pack(servable)), count

    def engine(self) -> str:
        """See the protocol."""
        (name,) = self.run("engine", [None])
        return str(name)

    def run(self, method: str, items: Iterable[Any]) -> Iterator[Any]:
        """See the protocol. Shards go through Ray Data; a few files to plan need no actors."""
        results = self._score(items) if method == "score" else self._call(method, items)
        for result in results:
            if isinstance(result, UserError):
                raise result
            yield result

    def _call(self, method: str, items: Iterable[Any]) -> Iterator[Any]:
        import ray

        call = ray.remote(_call)
        left = [call.remote(self._make, self._packed, method, item) for item in items]
        while left:
            (done, *_), left = ray.wait(left)
            yield ray.get(done)

    def _score(self, items: Iterable[Any]) -> Iterator[Any]:
        import ray.data

        messages = [{"message": pickle.dumps(item)} for item in items]
        if not messages:
            return
        pool = ray.data.ActorPoolStrategy(min_size=1, max_size=self.count, initial_size=min(self.count, len(messages)))
        done = ray.data.from_items(messages, override_num_blocks=len(messages)).map(
            _Actor,
            fn_constructor_args=(self._make, self._packed),
            compute=pool,
            num_cpus=1,
            max_restarts=-1,
            max_task_retries=-1,
        )
        for row in done.iter_rows():
            yield pickle.loads(row["message"])


class _Actor:
    """Scores shards with one loaded model."""

    def __init__(self, make: Callable[[str], Scorer], packed: Any) -> None:  # noqa: ANN401 # a reference
        import ray

        self._scorer = make(_unpack(ray.get(packed)))

    def __call__(self, row: dict[str, bytes]) -> dict[str, bytes]:
        return {"message": pickle.dumps(_try(self._scorer, "score", pickle.loads(row["message"])))}


def _call(make: Callable[[str], Scorer], packed: bytes, method: str, item: Any) -> Any:  # noqa: ANN401
    return _try(make(_unpack(packed)), method, item)


def _try(scorer: Scorer, method: str, item: Any) -> Any:  # noqa: ANN401
    """Calls a method; returns an error for users as a result: Ray would wrap it, and repeat its traceback."""
    try:
        return getattr(scorer, method)(*(() if item is None else (item,)))
    except UserError as error:
        return error


@contextmanager
def ray_workers(make: Callable[[str], Scorer], servable: Path, settings: ScoreSettings) -> Iterator[RayWorkers]:
    """Connects to the cluster that the settings name, or starts Ray on this machine, for the block.

    Args:
        make: Makes the scorer of an actor from the directory of a servable; can be sent there.
        servable: The directory on this machine.
        settings: Address of the cluster, and the number of actors.

    Raises:
        UserError: If Ray is not installed, or the cluster does not answer.
    """
    for name, address in (("input", settings.input), ("output", settings.output)):
        if settings.ray_address is not None and not (address or "").startswith(S3):
            raise UserError(
                "other machines do not see it", where=f"{name} {address}", remedy="On a cluster, name s3:// URLs."
            )
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    try:
        import ray
        import ray.data
    except ImportError:
        raise UserError("Ray is not installed", where="engine ray", remedy="Run make ray.") from None
    ours = not ray.is_initialized()
    if ours:
        try:
            ray.init(
                settings.ray_address or "local",
                runtime_env={"env_vars": {"PYTHONPATH": str(ROOT)}},  # an image has the project at the same place
                include_dashboard=None if settings.ray_address else False,
                log_to_driver=False,
                logging_level="ERROR",
            )
        except ConnectionError as error:
            raise UserError(
                "no Ray cluster answers", where=f"ray_address {settings.ray_address}", remedy="Check the address."
            ) from error
    ray.data.DataContext.get_current().enable_progress_bars = False  # the command line has its own
    logging.getLogger("ray.data").setLevel(logging.ERROR)
    try:
        yield RayWorkers(make, servable, settings.workers or max(1, int(ray.cluster_resources().get("CPU", 1))))
    finally:
        if ours:
            ray.shutdown()


def _pack(folder: Path) -> bytes:
    sink = io.BytesIO()
    with tarfile.open(fileobj=sink, mode="w") as archive:
        archive.add(folder, ".")
    return sink.getvalue()


@cache
def _unpack(packed: bytes) -> str:
    """Writes a servable into a folder of this actor's machine."""
    folder = mkdtemp(prefix="sentiment-servable-")
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        archive.extractall(folder, filter="data")
    return folder
