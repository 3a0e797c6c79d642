"""Servables of other candidates to the cascade."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Annotated

from zenml import log_metadata, step

from registry.lineage import git_commit
from sentiment.models.cascade import CascadeSettings, fit_cascade
from sentiment.models.servable import Servable
from sentiment.reviews.table import Splits
from steps.caching import depends_on_imports


@step(cache_policy=depends_on_imports(__name__))
def build_cascade(
    servables: list[Servable], splits: Splits, settings: CascadeSettings
) -> Annotated[Servable, "cascade"]:
    """Chooses on the validation split which texts each stage answers, and which it passes on.

    Args:
        servables: The stages, in the order of ``settings.stages``.
        splits: The splits that they were trained on.
        settings: The stages' names, and the shares to choose from.
    """
    out = Path(tempfile.mkdtemp(prefix="cascade-"))
    stages = dict(zip(settings.stages, servables, strict=True))
    points = fit_cascade(stages, splits.validation, settings, out, git_commit=git_commit())
    log_metadata({"chosen": {point.length: point.model_dump() for point in points if point.chosen}})
    return Servable(out)
