"""The closed loop, to be run every hour: monitor, and if need be train, deploy as a canary, and switch or take back.

It runs the three pipelines that a person runs, one after the other, and is no pipeline itself, not even a dynamic one.
ZenML runs no static pipeline inside a dynamic one: all three would have to become dynamic, their stages known only as
they start, and the lock, the alarm and the record of what was done would move into whichever pod runs the whole. This
way each stage is proven by itself, runs on every orchestrator, comes from its own cache, and where it dies it leaves
what it would leave if a person had started it. So the loop keeps no state of its own that could be wrong: where to go
on is read off what is live, what is in production, and what is written on the version about what was done already. The
runs of one turn carry one tag, by which the dashboard shows them together.
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

from cli.run_deploy import DeploySummary, RefusedError, run_deploy
from cli.run_monitor import MonitorSummary, run_monitor
from cli.run_train import run_train
from cli.summary import TrainSummary
from cli.summary import show as show_training
from pipelines.settings import ContinuousSettings
from registry import alerts, ledger, versions
from registry.champion import set_champion
from registry.locks import only_one
from sentiment.checks import Check
from sentiment.deployment import Deployment
from sentiment.errors import UserError
from serving.active import find_deployer

RETRAIN, CANARY = "retrain", "canary"  # in the ledger
Outcome = Literal["busy", "nothing", "alert", "acted", "kept", "promoted", "switched", "aborted"]


@dataclass(frozen=True)
class ContinuousSummary:
    """The outcome of one turn of the loop.

    Attributes:
        outcome: ``busy``: another loop runs; ``nothing`` is wrong; ``alert``: somebody was told; ``acted`` before on
            the same findings; ``kept`` the champion, as the challenger is not better; ``promoted``, but nothing is
            live here; ``switched`` to a new version; ``aborted``: its canary failed, all is as it was.
        reason: Why, for a person.
        monitor: What was found.
        train: What came of the training.
        deploy: What came of the deployment.
    """

    outcome: Outcome
    reason: str
    monitor: MonitorSummary | None = None
    train: TrainSummary | None = None
    deploy: DeploySummary | None = None

    def as_json(self) -> dict[str, Any]:
        """For ``--json``."""
        stages = {"monitor": self.monitor, "train": self.train, "deploy": self.deploy}
        return {
            "outcome": self.outcome,
            "reason": self.reason,
            **{name: stage and stage.as_json() for name, stage in stages.items()},
        }


def run_continuous(settings: ContinuousSettings, console: Console, *, cache: bool) -> ContinuousSummary:
    """One turn of the loop on the active stack; nothing happens while nothing is wrong, or while another one runs.

    Args:
        settings: Everything a user may change, of all three pipelines.
        console: Where progress and results are drawn.
        cache: Whether unchanged steps may be served from cache.

    Raises:
        UserError: If there is nothing to look at, or a stage failed: the next turn goes on from there.
    """
    with only_one(f"the loop of {settings.monitor.model} is running") as busy_since:
        if busy_since is not None:
            outcome = ContinuousSummary("busy", f"another loop runs, since {busy_since:%H:%M:%S} UTC")
        else:
            outcome = _turn(settings, console, cache=cache)
            _tag(outcome)
    console.print(f"\n[bold]{outcome.outcome}[/]: {escape(outcome.reason)}\n", highlight=False)
    return outcome


def _turn(settings: ContinuousSettings, console: Console, *, cache: bool) -> ContinuousSummary:
    if _waiting(settings.monitor.model) is not None:
        console.print("a version was promoted, and is not live yet")
        return _deployed(settings, console, ContinuousSummary)
    found = run_monitor(settings.monitor, console, cache=cache)
    if found.action != "retrain":
        if found.action == "alert":
            return ContinuousSummary("alert", f"somebody should look at {', '.join(found.actions)}", found)
        mild = f"nothing is to be done about {', '.join(found.actions)}" if found.actions else "nothing is wrong"
        return ContinuousSummary("nothing", mild, found)
    key = ledger.key(found.version, _causes(found), found.window.facts.end)
    if run := ledger.done(settings.monitor.model, found.version, RETRAIN, key):
        return ContinuousSummary("acted", f"already acted on this window: run {run}", found)
    if not found.feedback:
        console.print("no feedback to learn from: only the source may hold something new")
    trained = run_train(
        settings.train, console, cache=cache, fresh_feedback=found.feedback_artifact if found.feedback else None
    )
    show_training(trained, console)
    ledger.note(settings.monitor.model, found.version, RETRAIN, key, trained.run)
    if not trained.decision.promote:
        return ContinuousSummary("kept", f"the champion stays: {trained.decision.reason}", found, trained)
    return _deployed(settings, console, partial(ContinuousSummary, monitor=found, train=trained))


def _tag(outcome: ContinuousSummary) -> None:
    """A look that nothing followed from stays without: most are of that kind."""
    from zenml import add_tags

    if outcome.train or outcome.deploy:
        turn = f"turn-{datetime.now(UTC):%Y-%m-%d-%H-%M-%S}"
        for stage in (outcome.monitor, outcome.train, outcome.deploy):
            if stage:
                add_tags(tags=[turn], run=stage.run)


def _causes(found: MonitorSummary) -> list[str]:
    """Why to retrain; without any feedback that is another cause, as labels that come later make a difference."""
    causes: list[str] = [finding for finding, action in found.actions.items() if action == "retrain"]
    return causes if found.feedback else [*causes, "unlabelled"]


def _live(model: str) -> Deployment | None:
    deployer = find_deployer()
    live = deployer.live() if deployer else None
    return live if live and live.bento.model == model else None


def _waiting(model: str) -> str | None:
    """The version in production, if it is not live here yet; what was deployed after its promotion is to stay."""
    live, production = _live(model), versions.production(model)
    if live is None or production is None or production.number == live.bento.version:
        return None
    return None if versions.chosen_later(live, production) else production.number


def _deployed(
    settings: ContinuousSettings, console: Console, summary: Callable[..., ContinuousSummary]
) -> ContinuousSummary:
    """Makes the version in production the live one, as a canary first; takes the promotion back if that fails."""
    model = settings.monitor.model
    live, number = _live(model), _waiting(model)
    if live is None or number is None:
        return summary("promoted", "nothing is live here: python run.py --pipeline deploy makes it so")
    deploy = settings.deploy.model_copy(update={"model": model, "version": number})
    if not live.front and deploy.rollout.mode == "canary":
        console.print("no nginx is in front to share out the traffic: switching without a canary")
        deploy = deploy.model_copy(update={"rollout": deploy.rollout.model_copy(update={"mode": "switch"})})
    try:
        deployed = run_deploy(deploy, console)
    except RefusedError as refused:
        return summary("aborted", _taken_back(settings, console, number, live.bento.version, refused))
    except UserError as error:  # not the version's fault: the next turn tries it again
        _tell(settings, console, number, error.what, run="")
        raise
    if not deployed.deployed:
        return summary("promoted", deployed.reason, deploy=deployed)
    return summary("switched", f"version {live.bento.version} -> {number}", deploy=deployed)


def _taken_back(settings: ContinuousSettings, console: Console, number: str, former: str, refused: RefusedError) -> str:
    """The version that is live is in production again; somebody is told, and the reason is written on the other one."""
    model = settings.monitor.model
    reason = f"did not go live: {refused.what}"
    production = versions.production(model)
    if production and production.number == number:  # else a person has decided meanwhile
        set_champion(model, former, back=True)
        versions.record_decision(model, number, promoted=False, reason=reason)
    _tell(settings, console, number, refused.what, run=refused.run)
    return f"version {number} {reason}; version {former} is live and in production, as before"


def _tell(settings: ContinuousSettings, console: Console, number: str, what: str, *, run: str) -> None:
    """Somebody is told that a version did not go live; once a day."""
    _, problems = alerts.tell(
        settings.monitor.alert,
        [Check(name=CANARY, passed=False, observed=what, limit="every check passes")],
        model=settings.monitor.model,
        number=number,
        key=ledger.key(number, [CANARY], time.time()),
        run=run,
        facts={"action": "alert"},
    )
    for words in problems:
        console.print(f"[yellow]warning[/]: {escape(words)}", highlight=False)
