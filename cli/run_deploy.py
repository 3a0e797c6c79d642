"""Runs the deploy pipeline under the eyes of a person."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from rich.console import Console
from rich.markup import escape
from zenml.client import Client

from cli import summary
from cli.live import StageView
from cli.on_stack import stack_options
from pipelines.deploy import deploy
from pipelines.settings import DeploySettings
from registry import versions
from registry.version_labels import needed
from registry.versions import Version
from sentiment.checks import CheckReport
from sentiment.deployment import Bento, Deployment
from sentiment.errors import UserError
from serving.active import model_deployer
from serving.service import NotStartedError

REPORTS = ("smoke_checks", "canary_checks", "shadow_checks")


@dataclass(frozen=True)
class DeploySummary:
    """The outcome of a deploy run.

    Attributes:
        run: Name of the ZenML run.
        bento: What was to be deployed.
        deployment: What is live now.
        reports: On the new service; none if there was nothing to do.
        seconds: Wall time of every step.
    """

    run: str
    bento: Bento
    deployment: Deployment
    reports: tuple[CheckReport, ...]
    seconds: dict[str, float]

    @property
    def deployed(self) -> bool:
        """Whether this run changed what is live."""
        return self.deployment.run == self.run

    @property
    def reason(self) -> str:
        """Why it did, or did not."""
        if self.deployed:
            return "every check passed"
        if self.deployment.bento.tag == self.bento.tag:
            return f"nothing to do: version {self.bento.version} is live and healthy"
        return f"a shadow only compares: version {self.deployment.bento.version} is still live"

    def as_json(self) -> dict[str, Any]:
        """For ``--json``."""
        return {
            "run": self.run,
            "model_version": self.bento.version,
            "bento": self.bento.tag,
            "deployed": self.deployed,
            "reason": self.reason,
            "http": self.deployment.http,
            "grpc": self.deployment.grpc,
            "checks": {
                report.suite: {c.name: c.model_dump(include={"passed", "observed", "limit"}) for c in report.checks}
                for report in self.reports
            },
            "durations": self.seconds,
        }


class RefusedError(UserError):
    """A new service did not start, or not pass its tests, or failed as a canary: what was live still is.

    Attributes:
        run: Name of the ZenML run.
    """

    def __init__(self, error: UserError, run: str) -> None:
        super().__init__(error.what, where=error.where, remedy=error.remedy)
        self.run = run


def run_deploy(settings: DeploySettings, console: Console) -> DeploySummary:
    """Deploys a version on the active stack, and prints what came of it.

    Args:
        settings: Everything a user may change.
        console: Where progress and results are drawn.

    Raises:
        RefusedError: If the new service did not start or not pass: what was live still is.
        UserError: If there is nothing to deploy or nothing to deploy with.
    """
    guarded = model_deployer().config.tokens_file is not None  # asked for before anything is built
    version = _chosen(settings)
    for artifact in needed(version.kind):
        versions.require_stored(settings.model, version.number, artifact)
    name = f"deploy-{datetime.now(UTC):%Y-%m-%d-%H-%M-%S-%f}"
    try:
        with StageView(console, name).watching():
            deploy.with_options(run_name=name, **stack_options())(settings, version.number, version.kind)
    except UserError as error:
        reports = _reports(name)
        if reports:
            console.print(summary.checks_table(reports))
        if all(report.passed for report in reports) and not isinstance(error, NotStartedError):
            raise
        raise RefusedError(error, name) from error
    outcome = _read(name)
    _show(outcome, console, guarded=guarded)
    return outcome


def _chosen(settings: DeploySettings) -> Version:
    if settings.version is not None:
        return versions.version(settings.model, settings.version)
    found = versions.production(settings.model)
    if found is None:
        raise UserError("no version is in production", where=f"model {settings.model}", remedy="Run make train first.")
    return found


def _reports(run: str) -> list[CheckReport]:
    """Reports of the run, also of one that failed."""
    runs = Client().list_pipeline_runs(name=run, size=1).items
    steps = runs[0].steps if runs else {}
    outputs = steps["roll_out"].outputs if "roll_out" in steps else {}
    return [artifact.load() for name in REPORTS for artifact in outputs.get(name, ())]


def _read(run: str) -> DeploySummary:
    steps = Client().get_pipeline_run(run).steps
    return DeploySummary(
        run=run,
        bento=steps["build"].regular_outputs["bento"].load(),
        deployment=steps["roll_out"].regular_outputs["deployment"].load(),
        reports=tuple(_reports(run)),
        seconds=summary.durations(steps),
    )


def _show(outcome: DeploySummary, console: Console, *, guarded: bool) -> None:
    deployment, live = outcome.deployment, outcome.deployment.bento
    if outcome.reports:
        console.print(summary.checks_table(list(outcome.reports)))
    verdict = "[bold green]deployed" if outcome.deployed else "[bold yellow]not deployed"
    model = escape(outcome.bento.model)
    console.print(f"\n{verdict}[/]: version {outcome.bento.version} of {model} - {outcome.reason}")
    http, grpc = escape(deployment.http), escape(deployment.grpc)  # an IPv6 address has brackets
    console.print(f"\nLive:    version {live.version}, {http} and gRPC {grpc}, since {deployment.since}")
    if not deployment.front:
        console.print("         no nginx is in front: the next switch will take seconds in which nobody answers")
    console.print(f"Try it:  {escape(_curl(deployment.http, guarded))}", soft_wrap=True, highlight=False)
    console.print("         python run.py status | rollback | stop\n")


def _curl(address: str, guarded: bool) -> str:
    token = ' -H "Authorization: Bearer $TOKEN"' if guarded else ""
    return f'curl {address}/v1/predict{token} -d \'{{"texts": ["A quiet film that stays with you."]}}\''
