"""One turn of the closed loop: monitor, and if necessary train and deploy."""

from __future__ import annotations

from cli.commands.monitor import Arguments
from cli.grammar import Command, Context, Summary


def run(arguments: Arguments, context: Context) -> Summary:
    """Runs one turn of the loop."""
    from pipelines.settings import read_continuous_settings

    settings = read_continuous_settings(arguments.config, arguments.overrides)
    with context.session(check=True):
        from cli.runs.continuous import run_continuous

        return run_continuous(settings, context.console, cache=not arguments.no_cache).as_json()


COMMAND = Command(
    "continuous",
    "monitor; if necessary train, try the new version as a canary, and switch (run it every hour)",
    run,
    Arguments,
    is_pipeline=True,
    after_interrupt="the next turn continues from there",
)
