"""The train pipeline."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from cli.arguments import PipelineArguments, user_path
from cli.grammar import Command, Context, Summary, option

PROFILES = """profiles (--config):
  configs/train.yaml           minutes (default)
  configs/train.families.yaml  minutes, every kind of model side by side, with cross-validation
  configs/train.mpnet.yaml     minutes, on a large encoder (410 MB from PyPI)
  configs/train.thorough.yaml  the large encoder, under an hour
  configs/train.full.yaml      the large encoder and all the data, for a GPU
  configs/train.smoke.yaml     for tests"""


@dataclass(frozen=True)
class Arguments(PipelineArguments):
    """The arguments of ``train``."""

    config: Path = option("FILE", "file of settings", default=Path("configs/train.yaml"), type=user_path)


def run(arguments: Arguments, context: Context) -> Summary:
    """Runs the train pipeline, and shows its outcome."""
    from pipelines.settings import read_train_settings

    settings = read_train_settings(arguments.config, arguments.overrides)
    with context.session(check=True):
        from cli.runs.train import run_train, show_training

        outcome = run_train(settings, context.console, cache=not arguments.no_cache)
        show_training(outcome, context.console)
        return outcome.as_json()


COMMAND = Command(
    "train",
    "train, calibrate, evaluate and promote a model of reviews",
    run,
    Arguments,
    is_pipeline=True,
    after_interrupt="training resumes where it stopped when started again",
    details=PROFILES,
)
