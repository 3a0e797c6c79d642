"""Candidates to the challenger."""

from __future__ import annotations

from typing import Annotated

from zenml import step

from sentiment.models.servable import Servable
from steps.caching import depends_on_imports


@step(cache_policy=depends_on_imports(__name__))
def choose(servables: list[Servable]) -> tuple[Annotated[str, "challenger"], Annotated[Servable, "servable"]]:
    """The candidate that did best on the validation split; the test split has no say in it.

    Args:
        servables: The candidates, those that cost least first: a tie goes to the cheaper one.
    """
    best = max(servables, key=lambda servable: servable.manifest.validation_accuracy)
    return best.manifest.kind, best
