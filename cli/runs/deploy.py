"""Runs the deploy pipeline."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.markup import escape

from cli.runs.outcome import check_facts, load_output, step_durations
from cli.runs.start import run_name, start_pipeline
from cli.tables import checks_table
from pipelines.deploy import deploy
from pipelines.settings import DeploySettings
from registry import versions
from registry.approval import require_approved
from registry.lineage import artifact_names
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
        bento: The Bento to deploy.
        deployment: The live deployment after the run.
        reports: Reports on the new service; none if there was nothing to do.
        seconds: Wall time of every step.
    """

    run: str
    bento: Bento
    deployment: Deployment
    reports: tuple[CheckReport, ...]
    seconds: dict[str, float]

    @property
    def deployed(self) -> bool:
        """Whether this run changed the live deployment."""
        return self.deployment.run == self.run

    @property
    def reason(self) -> str:
        """Why it did or did not."""
        if self.deployed:
            return "every check passed"
        if self.deployment.bento.tag == self.bento.tag:
            return f"nothing to do: version {self.bento.version} is live and healthy"
        return f"a shadow only compares: version {self.deployment.bento.version} is still live"

    def as_json(self) -> dict[str, Any]:
        """Returns the summary for ``--json``."""
        return {
            "run": self.run,
            "model_version": self.bento.version,
            "bento": self.bento.tag,
            "deployed": self.deployed,
            "reason": self.reason,
            "http": self.deployment.http,
            "grpc": self.deployment.grpc,
            "checks": {report.suite: check_facts(report) for report in self.reports},
            "durations": self.seconds,
        }


class RefusedError(UserError):
    """A new service did not start, failed its tests, or failed as a canary; the live deployment did not change.

    Attributes:
        run: Name of the ZenML run.
    """

    def __init__(self, error: UserError, run: str) -> None:
        super().__init__(error.what, where=error.where, remedy=error.remedy)
        self.run = run


def run_deploy(settings: DeploySettings, console: Console) -> DeploySummary:
    """Deploys a version on the active stack, and prints the outcome.

    Args:
        settings: The settings of the pipeline.
        console: Where progress and results are drawn.

    Raises:
        RefusedError: If the new service did not start or failed its tests; the live deployment did not change.
        UserError: If there is no version to deploy, or the stack has no deployer.
    """
    deployer = model_deployer()  # raises before anything is built
    deployer.preflight(settings.rollout.mode)
    version = versions.choose_version(settings.model, settings.version)
    if settings.require_approval:
        require_approved(settings.model, version)
    for artifact in artifact_names(version.kind):
        versions.require_stored(settings.model, version.number, artifact)
    name = run_name("deploy")
    try:
        start_pipeline(deploy, settings, version.number, version.kind, console=console, name=name)
    except UserError as error:
        reports = _read_reports(name)
        if reports:
            console.print(checks_table(reports))
        if all(report.passed for report in reports) and not isinstance(error, NotStartedError):
            raise
        raise RefusedError(error, name) from error
    outcome = _read(name)
    _show(outcome, console, needs_token=deployer.needs_token)
    versions.record_live(outcome.deployment.bento.model, outcome.deployment.bento.version)
    return outcome


def _read_reports(run: str) -> list[CheckReport]:
    """Reads the reports of a run, even of a failed one."""
    from zenml.client import Client

    runs = Client().list_pipeline_runs(name=run, size=1).items
    steps = runs[0].steps if runs else {}
    outputs = steps["roll_out"].outputs if "roll_out" in steps else {}
    return [artifact.load() for name in REPORTS for artifact in outputs.get(name, ())]


def _read(run: str) -> DeploySummary:
    from zenml.client import Client

    steps = Client().get_pipeline_run(run).steps
    return DeploySummary(
        run=run,
        bento=load_output(steps, "build", "bento"),
        deployment=load_output(steps, "roll_out", "deployment"),
        reports=tuple(_read_reports(run)),
        seconds=step_durations(steps),
    )


def _show(outcome: DeploySummary, console: Console, *, needs_token: bool) -> None:
    deployment, live = outcome.deployment, outcome.deployment.bento
    if outcome.reports:
        console.print(checks_table(outcome.reports))
    verdict = "[bold green]deployed" if outcome.deployed else "[bold yellow]not deployed"
    model = escape(outcome.bento.model)
    console.print(f"\n{verdict}[/]: version {outcome.bento.version} of {model} - {outcome.reason}")
    grpc = f" and gRPC {deployment.grpc}" if deployment.grpc else ""
    address = escape(f"{deployment.http}{grpc}")  # an IPv6 address has brackets
    console.print(f"\nLive:    version {live.version}, {address}, since {deployment.since}")
    for name, value in deployment.facts.items():
        console.print(f"         {name}: {escape(value)}", highlight=False)
    if not deployment.front:
        console.print("         without nginx as front: the next switch interrupts the service for seconds")
    console.print(f"Try it:  {escape(_example(deployment, needs_token))}", soft_wrap=True, highlight=False)
    console.print("         python run.py status | rollback | stop\n")


def _example(deployment: Deployment, needs_token: bool) -> str:
    """Returns a command that asks the live service."""
    body = '{"texts": ["A quiet film that stays with you."]}'
    if endpoint := deployment.facts.get("endpoint"):  # a signed request
        types = "--content-type application/json --cli-binary-format raw-in-base64-out"
        address = f"--region {deployment.facts['region']} --endpoint-name {endpoint}"
        return f"aws sagemaker-runtime invoke-endpoint {address} {types} --body '{body}' /dev/stdout"
    token = ' -H "Authorization: Bearer $TOKEN"' if needs_token else ""
    return f"curl {deployment.http}/v1/predict{token} -d '{body}'"
