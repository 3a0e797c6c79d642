"""The evaluate pipeline."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from cli.arguments import PipelineArguments, user_path
from cli.grammar import Command, Context, Summary, option


@dataclass(frozen=True)
class Arguments(PipelineArguments):
    """The arguments of ``evaluate``."""

    config: Path = option("FILE", "file of settings", default=Path("configs/evaluate.yaml"), type=user_path)


def run(arguments: Arguments, context: Context) -> Summary:
    """Runs the evaluate pipeline, and shows its figures."""
    from pipelines.settings import read_evaluate_settings

    settings = read_evaluate_settings(arguments.config, arguments.overrides)
    with context.session(check=True):
        from cli.runs.evaluate import run_evaluate

        return run_evaluate(settings, context.console, cache=not arguments.no_cache)


COMMAND = Command(
    "evaluate",
    "score a version on any source, such as the official IMDB test half",
    run,
    Arguments,
    is_pipeline=True,
)
