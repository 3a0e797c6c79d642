"""Arguments that several commands share."""

from __future__ import annotations

import argparse
import json
import re
from dataclasses import dataclass
from pathlib import Path

from cli.grammar import flag, option, positional, repeated
from sentiment.imports import ROOT


def model_name(text: str) -> str:
    """Returns the name of a model as it is; refuses one that ZenML, MLflow or BentoML would not take."""
    from sentiment.settings import NAME_RULE, is_model_name

    if not is_model_name(text):
        raise argparse.ArgumentTypeError(f"{NAME_RULE} (it is {text!r})")
    return text


def positive_number(text: str) -> int:
    """Returns a number of at least 1."""
    if not text.isascii() or not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"must be a number of at least 1 (it is {text!r})")
    return int(text)


def user_path(text: str) -> Path:
    """Returns a path relative to the user's folder; afterwards the process works in the repository."""
    path = Path(text).expanduser()
    return path if Path.cwd() == ROOT else path.absolute()


def user_address(text: str) -> str:
    """Returns an input or output of scoring; a path or glob relative to the user's folder becomes absolute."""
    from sentiment.reviews.sources import SOURCES

    kind, _, address = text.removeprefix("file:").partition(":")
    if kind == "sql":
        path = address.removeprefix("sqlite:///")
        return text if path == address else f"sql:sqlite:///{user_path(path)}"
    if text == "-" or kind in SOURCES or address.startswith("//"):
        return text
    return str(user_path(text.removeprefix("file:")))


def override(text: str) -> str:
    """Returns ``key=value``; a path relative to the user's folder becomes absolute."""
    key, equals, value = text.partition("=")
    if key in ("input", "output"):
        return f"{key}{equals}{json.dumps(user_address(value))}"  # a name may hold signs that YAML reads otherwise
    scheme = next((s for s in ("file:", "sql:sqlite:///", "hub:") if value.startswith(s)), "")
    path = value.removeprefix(scheme)
    exists = bool(re.search(r"[./_]", path)) and Path(path.partition("@")[0] if scheme == "hub:" else path).exists()
    is_path = exists or scheme in ("file:", "sql:sqlite:///")
    if Path.cwd() == ROOT or not is_path or "://" in path or path.startswith("~"):
        return text
    return f"{key}{equals}{scheme}{Path(path).absolute()}"


@dataclass(frozen=True)
class ModelArguments:
    """Arguments of a command about one model."""

    model: str = option("NAME", "name of the model", default="sentiment", type=model_name)


@dataclass(frozen=True)
class SettingsArguments:
    """Arguments of a command that reads a file of settings."""

    config: Path = option("FILE", "file of settings", default=Path("configs/deploy.yaml"), type=user_path)
    overrides: tuple[str, ...] = repeated("--set", "KEY=VALUE", "replace one setting of the file", type=override)


@dataclass(frozen=True)
class PipelineArguments(SettingsArguments):
    """Arguments of every pipeline."""

    no_cache: bool = flag("run every step, even if nothing changed")


@dataclass(frozen=True)
class StackName:
    """The argument of a command on one stack."""

    name: str = positional("NAME", "stack: a file in configs/stacks, without .yaml")
