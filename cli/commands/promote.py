"""Promotes a version to production."""

from __future__ import annotations

from dataclasses import dataclass

from cli.arguments import ModelArguments
from cli.grammar import Command, Context, Summary, flag, option


@dataclass(frozen=True)
class Arguments(ModelArguments):
    """The arguments of ``promote``."""

    version: str = option("N", "number of the version", required=True)
    by: str | None = option("NAME", "who approves it; needed the first time that it goes into production")
    reason: str | None = option("TEXT", "why, on one line; needed with --by")
    dry_run: bool = flag("show the change without making it")


def run(arguments: Arguments, context: Context) -> Summary:
    """Puts a version into production; the live version stays live until the next deployment."""
    from sentiment.promotion.approval import read_approval

    approval = read_approval(arguments.by, arguments.reason)
    with context.session():
        from cli.production import change_production, find_live

        summary = change_production(
            arguments.model,
            arguments.version,
            context.console,
            dry_run=arguments.dry_run,
            back=False,
            approval=approval,
        )
        live = find_live(arguments.model)
        if live and live.bento.version != arguments.version:
            context.console.print(f"version {live.bento.version} is still live: make deploy")
        return summary


COMMAND = Command(
    "promote",
    "put a version into production; make deploy then makes it live",
    run,
    Arguments,
    details='example:\n  run.py promote --version 3 --by Ann --reason "better on short texts"',
)
