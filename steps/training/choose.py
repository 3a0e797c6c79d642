"""Candidates to the challenger."""

from __future__ import annotations

from typing import Annotated

from zenml import step

from sentiment.evaluation.calibration import is_unbalanced
from sentiment.models.servable import Servable
from sentiment.reviews.table import Splits
from steps.caching import depends_on_imports


@step(cache_policy=depends_on_imports(__name__))
def choose(
    names: list[str], servables: list[Servable], splits: Splits, wanted: str | None
) -> tuple[Annotated[str, "challenger"], Annotated[Servable, "servable"]]:
    """Chooses the candidate that is best on the validation split, or the one that the settings name.

    The best one has the highest accuracy, or the highest macro-F1 where one label is rare. The test split is not used.

    Args:
        names: The candidates, the cheapest first: it wins a tie.
        servables: Their servables, in the same order.
        splits: The splits that they were trained on.
        wanted: The candidate that the settings name, if they do.
    """
    named = dict(zip(names, servables, strict=True))
    if wanted:
        return wanted, named[wanted]
    manifests = {name: servable.manifest for name, servable in named.items()}
    figures = {name: manifest.validation_accuracy for name, manifest in manifests.items()}
    if is_unbalanced(splits.validation.frame["label"]):  # older servables that are reused have no macro-F1
        figures = {name: manifest.validation_macro_f1 or 0.0 for name, manifest in manifests.items()}
    name = max(figures, key=lambda candidate: figures[candidate])
    return name, named[name]
