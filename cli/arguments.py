"""Arguments that several commands share."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

from cli.grammar import flag, option, positional, repeated


def model_name(text: str) -> str:
    """Returns the name of a model as it is; refuses one that ZenML, MLflow or BentoML would not take."""
    from sentiment.settings import NAME_RULE, is_model_name

    if not is_model_name(text):
        raise argparse.ArgumentTypeError(f"{NAME_RULE} (it is {text!r})")
    return text


@dataclass(frozen=True)
class ModelArguments:
    """Arguments of a command about one model."""

    model: str = option("NAME", "name of the model", default="sentiment", type=model_name)


@dataclass(frozen=True)
class SettingsArguments:
    """Arguments of a command that reads a file of settings."""

    config: Path = option("FILE", "file of settings", default=Path("configs/deploy.yaml"), type=Path)
    overrides: tuple[str, ...] = repeated("--set", "KEY=VALUE", "replace one setting of the file")


@dataclass(frozen=True)
class PipelineArguments(SettingsArguments):
    """Arguments of every pipeline."""

    no_cache: bool = flag("run every step, even if nothing changed")


@dataclass(frozen=True)
class StackName:
    """The argument of a command on one stack."""

    name: str = positional("NAME", "stack: a file in configs/stacks, without .yaml")
