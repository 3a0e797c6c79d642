"""Differences between MLflow's registry and ZenML about a model, and how to fix them; no version is ever deleted."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from registry import champion, mlflow_registry, versions
from registry.mlflow_registry import ALIAS, NUMBER, UNFINISHED
from sentiment.deployment import Version


@dataclass(frozen=True)
class Disagreement:
    """One difference between ZenML and MLflow.

    Attributes:
        what: The difference, for users.
        fix: Makes MLflow agree with ZenML.
        fixed: The result of ``fix``, for users.
    """

    what: str
    fix: Callable[[], object]
    fixed: str


def find_disagreements(model: str) -> list[Disagreement]:
    """Compares stage and alias, and the records of the model's versions; returns an empty list if they agree."""
    known = versions.list_versions(model)
    return [*_alias_disagreements(model, known), *_number_disagreements(model, known)]


def _alias_disagreements(model: str, versions: Sequence[Version]) -> Iterator[Disagreement]:
    production = next((v for v in versions if v.stage == "production"), None)
    aliased = mlflow_registry.find_aliased(model)
    known = next((v for v in reversed(versions) if aliased and v.fingerprint == aliased.fingerprint), None)
    points = f"points at {f'version {known.number}' if known else 'a model that this ZenML does not know'}"
    if production is None and aliased:
        remove = partial(mlflow_registry.remove_alias, model)
        yield Disagreement(
            f"no version is in production, but MLflow's alias {ALIAS} {points}", remove, f"{ALIAS} was removed"
        )
    if production is None or (aliased and aliased.fingerprint == production.fingerprint):
        return
    if mlflow_registry.find_registered(model, production.fingerprint) is None:
        but, first = "MLflow's registry does not have it", "it was registered there again; "
    else:
        but, first = f"MLflow's alias {ALIAS} {points if aliased else 'does not exist'}", ""
    yield Disagreement(
        f"version {production.number} is in production, but {but}",
        partial(champion.follow, model, take_over=True),
        f"{first}{ALIAS} points at version {production.number} now",
    )


def _number_disagreements(model: str, versions: Sequence[Version]) -> Iterator[Disagreement]:
    """Compares the numbers on MLflow's versions with ZenML's."""
    numbers = {v.fingerprint: v.number for v in versions}
    for entry in mlflow_registry.list_registered(model):
        number = numbers.get(entry.fingerprint, UNFINISHED)
        if not entry.fingerprint or entry.number == number:
            continue
        if number == UNFINISHED:
            what = "belongs to no version: the run that registered it did not finish"
        else:
            what = f"is version {number}, but is not tagged so"
        yield Disagreement(
            f"version {entry.version} in MLflow's registry {what}",
            partial(mlflow_registry.tag_number, model, entry, number),
            f"version {entry.version} in MLflow's registry has the tag {NUMBER}: {number} now",
        )
