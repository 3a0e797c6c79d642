"""Where MLflow's registry disagrees with ZenML about a model, and how to mend it: no version is ever deleted."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from registry import champion, mlflow_registry, versions
from registry.mlflow_registry import ALIAS, NUMBER, UNFINISHED
from registry.versions import Version


@dataclass(frozen=True)
class Disagreement:
    """One thing that ZenML and MLflow see differently.

    Attributes:
        what: What it is, for a person.
        mend: Makes MLflow agree.
        mended: What that did, for a person.
    """

    what: str
    mend: Callable[[], object]
    mended: str


def disagreements(model: str) -> list[Disagreement]:
    """Compares stage and alias, and what both know of the model's versions; empty if all is well."""
    known = versions.list_versions(model)
    return [*_alias(model, known), *_marks(model, known)]


def _alias(model: str, versions: Sequence[Version]) -> Iterator[Disagreement]:
    production = next((v for v in versions if v.stage == "production"), None)
    held = mlflow_registry.aliased(model)
    known = next((v for v in reversed(versions) if held and v.fingerprint == held.fingerprint), None)
    leads = f"leads to {f'version {known.number}' if known else 'a model that this ZenML does not know'}"
    if production is None and held:
        withdraw = partial(mlflow_registry.withdraw_alias, model)
        yield Disagreement(
            f"no version is in production, but MLflow's alias {ALIAS} {leads}", withdraw, f"{ALIAS} leads nowhere now"
        )
    if production is None or (held and held.fingerprint == production.fingerprint):
        return
    if mlflow_registry.find(model, production.fingerprint) is None:
        but, first = "MLflow's registry does not have it", "it was registered there again; "
    else:
        but, first = f"MLflow's alias {ALIAS} {leads if held else 'leads nowhere'}", ""
    yield Disagreement(
        f"version {production.number} is in production, but {but}",
        partial(champion.follow, model, take_over=True),
        f"{first}{ALIAS} leads to version {production.number} now",
    )


def _marks(model: str, versions: Sequence[Version]) -> Iterator[Disagreement]:
    """Versions in MLflow's registry that do not say which version of ZenML's they are."""
    numbers = {v.fingerprint: v.number for v in versions}
    for entry in mlflow_registry.registered(model):
        number = numbers.get(entry.fingerprint, UNFINISHED)
        if not entry.fingerprint or entry.number == number:
            continue
        if number == UNFINISHED:
            what = "belongs to no version: the run that registered it ended before it was done"
        else:
            what = f"does not say that it is version {number}"
        yield Disagreement(
            f"version {entry.version} in MLflow's registry {what}",
            partial(mlflow_registry.tag_number, model, entry, number),
            f"version {entry.version} in MLflow's registry has the tag {NUMBER}: {number} now",
        )
