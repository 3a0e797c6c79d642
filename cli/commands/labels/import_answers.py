"""Imports the answers of annotators as feedback."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from cli.arguments import SettingsArguments, user_path
from cli.grammar import Command, Context, Summary, option, positional


@dataclass(frozen=True)
class Arguments(SettingsArguments):
    """The arguments of ``labels import``; its settings are those of ``monitor``."""

    answers: Path = positional("FILE", "answers as Label Studio or Argilla exports them, JSON", type=user_path)
    config: Path = option("FILE", "file of settings", default=Path("configs/monitor.yaml"), type=user_path)


def run(arguments: Arguments, context: Context) -> Summary:
    """Adds the majority's labels to the prediction log, and shows how far annotators agree."""
    from sentiment.annotation.files import read_answers
    from sentiment.monitoring.settings import MonitorSettings
    from sentiment.settings import read_settings

    settings = read_settings(MonitorSettings, arguments.config, arguments.overrides)
    answers = read_answers(arguments.answers)
    with context.session():
        from cli.runs.labels import import_labels

        return import_labels(settings, arguments.answers, answers, context.console)


COMMAND = Command("import", "add the answers of annotators to the prediction log as feedback", run, Arguments)
