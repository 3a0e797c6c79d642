"""Rolls back to an earlier version."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cli.arguments import ModelArguments, SettingsArguments
from cli.grammar import Command, Context, Summary, flag, option
from sentiment.errors import UserError

if TYPE_CHECKING:
    from sentiment.deployment import Version


@dataclass(frozen=True)
class Arguments(ModelArguments, SettingsArguments):
    """The arguments of ``rollback``; its settings are those of ``deploy``."""

    to: str | None = option("N", "number of the version (default: the one that was in production before)")
    by: str | None = option("NAME", "who approves it; needed only if it was never in production")
    reason: str | None = option("TEXT", "why, on one line; needed with --by")
    dry_run: bool = flag("show the change without making it")


def run(arguments: Arguments, context: Context) -> Summary:
    """Restores an earlier version: deploys it first, with every test of a deployment, and then promotes it."""
    from sentiment.promotion.approval import read_approval

    approval = read_approval(arguments.by, arguments.reason)
    with context.session():
        from cli.production import change_production, find_live
        from registry import versions
        from registry.approval import require_approval

        console, model = context.console, arguments.model
        number = arguments.to or find_previous(versions.list_versions(model), model)
        deployment = None
        if live := find_live(model):
            if arguments.dry_run:
                console.print(f"live: version {live.bento.version} -> {number}")
            else:
                require_approval(model, versions.get_version(model, number), approval)
                deployment = _deploy(arguments, number, context)
        summary = change_production(model, number, console, dry_run=arguments.dry_run, back=True, approval=approval)
        if deployment is None:
            return summary
        return {**summary, "changed": summary["changed"] or deployment["deployed"], "deployment": deployment}


def _deploy(arguments: Arguments, number: str, context: Context) -> Summary:
    from cli.runs.deploy import run_deploy
    from pipelines.settings import DeploySettings
    from sentiment.settings import read_settings

    chosen = [f"model={arguments.model}", f"version={number}", "rollout.mode=switch", "require_approval=false"]
    settings = read_settings(DeploySettings, arguments.config, [*arguments.overrides, *chosen])
    return run_deploy(settings, context.console).as_json()


def find_previous(known: list[Version], model: str) -> str:
    """Returns the number of the version that was in production before the current one.

    Raises:
        UserError: If no such version is recorded and none can be derived from the stages.
    """
    from registry.retention import rules

    number = rules.find_previous(known)
    if not number:
        raise UserError(
            "no version was in production before", where=f"model {model}", remedy="Name one: rollback --to N."
        )
    return number


COMMAND = Command(
    "rollback",
    "restore an earlier version: make it live, if a service is, and put it into production",
    run,
    Arguments,
    after_interrupt="python run.py status shows the live version",
    details="examples:\n  run.py rollback\n  run.py rollback --to 2 --dry-run",
)
