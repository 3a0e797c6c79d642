"""Deletes old runs, versions and their files."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from cli.arguments import ModelArguments, positive_number
from cli.grammar import Command, Context, Summary, flag, option
from sentiment.errors import UserError

if TYPE_CHECKING:
    from rich.console import Console

    from registry.retention.prune import Plan
    from sentiment.deployment import Deployment
    from serving.leftovers import Leftovers

LOCK = "old runs, versions and files are being deleted"
UNITS = {"d": "days", "h": "hours"}


def age(text: str) -> timedelta:
    """Returns an age, such as ``30d`` or ``12h``."""
    found = re.fullmatch(r"(\d{1,5})([dh])", text)
    if not found:
        raise argparse.ArgumentTypeError(f"must be days or hours, such as 30d or 12h (it is {text!r})")
    return timedelta(**{UNITS[found[2]]: int(found[1])})


@dataclass(frozen=True)
class Arguments(ModelArguments):
    """The arguments of ``prune``."""

    keep: int = option(
        "N", "how many of the newest versions, and runs of each pipeline, stay", default=5, type=positive_number
    )
    older_than: timedelta | None = option("AGE", "delete only what is older, such as 30d or 12h", type=age)
    dry_run: bool = flag("show what would be deleted without deleting it")


def run(arguments: Arguments, context: Context) -> Summary:
    """Shows what may be deleted, and deletes it; asks nothing, so that a timer can run it."""
    with context.session():
        from contextlib import nullcontext

        from registry.locks import try_lock

        with nullcontext() if arguments.dry_run else try_lock(LOCK) as busy_since:
            if busy_since is not None:
                context.console.print(f"another prune has been running since {busy_since:%H:%M:%S} UTC")
                return {"outcome": "busy"}
            return _prune(arguments, context.console)


def _prune(arguments: Arguments, console: Console) -> Summary:
    from rich.markup import escape

    from registry.retention import tracked
    from registry.retention.prune import delete_rest

    plan = _plan(arguments)
    leftovers = _find_leftovers(plan)
    if plan.unfinished.started:
        console.print(f"[yellow]![/] an earlier prune did not finish: {escape(plan.unfinished.started)}")
    figures = _figures(plan, leftovers)
    _show(plan, figures, console)
    if arguments.dry_run:
        console.print("dry run: nothing was deleted")
    else:
        plan, figures = _delete_versions(plan, figures, arguments, console)
        delete_rest(plan)
        console.print("done")
        if plan.tracked.runs and not tracked.is_local():
            console.print(tracked.ON_SERVER)
    return {
        "outcome": "planned" if arguments.dry_run else "pruned",
        "model": plan.model,
        "freed": {kind: {"count": count, "bytes": size} for kind, (count, size) in figures.items()},
        "versions": [version.number for version in plan.versions],
        "runs": [run.name for run in plan.runs],
        "stay": dict(plan.stay),
        "running": list(plan.running),
    }


def _delete_versions(
    plan: Plan, figures: dict[str, tuple[int, int | None]], arguments: Arguments, console: Console
) -> tuple[Plan, dict[str, tuple[int, int | None]]]:
    """Deletes versions, Bentos and files of services under the deployment lock; planning needs no lock, and is slow.

    Returns:
        The plan and its figures, without these if a deployment is under way.
    """
    from rich.markup import escape

    from registry.retention.prune import delete_versions

    with _lock_deployer() as busy:
        if busy:
            console.print(f"[yellow]![/] versions, Bentos and service logs stay this time: the {escape(busy)}")
            plan = _plan(arguments, busy)
            delete_versions(plan, {}, ())
            return plan, _figures(plan, None)
        live = _find_live()
        delete_versions(plan, _live_version(live, plan.model), _find_bentos(live))
        if leftovers := _find_leftovers(plan):
            _delete_leftovers(leftovers)
    return plan, figures


@contextmanager
def _lock_deployer() -> Iterator[str]:
    """Keeps deployments out during the block; gives the reason if one is under way, otherwise an empty string."""
    from serving.active import find_deployer

    deployer = find_deployer()
    try:
        lock = deployer.lock("deleting old versions and Bentos") if deployer else None
    except UserError as error:
        yield str(error)
        return
    try:
        yield ""
    finally:
        if lock:
            lock.close()


def _find_root() -> Path | None:
    """Returns the folder of the stack's deployer on this machine; None if it serves elsewhere, or there is none."""
    from serving.active import find_deployer
    from serving.deployer import BentoDeployer

    deployer = find_deployer()
    return deployer.root if isinstance(deployer, BentoDeployer) else None


