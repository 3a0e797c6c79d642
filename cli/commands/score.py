"""The score pipeline."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from cli.arguments import PipelineArguments, user_address, user_path
from cli.grammar import Command, Context, Summary, flag, option, positional

DETAILS = """examples:
  run.py score reviews.csv scored/                    a folder of Parquet parts, rejects and a manifest
  run.py score 'reviews/*.parquet' s3://bucket/scored
  run.py score reviews.jsonl.gz scored.csv --set text_column=body
  run.py score 'sql:$REVIEWS_DB' scored/ --set query='SELECT id, text FROM reviews'
  run.py score - - < reviews.csv > scored.csv"""


@dataclass(frozen=True)
class Arguments(PipelineArguments):
    """The arguments of ``score``."""

    config: Path = option("FILE", "file of settings", default=Path("configs/score.yaml"), type=user_path)
    restart: bool = flag("begin anew where an earlier run has finished a part of the output")
    input: str | None = positional("input", "the same as --set input=...", type=user_address, required=False)
    output: str | None = positional("output", "the same as --set output=...", type=user_address, required=False)


def run(arguments: Arguments, context: Context) -> Summary:
    """Runs the score pipeline, and shows the counts."""
    from pipelines.settings import read_score_settings

    settings = read_score_settings(arguments.config, arguments.overrides, arguments.input, arguments.output)
    with context.session(check=True):
        from cli.runs.score import run_score

        return run_score(settings, context.console, restart=arguments.restart, cache=not arguments.no_cache)


COMMAND = Command(
    "score",
    "score files, buckets and tables of any size with a version of the model",
    run,
    Arguments,
    is_pipeline=True,
    after_interrupt="finished parts stay; the same command goes on (with output -, it begins anew)",
    details=DETAILS,
)
