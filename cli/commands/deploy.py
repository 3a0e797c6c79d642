"""The deploy pipeline."""

from __future__ import annotations

from dataclasses import dataclass

from cli.arguments import PipelineArguments
from cli.grammar import Command, Context, Summary, flag, option


@dataclass(frozen=True)
class Arguments(PipelineArguments):
    """The arguments of ``deploy``."""

    canary: str | None = option(
        "SHARE", "send the new version this percentage of the traffic first, and watch it", group="rollout"
    )
    shadow: bool = flag("only compare the new version, on copies of the traffic", group="rollout")


def run(arguments: Arguments, context: Context) -> Summary:
    """Runs the deploy pipeline."""
    from pipelines.settings import DeploySettings
    from sentiment.settings import read_settings

    overrides = list(arguments.overrides)
    if arguments.canary:
        overrides += ["rollout.mode=canary", f"rollout.share={arguments.canary}"]
    if arguments.shadow:
        overrides += ["rollout.mode=shadow"]
    settings = read_settings(DeploySettings, arguments.config, overrides)
    with context.session(check=True):
        from cli.runs.deploy import run_deploy

        return run_deploy(settings, context.console).as_json()


COMMAND = Command(
    "deploy",
    "test the version in production as a service, and make it live over HTTP and gRPC",
    run,
    Arguments,
    is_pipeline=True,
    after_interrupt="python run.py status shows the live version",
    details="examples:\n  run.py --pipeline deploy\n  run.py --pipeline deploy --canary 10",
)
