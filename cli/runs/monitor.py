"""Runs the monitor pipeline, and sends an alert about its findings."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

from rich.console import Console
from rich.markup import escape

from cli.runs.outcome import load_output, step_durations
from cli.runs.start import start_pipeline
from cli.tables import checks_table
from pipelines.monitor import monitor
from registry import alerts, ledger, versions
from registry.lineage import artifact_names
from sentiment.checks import CheckReport
from sentiment.deployment import Version
from sentiment.errors import UserError
from sentiment.monitoring import checks
from sentiment.monitoring.confirmation import Windows
from sentiment.monitoring.settings import Action, Finding, MonitorSettings
from sentiment.monitoring.window import Window
from serving.active import find_deployer

if TYPE_CHECKING:
    from zenml.models import PipelineRunResponse

REMEDIES = {
    "nothing": "no action is due",
    "alert": "please inspect it",
    "retrain": "a retraining is due: python run.py --pipeline continuous",
}


@dataclass(frozen=True)
class MonitorSummary:
    """The outcome of a monitor run.

    Attributes:
        run: Name of the ZenML run.
        version: Number of the monitored version.
        window: Its recent predictions.
        report: Checks on the window.
        actions: The action that the settings ask for, by finding.
        action: The strongest of these actions.
        windows: In how many of the latest windows each finding was.
        feedback: Reviews labelled by users that a training may use, of any age.
        feedback_artifact: Identifier of the artifact that holds them.
        feedback_checks: Checks on whether these labels can be trusted.
        alerted: Whether this run sent an alert; the same alert is sent at most once a day.
        warnings: Problems while sending the alert.
        seconds: Wall time of every step.
    """

    run: str
    version: str
    window: Window
    report: CheckReport
    actions: dict[Finding, Action]
    action: Action
    windows: dict[Finding, Windows]
    feedback: int
    feedback_artifact: UUID
    feedback_checks: CheckReport
    alerted: bool
    warnings: tuple[str, ...]
    seconds: dict[str, float]

    def as_json(self) -> dict[str, Any]:
        """Returns the summary for ``--json``."""
        return {
            "run": self.run,
            "model_version": self.version,
            "predictions": self.window.facts.seen,
            "window": self.window.facts.model_dump(mode="json"),
            "findings": list(self.actions),
            "actions": dict(self.actions),
            "action": self.action,
            "windows": {finding: asdict(count) for finding, count in self.windows.items()},
            "report": self.report.model_dump(mode="json"),
            "feedback": {"reviews": self.feedback, "report": self.feedback_checks.model_dump(mode="json")},
            "told": self.alerted,
            "warnings": list(self.warnings),
            "durations": self.seconds,
        }


def run_monitor(settings: MonitorSettings, console: Console, *, cache: bool) -> MonitorSummary:
    """Monitors the live version on the active stack, prints the findings, and sends an alert about them.

    Args:
        settings: The settings of the pipeline.
        console: Where progress and results are drawn.
        cache: Whether the version's reference may be served from cache.

    Raises:
        UserError: If there is no version to monitor, or no prediction log.
    """
    version, log = find_monitored(settings)
    for artifact in artifact_names(version.kind)[1:]:
        versions.require_stored(settings.model, version.number, artifact)
    end, born = time.time(), datetime.fromisoformat(version.registered).timestamp()
    arguments = (settings, version.number, version.kind, log, end, born)
    run = start_pipeline(monitor, *arguments, console=console, cache=cache)
    outcome = _read(run, settings, version.number)
    _show(outcome, settings, console)
    return outcome


def find_monitored(settings: MonitorSettings) -> tuple[Version, str]:
    """Returns the live version and its log; if none is live here, the version in production and the configured log."""
    deployer = find_deployer()
    live = deployer.live() if deployer else None
    if deployer and live and live.bento.model == settings.model:
        log = _configured_log(settings) or deployer.prediction_log(live)
        if log is None:
            raise UserError(
                "keeps no prediction log on this machine", where="live service", remedy="Set window.log to its log."
            )
        return versions.get_version(settings.model, live.bento.version), str(log)
    production = versions.find_production(settings.model)
    log = _configured_log(settings)
    if production is None:
        raise UserError("no version is in production", where=f"model {settings.model}", remedy="Run make train first.")
    if log is None:
        raise UserError(
            "no version is live here",
            where=f"model {settings.model}",
            remedy="Run make deploy, or set window.log to the log of a service elsewhere.",
        )
    return production, log


def _configured_log(settings: MonitorSettings) -> str | None:
    """Returns the log that the settings name; refuses a misspelt folder, which would look like an idle service."""
    log = settings.window.log
    if log is None or "://" in log:
        return log
    folder = Path(log).expanduser()
    if not folder.is_dir():
        raise UserError("no such folder", where=f"window.log {log}", remedy="Name the folder of a prediction log.")
    return str(folder)


def _read(run: PipelineRunResponse, settings: MonitorSettings, number: str) -> MonitorSummary:
    """Reads the outcome of a finished run, links the reference to the version, and records and sends the alert."""
    from zenml import log_metadata

    steps = run.steps
    versions.link_artifacts(settings.model, number, [steps["build_reference"].regular_outputs["reference"]])
    report: CheckReport = load_output(steps, "check_window", "monitoring_checks")
    window: Window = load_output(steps, "read_window", "window")
    checked = steps["check_window"].regular_outputs["monitoring_checks"]
    recorded: Any = checked.run_metadata.get("windows", {})
    windows: dict[Finding, Windows] = {finding: Windows(**count) for finding, count in recorded.items()}
    found, action = checks.actions(report, settings, windows), checks.decided(report, settings, windows)
    words = {str(finding): action for finding, action in checks.explain_actions(report, settings, windows).items()}
    if words:
        log_metadata(metadata={"actions": words}, artifact_version_id=checked.id)  # registry/history.py reads it
    alerted, warnings = False, list[str]()
    if action != "nothing":
        # with its action: a finding that is confirmed later is another alert
        alarming = [f"{finding}, {wanted}" for finding, wanted in found.items() if wanted != "nothing"]
        key = ledger.finding_key(number, alarming, window.facts.end)
        facts = {**_alert_facts(window, action, found), "confirmed_by": {f: asdict(w) for f, w in windows.items()}}
        alerted, warnings = alerts.send_alert(
            settings.alert, report.failures(), model=settings.model, number=number, key=key, run=run.name, facts=facts
        )
    feedback = steps["guard_feedback"].regular_outputs["feedback"]
    return MonitorSummary(
        run=run.name,
        version=number,
        window=window,
        report=report,
        actions=found,
        action=action,
        windows=windows,
        feedback=len(feedback.load()),
        feedback_artifact=feedback.id,
        feedback_checks=load_output(steps, "guard_feedback", "feedback_checks"),
        alerted=alerted,
        warnings=tuple(warnings),
        seconds=step_durations(steps),
    )


def _alert_facts(window: Window, action: Action, found: dict[Finding, Action]) -> dict[str, Any]:
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


def _show(outcome: MonitorSummary, settings: MonitorSettings, console: Console) -> None:
    uses_feedback = outcome.action == "retrain" and len(outcome.window.taught)
    console.print(checks_table([outcome.report, *([outcome.feedback_checks] if uses_feedback else [])]))
    predictions = f"{outcome.window.facts.seen:,} predictions of version {outcome.version}"
    if not outcome.actions:
        console.print(f"\n[bold green]no findings[/] in {predictions}")
    else:
        console.print(f"\n[bold yellow]findings[/] in {predictions}:")
        for finding, action in checks.explain_actions(outcome.report, settings, outcome.windows).items():
            console.print(f"  {finding:20} {action}", highlight=False)
        is_new = outcome.action == "nothing" or outcome.alerted or outcome.warnings
        console.print(f"So {REMEDIES[outcome.action]}" + ("." if is_new else "; an alert was sent before."))
    for warning in outcome.warnings:
        console.print(f"[yellow]warning[/]: {escape(warning)}", highlight=False)
    console.print(f"\nInspect it:  make mlflow   the run {outcome.run}: monitoring.html, evidently.html\n")
