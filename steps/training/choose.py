"""Candidates to the challenger."""

from __future__ import annotations

from typing import Annotated

from zenml import step

from sentiment.models.servable import Servable
from steps.caching import depends_on_imports


@step(cache_policy=depends_on_imports(__name__))
def choose(
    names: list[str], servables: list[Servable], wanted: str | None
) -> tuple[Annotated[str, "challenger"], Annotated[Servable, "servable"]]:
    """Chooses the candidate with the best validation accuracy, or the one that the settings name.

    The test split is not used.

    Args:
        names: The candidates, the cheapest first: it wins a tie.
        servables: Their servables, in the same order.
        wanted: The candidate that the settings name, if they do.
    """
    named = dict(zip(names, servables, strict=True))
    name = wanted or max(named, key=lambda candidate: named[candidate].manifest.validation_accuracy)
    return name, named[name]
