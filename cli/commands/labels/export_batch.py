"""Exports live texts for annotation."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

from cli.arguments import SettingsArguments, positive_number, user_path
from cli.grammar import Command, Context, Summary, flag, option, positional


def format_name(text: str) -> str:
    """Returns the name of an annotation tool; refuses another one."""
    from sentiment.annotation.files import FORMATS

    if text not in FORMATS:
        raise argparse.ArgumentTypeError(f"must be {' or '.join(FORMATS)} (it is {text!r})")
    return text


@dataclass(frozen=True)
class Arguments(SettingsArguments):
    """The arguments of ``labels export``; its settings are those of ``monitor``."""

    output: Path = positional("OUT", "file to write: .jsonl (one text a line) or .json (one array)", type=user_path)
    config: Path = option("FILE", "file of settings", default=Path("configs/monitor.yaml"), type=user_path)
    format: str = option("TOOL", "label-studio or argilla", default="label-studio", type=format_name)
    count: int = option("N", "number of texts", default=200, type=positive_number)
    hours: str | None = option("HOURS", "length of the window (default: window.hours of the settings)")
    suggest: bool = flag("show annotators the model's answer: faster, but they tend to agree with it (anchoring bias)")
    again: bool = flag("include texts of earlier batches")


def run(arguments: Arguments, context: Context) -> Summary:
    """Writes the batch, and the settings of its annotation project beside it."""
    from sentiment.annotation.files import require_new
    from sentiment.monitoring.settings import MonitorSettings
    from sentiment.settings import read_settings

    hours = () if arguments.hours is None else (f"window.hours={arguments.hours}",)
    settings = read_settings(MonitorSettings, arguments.config, (*arguments.overrides, *hours))
    require_new(arguments.output, format=arguments.format)
    with context.session():
        from cli.runs.labels import export_labels

        return export_labels(
            settings,
            arguments.output,
            context.console,
            format=arguments.format,
            count=arguments.count,
            suggest=arguments.suggest,
            again=arguments.again,
        )


COMMAND = Command(
    "export", "write the live texts whose labels are worth most, for Label Studio or Argilla", run, Arguments
)
