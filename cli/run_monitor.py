"""Runs the monitor pipeline under the eyes of a person, and tells somebody what it found."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from rich.console import Console
from rich.markup import escape
from zenml.client import Client

from cli import summary
from cli.caching import only_what_is_stored
from cli.live import StageView
from cli.on_stack import stack_options
from pipelines.monitor import monitor
from registry import alerts, ledger, versions
from registry.version_labels import needed
from registry.versions import Version
from sentiment.checks import CheckReport
from sentiment.errors import UserError
from sentiment.monitoring import checks
from sentiment.monitoring.settings import Action, Finding, MonitorSettings
from sentiment.monitoring.window import Window
from serving.active import find_deployer, live_service

FOLLOWS = {
    "nothing": "nothing is to be done about it",
    "alert": "somebody should look",
    "retrain": "a retraining is due: python run.py --pipeline continuous",
}


@dataclass(frozen=True)
class MonitorSummary:
    """The outcome of a monitor run.

    Attributes:
        run: Name of the ZenML run.
        version: Number of the version that was looked at.
        window: What it answered.
        report: On the window.
        actions: By finding, what the settings ask for.
        action: The strongest of them.
        feedback: Reviews with labels that came back, whenever, and may be trained on.
        feedback_artifact: Identifier of the artifact that holds them.
        feedback_checks: Whether these labels can be trusted.
        told: Whether somebody was told by this run; nobody is told the same thing twice on a day.
        warnings: What went wrong while telling.
        seconds: Wall time of every step.
    """

    run: str
    version: str
    window: Window
    report: CheckReport
    actions: dict[Finding, Action]
    action: Action
    feedback: int
    feedback_artifact: UUID
    feedback_checks: CheckReport
    told: bool
    warnings: tuple[str, ...]
    seconds: dict[str, float]

    def as_json(self) -> dict[str, Any]:
        """For ``--json``."""
        return {
            "run": self.run,
            "model_version": self.version,
            "predictions": self.window.facts.seen,
            "window": self.window.facts.model_dump(mode="json"),
            "findings": list(self.actions),
            "actions": dict(self.actions),
            "action": self.action,
            "report": self.report.model_dump(mode="json"),
            "feedback": {"reviews": self.feedback, "report": self.feedback_checks.model_dump(mode="json")},
            "told": self.told,
            "warnings": list(self.warnings),
            "durations": self.seconds,
        }


def run_monitor(settings: MonitorSettings, console: Console, *, cache: bool) -> MonitorSummary:
    """Looks at the live version on the active stack, prints what was found, and tells whoever must know.

    Args:
        settings: Everything a user may change.
        console: Where progress and results are drawn.
        cache: Whether the version's reference may be served from cache.

    Raises:
        UserError: If there is nothing to look at.
    """
    version, log = _watched(settings)
    for artifact in needed(version.kind)[1:]:
        versions.require_stored(settings.model, version.number, artifact)
    end, born = time.time(), datetime.fromisoformat(version.registered).timestamp()
    name = f"monitor-{datetime.now(UTC):%Y-%m-%d-%H-%M-%S-%f}"
    configured = monitor.with_options(run_name=name, enable_cache=None if cache else False, **stack_options())
    with only_what_is_stored(console), StageView(console, name).watching():
        configured(settings, version.number, version.kind, log, end, born)
    outcome = _read(name, settings, version.number)
    _show(outcome, console)
    return outcome


def _watched(settings: MonitorSettings) -> tuple[Version, str]:
    """The version that is live, and its log; where nothing is live here, the one in production, and the log named."""
    deployer = find_deployer()
    live = deployer.live() if deployer else None
    if deployer and live and live.bento.model == settings.model:
        own = live_service(deployer, live).prediction_log.resolve()
        return versions.version(settings.model, live.bento.version), _named(settings) or str(own)
    production = versions.production(settings.model)
    log = _named(settings)
    if production is None or log is None:
        raise UserError(
            "no version is live here" if production else "no version is in production",
            where=f"model {settings.model}",
            remedy="make deploy, or name the log of a service elsewhere: window.log." if production else "make train.",
        )
    return production, log


def _named(settings: MonitorSettings) -> str | None:
    """The log that the settings name; a misspelt one would look like a service that nobody asks anything."""
    log = settings.window.log
    if log is None or "://" in log:
        return log
    folder = Path(log).expanduser()
    if not folder.is_dir():
        raise UserError("no such folder", where=f"window.log {log}", remedy="Name the folder of a prediction log.")
    return str(folder)


def _read(name: str, settings: MonitorSettings, number: str) -> MonitorSummary:
    """Collects the outcome of a finished run; the version leads to its reference from now on."""
    steps = Client().get_pipeline_run(name).steps
    outputs = {key: step.regular_outputs for key, step in steps.items()}
    versions.link(settings.model, number, [outputs["build_reference"]["reference"]])
    report: CheckReport = outputs["check_window"]["monitoring_checks"].load()
    window: Window = outputs["read_window"]["window"].load()
    found, action = checks.actions(report, settings), checks.decided(report, settings)
    told, warnings = False, list[str]()
    if action != "nothing":
        alarming = [finding for finding in found if found[finding] != "nothing"]
        key, facts = ledger.key(number, alarming, window.facts.end), _facts(window, action, found)
        told, warnings = alerts.tell(
            settings.alert, report.failures(), model=settings.model, number=number, key=key, run=name, facts=facts
        )
    feedback = outputs["guard_feedback"]["feedback"]
    return MonitorSummary(
        run=name,
        version=number,
        window=window,
        report=report,
        actions=found,
        action=action,
        feedback=len(feedback.load()),
        feedback_artifact=feedback.id,
        feedback_checks=outputs["guard_feedback"]["feedback_checks"].load(),
        told=told,
        warnings=tuple(warnings),
        seconds=summary.durations(steps),
    )


def _facts(window: Window, action: Action, found: dict[Finding, Action]) -> dict[str, Any]:
    start, end = (datetime.fromtimestamp(t, UTC) for t in (window.facts.start, window.facts.end))
    return {
        "findings": dict(found),
        "action": action,
        "window": {
            "start": start.isoformat(timespec="seconds"),
            "end": end.isoformat(timespec="seconds"),
            "predictions": window.facts.seen,
        },
    }


def _show(outcome: MonitorSummary, console: Console) -> None:
    learning = outcome.action == "retrain" and len(outcome.window.taught)  # else the guard matters to nobody
    console.print(summary.checks_table([outcome.report, *([outcome.feedback_checks] if learning else [])]))
    predictions = f"{outcome.window.facts.seen:,} predictions of version {outcome.version}"
    if not outcome.actions:
        console.print(f"\n[bold green]nothing is wrong[/] with {predictions}")
    else:
        console.print(f"\n[bold yellow]found[/] in {predictions}:")
        for finding, action in outcome.actions.items():
            console.print(f"  {finding:20} {action}")
        silent = outcome.action == "nothing" or outcome.told or outcome.warnings
        console.print(f"So {FOLLOWS[outcome.action]}" + ("." if silent else "; this was told before."))
    for words in outcome.warnings:
        console.print(f"[yellow]warning[/]: {escape(words)}", highlight=False)
    console.print("\nLook at it:  make mlflow   the run named " + outcome.run + ": monitoring.html, evidently.html\n")
