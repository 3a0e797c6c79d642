"""Plans a deletion, and carries it out in an order in which a crash leaves nothing broken."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

from bento import store as bentos
from registry import versions
from registry.artifacts import open_store
from registry.locks import version_lock
from registry.retention import records, tracked
from registry.retention.active import ActiveRuns
from registry.retention.caches import delete_caches, find_caches
from registry.retention.disk_use import bytes_below
from registry.retention.journal import Journal, read_journal, remove_journal, write_journal
from registry.retention.packages import Package, choose_packages, folders_of, list_packages
from registry.retention.records import StoredFile
from registry.retention.rules import Rule, Run, choose_runs, find_reasons
from sentiment.deployment import Version

if TYPE_CHECKING:
    from zenml.artifact_stores import BaseArtifactStore
    from zenml.models import ArtifactVersionResponse

SETTLE_S = 5.0  # a step that found its outputs in cache a moment ago has recorded that by then


@dataclass(frozen=True)
class Plan:
    """What a deletion deletes.

    Attributes:
        model: Name of the model.
        rule: The limits.
        in_use: Why versions stay, as far as their own records do not tell.
        versions: The versions, oldest first.
        stay: Why each other version stays, by number.
        runs: The pipeline runs.
        logs: Logs of these runs in the artifact store, by the run's name.
        artifacts: Artifacts that no other run or version uses, on the active stack.
        tracked: What belongs to them in MLflow.
        packages: The Bentos.
        caches: Files and folders of the cache.
        running: Names of runs that are running.
        postponed: Whether versions and Bentos stay because a deployment is under way.
        unfinished: The journal of an earlier deletion that did not finish; an empty one if it did.
    """

    model: str
    rule: Rule
    in_use: Mapping[str, str]
    versions: tuple[Version, ...]
    stay: Mapping[str, str]
    runs: tuple[Run, ...]
    logs: Mapping[str, tuple[StoredFile, ...]]
    artifacts: tuple[ArtifactVersionResponse, ...]
    tracked: tracked.Tracked
    packages: tuple[Package, ...]
    caches: tuple[Path, ...]
    running: tuple[str, ...]
    postponed: bool
    unfinished: Journal

    def figures(self) -> dict[str, tuple[int, int | None]]:
        """Returns how many of each kind there are, and their size in bytes; None if it is unknown or of no weight."""
        logs = [log for found in self.logs.values() for log in found]
        local = tracked.is_local()
        mlflow = sum(map(bytes_below, self.tracked.folders)) if local else None
        return {
            "model versions": (len(self.versions), None),
            "pipeline runs": (len(self.runs), None),
            "artifacts": (len(self.artifacts), sum(map(records.size_of, self.artifacts))),
            "step logs": (len(logs), sum(log.size for log in logs)),
            "MLflow runs and models": (len(self.tracked.runs) + len(self.tracked.models), mlflow),
            "Bentos": (len(self.packages), sum(map(bytes_below, folders_of(self.packages)))),
            "caches": (len(self.caches), sum(map(bytes_below, self.caches))),
        }


def make_plan(
    model: str,
    *,
    keep: int,
    older_than: timedelta,
    now: datetime,
    in_use: Mapping[str, str],
    needed: Collection[str],
    running_bentos: Collection[str] | None,
) -> Plan:
    """Plans a deletion on the active stack; reads only.

    Args:
        model: Name of the model whose versions and Bentos are considered.
        keep: Number of the newest versions, runs of each pipeline, searches and caches that stay.
        older_than: Age that anything else must have.
        now: The time.
        in_use: Why versions of the model stay, by number: ``live``.
        needed: Names of runs that the live service refers to.
        running_bentos: Tags of Bentos that run on this machine; None: a deployment is under way, and every
            Bento stays.
    """
    store = _store()
    unfinished = read_journal(store)
    active = ActiveRuns(model)
    active.update()
    runs = records.list_runs(now)
    rule = Rule(keep, min([now - older_than, *(run.created for run in runs if run.active)]))

    known = versions.list_versions(model)
    interrupted = [v.rpartition(":")[2] for v in unfinished.versions if v.rpartition(":")[0] == model]
    elsewhere = {run.name: f"of stack {run.stack}" for run in runs if run.stack and not run.here}
    in_use = {version.number: elsewhere[version.run] for version in known if version.run in elsewhere} | dict(in_use)
    in_use = _find_in_use(model, known, in_use, active)
    stay = find_reasons(known, rule, in_use, interrupted)
    old = [version for version in known if version.number not in stay]

    searches = tracked.find_searches(rule, {run.name for run in runs})
    trials = [run for run in runs if run.pipeline == "trial" and searches.since and run.created >= searches.since]
    others = _other_versions(model)
    referring = [version for version in known if version.number in stay] + [
        v for found in others.values() for v in found
    ]
    named = {*needed, *(version.run for version in referring), *(run.name for run in trials)}
    old_runs, kept = choose_runs(runs, rule, named, unfinished.runs)
    producers = records.find_producers(kept)
    old_runs = [run for run in old_runs if run.id not in producers]
    kept = [run for run in runs if run not in old_runs]

    linked = {model: [v.number for v in known if v.number in stay]} | {
        m: [v.number for v in o] for m, o in others.items()
    }
    reports, old_reports = records.list_monitoring_reports(rule.before)
    used = active.artifacts | reports
    used |= {a for run in kept for a in records.list_artifacts_of_run(run.id)}
    used |= {a for name, numbers in linked.items() for n in numbers for a in records.list_artifacts_of_version(name, n)}
    unneeded = old_reports | {a for run in old_runs for a in records.list_artifacts_of_run(run.id)}
    unneeded |= {a for version in old for a in records.list_artifacts_of_version(model, version.number)}
    unneeded |= {UUID(identifier) for identifier in unfinished.artifacts}
    found = [a for a in records.find_artifacts(unneeded - used) if a.artifact_store_id == store.id]

    packages = []
    if running_bentos is not None:
        packages = choose_packages(list_packages(model), known, {v.number for v in old}, rule, running_bentos)
    return Plan(
        model=model, rule=rule, in_use=in_use, versions=tuple(old), stay=stay, runs=tuple(old_runs),
        logs={run.name: tuple(records.find_logs(run.id, store)) for run in old_runs},
        artifacts=tuple(found),
        tracked=tracked.find_tracked(model, old, {run.name for run in old_runs}, searches),
        packages=tuple(packages),
        caches=() if active.names else tuple(find_caches(rule, searches.unfinished)),  # running trainings read them
        running=tuple(active.names.values()),
        postponed=running_bentos is None,
        unfinished=unfinished,
    )  # fmt: skip


def delete_versions(plan: Plan, in_use: Mapping[str, str], running_bentos: Collection[str]) -> None:
    """Starts a deletion: writes the journal, and deletes versions and Bentos; the caller holds the deployment lock.

    A version that came into use since it was planned stays with everything that belongs to it.

    Args:
        plan: What to delete.
        in_use: As for :func:`make_plan`, read under the lock.
        running_bentos: Tags of Bentos that run on this machine, or are live, read under the lock.
    """
    write_journal(_store(), _merge(plan))
    packages = tuple(package for package in plan.packages if package.tag not in running_bentos)
    current = replace(plan, in_use={**plan.in_use, **in_use}, packages=packages)
    bentos.remove(folders_of([p for p in packages if p.version not in {v.number for v in plan.versions}]))
    active = ActiveRuns(plan.model)
    for version in plan.versions:
        _delete_version(current, version, active)


def delete_rest(plan: Plan) -> None:
    """Completes a deletion: deletes runs, then the files that no record refers to any more; needs no lock.

    Runs whose version stays after all, and artifacts that another run was given, stay.
    """
    store, active = _store(), ActiveRuns(plan.model)
    known = [*versions.list_versions(plan.model), *(v for found in _other_versions(plan.model).values() for v in found)]
    named = {version.run for version in known}
    for run in plan.runs:
        if run.name in named:
            continue
        for log in plan.logs[run.name]:
            records.delete_stored(log.uri, store)
        records.delete_run(run.id)
    if plan.running:
        time.sleep(SETTLE_S)
    for artifact in plan.artifacts:
        if active.update():
            time.sleep(SETTLE_S)
        if artifact.id not in active.artifacts and records.is_unused(artifact.id):
            records.delete_artifact(artifact, store)
    merged = _merge(plan)
    needed = tracked.find_runs({run.name for run in plan.runs} & named)
    tracked.delete_tracked(sorted({*merged.mlflow_runs} - needed), merged.mlflow_models)
    active.update()
    if not active.names:  # running trainings read them
        delete_caches(plan.caches, plan.rule)
    remaining = [v for v in plan.unfinished.versions if plan.postponed or not v.startswith(f"{plan.model}:")]
    if remaining:
        write_journal(store, Journal(versions=tuple(remaining)))
    else:
        remove_journal(store)


def _find_in_use(
    model: str, known: Sequence[Version], in_use: Mapping[str, str], active: ActiveRuns
) -> Mapping[str, str]:
    """Returns why versions stay, by number: as given, and as ZenML and MLflow know at this moment.

    Args:
        model: Name of the model.
        known: Its versions.
        in_use: What is known already.
        active: The active runs.
    """
    aliases, stacks = tracked.find_aliases(model), versions.find_live_stacks(model)
    found = {number: f"used by {run}, which is running" for number, run in active.versions.items()} | dict(in_use)
    for version in known:
        if version.number in found:
            continue
        if stack := stacks.get(version.number):
            found[version.number] = f"live on stack {stack}"
        elif records.has_service(model, version.number):
            found[version.number] = "has a service"
        elif alias := aliases.get((version.fingerprint, version.number)):
            found[version.number] = f"has the alias {alias} in MLflow"
    return found


def _delete_version(plan: Plan, version: Version, active: ActiveRuns) -> None:
    """Deletes a version, its record last: its Bentos and MLflow's version are found through it."""
    with version_lock(plan.model):
        active.update()
        known = versions.list_versions(plan.model)
        in_use = _find_in_use(plan.model, [v for v in known if v.number == version.number], plan.in_use, active)
        if version.number in find_reasons(known, plan.rule, in_use, [v.number for v in plan.versions]):
            return
        bentos.remove(folders_of([package for package in plan.packages if package.version == version.number]))
        tracked.delete_registered(plan.model, plan.tracked.versions.get(version.number, ()))
        records.delete_version(plan.model, version.number)


def _other_versions(model: str) -> dict[str, list[Version]]:
    """Lists the versions of every other model, whose runs and artifacts stay."""
    from zenml.client import Client
    from zenml.utils.pagination_utils import depaginate

    names = [found.name for found in depaginate(Client().list_models) if found.name != model]
    return {name: versions.list_versions(name) for name in names}


def _merge(plan: Plan) -> Journal:
    """Returns the journal of a plan, with what an unfinished deletion has left."""
    before = plan.unfinished
    return Journal(
        versions=tuple({*before.versions, *(f"{plan.model}:{version.number}" for version in plan.versions)}),
        runs=tuple({*before.runs, *(run.name for run in plan.runs)}),
        artifacts=tuple({*before.artifacts, *(str(artifact.id) for artifact in plan.artifacts)}),
        mlflow_runs=tuple({*before.mlflow_runs, *plan.tracked.runs}),
        mlflow_models=tuple({*before.mlflow_models, *plan.tracked.models}),
    )


def _store() -> BaseArtifactStore:
    from zenml.client import Client

    return open_store(Client().active_stack.artifact_store.id)
