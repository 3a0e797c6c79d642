"""The rules of retention, as pure functions: which versions and which pipeline runs may be deleted."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sentiment.deployment import Version
from sentiment.promotion.approval import REJECTED


@dataclass(frozen=True)
class Rule:
    """Limits of a deletion.

    Attributes:
        keep: Number of the newest versions, runs of each pipeline, searches and caches that stay; 1 or more.
        before: Nothing that was created at this time or later is deleted. It is not after the start of the oldest
            run that is still running: that run may use everything newer.
    """

    keep: int
    before: datetime


@dataclass(frozen=True)
class Run:
    """A pipeline run.

    Attributes:
        id: Its identifier in ZenML.
        name: Its name, which is also that of its MLflow run.
        pipeline: Name of its pipeline.
        created: When it was created.
        active: Whether it is running.
        here: Whether it ran on the active stack.
        stack: Name of its stack; empty if that no longer exists.
    """

    id: UUID
    name: str
    pipeline: str
    created: datetime
    active: bool = False
    here: bool = True
    stack: str = ""


def find_reasons(
    known: Sequence[Version], rule: Rule, in_use: Mapping[str, str], interrupted: Collection[str] = ()
) -> dict[str, str]:
    """Returns why versions stay, by number; a version that is missing here may be deleted.

    Args:
        known: Every version of the model, oldest first.
        rule: The limits.
        in_use: Reasons by number that are known elsewhere, such as ``live``.
        interrupted: Versions whose deletion did not finish: their age does not keep them any more.
    """
    production = next((v for v in known if v.stage == "production"), None)
    previous = find_previous(known)
    newest = {version.number for version in known[-rule.keep :]}
    reasons = {}
    for version in known:
        number = version.number
        if version is production:
            reasons[number] = "in production"
        elif number in in_use:
            reasons[number] = in_use[number]
        elif number == previous:
            reasons[number] = "target of a rollback"
        elif version.waiting:
            reasons[number] = "waits for an approval"
        elif version.rolled_back:  # without its record, a training with the same data would promote it again
            reasons[number] = "was rolled back"
        elif version.approval == REJECTED:  # likewise: it would be presented again as a new one
            reasons[number] = "was rejected"
        elif number in interrupted:
            continue
        elif number in newest:
            reasons[number] = f"one of the newest {rule.keep}"
        elif datetime.fromisoformat(version.registered) >= rule.before:
            reasons[number] = "too new"
    return reasons


def find_previous(known: Sequence[Version]) -> str:
    """Returns the number of the version that a rollback restores; empty if there is none.

    It is the one that the version in production replaced. If that is not on record, or was deleted, it is the last
    archived version before the one in production that was not rolled back itself.

    Args:
        known: Every version of the model, oldest first.
    """
    production = next((v for v in known if v.stage == "production"), None)
    if production and production.replaced in {v.number for v in known}:
        return production.replaced
    limit = int(production.number) if production else float("inf")
    archived = [v.number for v in known if v.stage == "archived" and int(v.number) < limit and not v.rolled_back]
    return archived[-1] if archived else ""


def choose_runs(
    runs: Sequence[Run], rule: Rule, needed: Collection[str], interrupted: Collection[str] = ()
) -> tuple[list[Run], list[Run]]:
    """Divides runs into those that may be deleted and those that stay.

    Args:
        runs: Runs of every pipeline, in any order.
        rule: The limits; each pipeline keeps its newest runs.
        needed: Names of runs that versions and services refer to.
        interrupted: Names of runs whose deletion did not finish: their age does not keep them any more.
    """
    by_pipeline: dict[str, list[Run]] = defaultdict(list)
    for run in sorted(runs, key=lambda r: r.created, reverse=True):
        by_pipeline[run.pipeline].append(run)
    newest = {run.id for found in by_pipeline.values() for run in found[: rule.keep]}
    old = [
        run
        for run in runs
        if run.here
        and not run.active
        and run.name not in needed
        and (run.name in interrupted or (run.id not in newest and run.created < rule.before))
    ]
    return old, [run for run in runs if run not in old]
