"""The monitor pipeline."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from cli.arguments import PipelineArguments, user_path
from cli.grammar import Command, Context, Summary, option


@dataclass(frozen=True)
class Arguments(PipelineArguments):
    """The arguments of ``monitor``."""

    config: Path = option("FILE", "file of settings", default=Path("configs/monitor.yaml"), type=user_path)


def run(arguments: Arguments, context: Context) -> Summary:
    """Runs the monitor pipeline."""
    from sentiment.monitoring.settings import MonitorSettings
    from sentiment.settings import read_settings

    settings = read_settings(MonitorSettings, arguments.config, arguments.overrides)
    with context.session(check=True):
        from cli.runs.monitor import run_monitor

        return run_monitor(settings, context.console, cache=not arguments.no_cache).as_json()


COMMAND = Command(
    "monitor",
    "check the recent predictions of the live version for drift and errors",
    run,
    Arguments,
    is_pipeline=True,
)