def _plan(arguments: Arguments, busy: str = "") -> Plan:
    """Plans the deletion; with the reason why the deployer is busy, no version and no Bento is in the plan."""
    from datetime import UTC, datetime

    from registry import versions
    from registry.retention.prune import make_plan

    live, model = _find_live(), arguments.model
    in_use = _live_version(live, model)
    if busy:
        in_use = {version.number: busy for version in versions.list_versions(model)} | in_use
    return make_plan(
        model,
        keep=arguments.keep,
        older_than=arguments.older_than or timedelta(0),
        now=datetime.now(UTC),
        in_use=in_use,
        needed=[live.run] if live else [],
        running_bentos=None if busy else _find_bentos(live),
    )


def _find_live() -> Deployment | None:
    from serving.active import find_deployer

    deployer = find_deployer()
    return deployer.live() if deployer else None


def _live_version(live: Deployment | None, model: str) -> dict[str, str]:
    return {live.bento.version: "live"} if live and live.bento.model == model else {}


def _find_bentos(live: Deployment | None) -> set[str]:
    """Returns the tags of the Bentos that are live, or run on this machine."""
    from serving.leftovers import find_running_bentos

    return {*find_running_bentos(), *([live.bento.tag] if live else [])}


def _find_leftovers(plan: Plan) -> Leftovers | None:
    from serving.leftovers import find_leftovers

    root = _find_root()
    return find_leftovers(root, plan.rule.before) if root else None


def _delete_leftovers(leftovers: Leftovers) -> None:
    from serving.leftovers import delete_leftovers

    root = _find_root()
    assert root is not None  # the leftovers are below it
    delete_leftovers(root, leftovers)


def _figures(plan: Plan, leftovers: Leftovers | None) -> dict[str, tuple[int, int | None]]:
    from registry.retention.disk_use import bytes_below

    if leftovers is None:
        return plan.figures()
    paths = [*leftovers.services, *leftovers.files]
    size = sum(map(bytes_below, paths)) + leftovers.saved_of_grown
    return {**plan.figures(), "service logs": (len(paths) + len(leftovers.grown), size)}


def _show(plan: Plan, figures: dict[str, tuple[int, int | None]], console: Console) -> None:
    """Prints what may be deleted, and why versions stay."""
    from rich.filesize import decimal
    from rich.markup import escape
    from rich.table import Table

    console.print(
        f"Created before {plan.rule.before:%Y-%m-%d %H:%M} UTC, all but the newest {plan.rule.keep}:", highlight=False
    )
    table = Table("kind", "count", "size")
    for kind, (count, size) in figures.items():
        table.add_row(kind, f"{count:,}", "-" if size is None else decimal(size))
    total = sum(size or 0 for _, size in figures.values())
    table.add_row("all", "", decimal(total))
    console.print(table)
    if plan.running:
        console.print(escape(f"running, with everything since its start: {', '.join(plan.running)}"), highlight=False)
    for number, reason in plan.stay.items():
        console.print(f"version {number} stays: {escape(reason)}", highlight=False)


COMMAND = Command(
    "prune",
    "delete old runs, versions and their files, on disk and on S3",
    run,
    Arguments,
    after_interrupt="python run.py prune finishes it",
    details="examples:\n  run.py prune --dry-run\n  run.py prune --keep 10 --older-than 30d",
)
