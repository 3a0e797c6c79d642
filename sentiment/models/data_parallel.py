"""Runs one piece of work in several processes of this machine that train one model together.

Neither of accelerate's launchers fits: ``notebook_launcher`` runs a single process where there is no GPU, and both fork
a process whose libraries have threads already.
"""

from __future__ import annotations

import os
import signal
import sys
import tempfile
import traceback
from collections.abc import Callable
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from sentiment import progress
from sentiment.child_process import follow_parent
from sentiment.errors import UserError

if TYPE_CHECKING:
    from multiprocessing.queues import SimpleQueue

    from torch.multiprocessing.spawn import ProcessContext, ProcessException

WHERE = "transformer.num_processes"
GRACE_S = 5.0  # for the others to end after a failure; a killed process has gigabytes to give back first
START_METHOD = "spawn"  # CUDA does not survive a fork
POLL_S = 0.2  # between two polls of the processes: as often as a progress bar needs


class Report(NamedTuple):
    """Progress on its way to the process that waits."""

    task: str
    done: float
    total: float
    figures: dict[str, float]


def run_together(work: Callable[[], None], count: int) -> None:
    """Calls ``work`` in ``count`` new processes that reach each other through torch.distributed.

    NCCL connects them if there are GPUs, one a process; otherwise gloo does, and they share this process's threads.
    Accelerate finds the process group that is set up here. This process reports the progress of the first.

    Args:
        work: Something that pickle can hand to another process.
        count: How many processes, at least 2.

    Raises:
        UserError: There are fewer GPUs than processes, or a process failed, with its error. However this ends, no
            process is left: not even after this one was killed.
    """
    import torch
    from torch.multiprocessing.spawn import ProcessException, start_processes

    if 0 < torch.cuda.device_count() < count:
        raise UserError(
            f"{count} processes need as many GPUs, and there are {torch.cuda.device_count()}",
            where=WHERE,
            remedy=f"Set it to {torch.cuda.device_count()} at most",
        )
    messages = get_context(START_METHOD).SimpleQueue()
    threads = max(1, torch.get_num_threads() // count)
    with tempfile.TemporaryDirectory(prefix="sentiment-") as folder:
        arguments = (count, threads, Path(folder) / "rendezvous", messages, work)
        workers: ProcessContext = start_processes(  # type: ignore[no-untyped-call]
            _take_part, arguments, count, join=False, start_method=START_METHOD
        )
        failures: list[UserError] = []
        try:
            while not workers.join(timeout=POLL_S, grace_period=GRACE_S):
                failures += _relay(messages)
            _relay(messages)
        except ProcessException as error:
            raise _reason(error, workers, [*failures, *_relay(messages)]) from error
        finally:
            for worker in workers.processes:
                worker.kill()
                worker.join()


def _relay(messages: SimpleQueue[Report | UserError]) -> list[UserError]:
    """Passes the progress on that has been reported; returns the errors of processes."""
    errors = []
    while not messages.empty():
        message = messages.get()
        if isinstance(message, UserError):
            errors.append(message)
        else:
            progress.report(message.task, message.done, message.total, **message.figures)
    return errors


def _reason(error: ProcessException, workers: ProcessContext, failures: list[UserError]) -> UserError:
    """Finds the first failure; the other processes then fail, too, because they lost a peer."""
    for rank, worker in enumerate(workers.processes):
        if (worker.exitcode or 0) < 0 and worker.exitcode != -signal.SIGTERM:  # that is how the others are ended
            return _failed(rank, f"was killed by {signal.Signals(-worker.exitcode).name}")
    return failures[0] if failures else _failed(error.error_index, f"ended early ({error.msg})")


def _failed(rank: int, what: str) -> UserError:
    return UserError(
        f"training process {rank} {what}",
        where=WHERE,
        remedy="Run the same again: training resumes from its last complete state. Fewer processes need less memory",
    )


def _take_part(
    rank: int,
    count: int,
    threads: int,
    rendezvous: Path,
    messages: SimpleQueue[Report | UserError],
    work: Callable[[], None],
) -> None:
    """The main function of each process."""
    follow_parent()
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # gloo talks; standard output is for results
    ranks = {"RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": count, "LOCAL_WORLD_SIZE": count}
    os.environ.update({name: str(value) for name, value in {**ranks, "OMP_NUM_THREADS": threads}.items()})

    def report(task: str, done: float, total: float, **figures: float) -> None:
        if rank == 0:
            messages.put(Report(task, done, total, figures))

    try:
        with progress.listening(report):
            _work_in_group(rank, count, threads, rendezvous, work)
    except UserError as error:
        messages.put(error)
        raise
    except Exception as error:
        messages.put(_failed(rank, f"failed ({traceback.format_exception_only(error)[0].splitlines()[0]})"))
        raise


def _work_in_group(rank: int, count: int, threads: int, rendezvous: Path, work: Callable[[], None]) -> None:
    import torch
    from torch import distributed

    torch.set_num_threads(threads)
    on_gpu = torch.cuda.is_available()
    if on_gpu:
        torch.cuda.set_device(rank)
    elif sys.platform == "linux":
        os.environ["GLOO_SOCKET_IFNAME"] = "lo"  # otherwise it listens on the address of the host's name
    distributed.init_process_group(
        "nccl" if on_gpu else "gloo", init_method=f"file://{rendezvous}", rank=rank, world_size=count
    )
    work()
    distributed.destroy_process_group()
