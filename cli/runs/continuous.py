"""The closed loop, to be run every hour: monitor; if necessary train, deploy as a canary, and switch or revert.

The loop runs the same three pipelines as an operator does, one after the other. It is no pipeline itself, not even a
dynamic one: ZenML runs no static pipeline inside a dynamic one, so all three would have to become dynamic, and the
lock, the alarm and the record of finished work would move into the pod that runs the whole. As it is, each stage works
on every orchestrator and from its own cache, and a crash leaves the same state as a crash of that pipeline alone. The
loop keeps no state that could be wrong: the next turn continues from the live version, the version in production, and
the notes on the version in ZenML. The runs of one turn share a tag, by which the dashboard lists them together.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any, Literal

from rich.console import Console
from rich.markup import escape

from cli.production import find_live
from cli.runs.deploy import DeploySummary, RefusedError, run_deploy
from cli.runs.monitor import MonitorSummary, run_monitor
from cli.runs.train import TrainSummary, run_train, show_training
from pipelines.settings import ContinuousSettings
from registry import alerts, ledger, versions
from registry.approval import follow_tags
from registry.champion import set_champion
from registry.locks import try_lock
from sentiment.checks import Check
from sentiment.errors import UserError

RETRAIN, CANARY, APPROVAL = "retrain", "canary", "approval"  # in the ledger
Outcome = Literal["busy", "nothing", "alert", "acted", "kept", "promoted", "switched", "aborted"]


@dataclass(frozen=True)
class ContinuousSummary:
    """The outcome of one turn of the loop.

    Attributes:
        outcome: ``busy``: another loop runs; ``nothing``: no action was due; ``alert``: an alert was sent; ``acted``:
            an earlier turn acted on the same findings; ``kept``: the challenger is not better than the champion;
            ``promoted``: a version was promoted, but no service is live here; ``switched``: a new version is live;
            ``aborted``: the canary failed and the promotion was reverted.
        reason: The reason, for users.
        monitor: The outcome of the monitor pipeline.
        train: The outcome of the train pipeline.
        deploy: The outcome of the deploy pipeline.
    """

    outcome: Outcome
    reason: str
    monitor: MonitorSummary | None = None
    train: TrainSummary | None = None
    deploy: DeploySummary | None = None

    def as_json(self) -> dict[str, Any]:
        """Returns the summary for ``--json``."""
        stages = {"monitor": self.monitor, "train": self.train, "deploy": self.deploy}
        return {
            "outcome": self.outcome,
            "reason": self.reason,
            **{name: stage and stage.as_json() for name, stage in stages.items()},
        }


def run_continuous(settings: ContinuousSettings, console: Console, *, cache: bool) -> ContinuousSummary:
    """Runs one turn of the loop on the active stack; does nothing while another turn for the same model runs.

    Args:
        settings: The settings of all three pipelines.
        console: Where progress and results are drawn.
        cache: Whether unchanged steps may be served from cache.

    Raises:
        UserError: If there is no version to monitor, or a stage failed: the next turn continues from there.
    """
    with try_lock(f"the loop of {settings.monitor.model} is running") as busy_since:
        if busy_since is not None:
            outcome = ContinuousSummary("busy", f"another loop has been running since {busy_since:%H:%M:%S} UTC")
        else:
            outcome = _run_turn(settings, console, cache=cache)
            _tag_runs(outcome)
    console.print(f"\n[bold]{outcome.outcome}[/]: {escape(outcome.reason)}\n", highlight=False)
    return outcome


def _run_turn(settings: ContinuousSettings, console: Console, *, cache: bool) -> ContinuousSummary:
    for line in follow_tags(settings.monitor.model, partial(_refuse_approval, settings, console)):
        console.print(escape(line), highlight=False)
    if find_promoted_but_not_live(settings.monitor.model) is not None:
        console.print("a version was promoted, and is not live yet")
        return go_live(settings, console, ContinuousSummary)
    found = run_monitor(settings.monitor, console, cache=cache)
    if found.action != "retrain":
        if found.action == "alert":
            return ContinuousSummary("alert", f"please inspect {', '.join(found.actions)}", found)
        reason = f"no action is due for {', '.join(found.actions)}" if found.actions else "no findings"
        return ContinuousSummary("nothing", reason, found)
    key = ledger.finding_key(found.version, _retrain_causes(found), found.window.facts.end)
    if run := ledger.find_run(settings.monitor.model, found.version, RETRAIN, key):
        return ContinuousSummary("acted", f"already acted on this window: run {run}", found)
    if not found.feedback:
        console.print("there is no feedback to learn from: only the source may hold new reviews")
    trained = run_train(
        settings.train, console, cache=cache, fresh_feedback=found.feedback_artifact if found.feedback else None
    )
    show_training(trained, console)
    ledger.record_run(settings.monitor.model, found.version, RETRAIN, key, trained.run)
    if versions.get_version(settings.monitor.model, trained.model_version).waiting:
        _send_alert(settings, console, trained.model_version, "waits for an approval", run=trained.run, about=APPROVAL)
    if not trained.decision.promote:
        return ContinuousSummary("kept", f"the champion stays: {trained.decision.reason}", found, trained)
    return go_live(settings, console, partial(ContinuousSummary, monitor=found, train=trained))


def _tag_runs(outcome: ContinuousSummary) -> None:
    """Tags the runs of a turn that did more than monitor; most turns only monitor and need no tag."""
    from zenml import add_tags

    if outcome.train or outcome.deploy:
        turn = f"turn-{datetime.now(UTC):%Y-%m-%d-%H-%M-%S}"
        for stage in (outcome.monitor, outcome.train, outcome.deploy):
            if stage:
                add_tags(tags=[turn], run=stage.run)


def _retrain_causes(found: MonitorSummary) -> list[str]:
    """Returns the findings that ask for a retraining, marked if there is no feedback: labels may come later."""
    causes: list[str] = [finding for finding, action in found.actions.items() if action == "retrain"]
    return causes if found.feedback else [*causes, "unlabelled"]


def find_promoted_but_not_live(model: str) -> str | None:
    """Returns the version in production if it is not live; None if the live one was deployed after its promotion."""
    live, production = find_live(model), versions.find_production(model)
    if live is None or production is None or production.number == live.bento.version:
        return None
    return None if versions.deployed_after_promotion(live, production) else production.number


def go_live(
    settings: ContinuousSettings, console: Console, summary: Callable[..., ContinuousSummary]
) -> ContinuousSummary:
    """Deploys the version in production, as a canary first; reverts its promotion if that fails."""
    model = settings.monitor.model
    live, number = find_live(model), find_promoted_but_not_live(model)
    if live is None or number is None:
        return summary("promoted", "no service is live here: run python run.py --pipeline deploy")
    deploy = settings.deploy.model_copy(update={"model": model, "version": number})
    if not live.front and deploy.rollout.mode == "canary":
        console.print("a canary needs nginx as front to split the traffic: switching without a canary")
        deploy = deploy.model_copy(update={"rollout": deploy.rollout.model_copy(update={"mode": "switch"})})
    try:
        deployed = run_deploy(deploy, console)
    except RefusedError as refused:
        return summary("aborted", revert_promotion(settings, console, number, live.bento.version, refused))
    except UserError as error:  # the version is not the cause: the next turn tries it again
        _send_alert(settings, console, number, error.what, run="")
        raise
    if not deployed.deployed:
        return summary("promoted", deployed.reason, deploy=deployed)
    return summary("switched", f"version {live.bento.version} -> {number}", deploy=deployed)


def revert_promotion(
    settings: ContinuousSettings, console: Console, number: str, former: str, refused: RefusedError
) -> str:
    """Restores the live version to production, records why the challenger was rejected, and sends an alert."""
    model = settings.monitor.model
    reason = f"did not go live: {refused.what}"
    production = versions.find_production(model)
    if production and production.number == number:  # otherwise an operator has changed it meanwhile
        set_champion(model, former, back=True)
        versions.record_decision(model, number, promoted=False, reason=reason)
    _send_alert(settings, console, number, refused.what, run=refused.run)
    return f"version {number} {reason}; version {former} is live and in production, as before"


def _refuse_approval(settings: ContinuousSettings, console: Console, number: str, problem: str) -> None:
    """Sends an alert that an approval in MLflow's tags was refused."""
    console.print(f"[yellow]warning[/]: the approval of version {number} was refused: it {problem}", highlight=False)
    _send_alert(settings, console, number, problem, run="", about=APPROVAL)


def _send_alert(
    settings: ContinuousSettings, console: Console, number: str, problem: str, *, run: str, about: str = CANARY
) -> None:
    """Sends an alert, at most once a day for the same problem, that a version did not go live."""
    limit = "every check passes" if about == CANARY else "an approval after the evaluation against the current champion"
    _, warnings = alerts.send_alert(
        settings.monitor.alert,
        [Check(name=about, passed=False, observed=problem, limit=limit)],
        model=settings.monitor.model,
        number=number,
        key=ledger.finding_key(number, [CANARY] if about == CANARY else [about, problem], time.time()),
        run=run,
        facts={"action": "alert"},
    )
    for warning in warnings:
        console.print(f"[yellow]warning[/]: {escape(warning)}", highlight=False)
