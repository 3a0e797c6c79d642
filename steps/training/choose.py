"""Candidates to the challenger."""

from __future__ import annotations

from typing import Annotated

from zenml import step

from sentiment.models.servable import Servable
from steps.caching import depends_on_imports


@step(cache_policy=depends_on_imports(__name__))
def choose(servables: list[Servable]) -> tuple[Annotated[str, "challenger"], Annotated[Servable, "servable"]]:
    """Chooses the candidate with the best validation accuracy; the test split is not used.

    Args:
        servables: The candidates, the cheapest first: it wins a tie.
    """
    best = max(servables, key=lambda servable: servable.manifest.validation_accuracy)
    return best.manifest.kind, best
