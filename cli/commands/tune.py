"""The tune pipeline: a search for better settings."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from cli.arguments import PipelineArguments, user_path
from cli.grammar import Command, Context, Summary, option

DETAILS = """The space, the budget, the sampler and the pruner are in the file of settings: see docs/tuning.md.
Killed at any moment and started again, the search goes on. It ends with a profile for run.py --pipeline train."""


@dataclass(frozen=True)
class Arguments(PipelineArguments):
    """The arguments of ``tune``."""

    config: Path = option("FILE", "file of settings", default=Path("configs/tune.yaml"), type=user_path)
    worker: int | None = option(
        "N", "only run trials of a search that was started elsewhere, as its worker N", type=int
    )


def run(arguments: Arguments, context: Context) -> Summary:
    """Runs the search, and shows its outcome."""
    from pipelines.search import read_tune_settings

    settings = read_tune_settings(arguments.config, arguments.overrides)
    with context.session(check=True):
        from cli.runs.tune import Search

        search = Search(settings, context.console, cache=not arguments.no_cache)
        if arguments.worker is not None:
            return search.work(arguments.worker)
        words = ["--stack", context.stack, "--config", str(arguments.config)]
        words += ["--no-cache"] if arguments.no_cache else []
        return search.run([*words, *(word for value in arguments.overrides for word in ("--set", value))])


COMMAND = Command(
    "tune",
    "search for better settings, and write them as a profile",
    run,
    Arguments,
    is_pipeline=True,
    after_interrupt="the search goes on where it stopped when started again",
    details=DETAILS,
)
