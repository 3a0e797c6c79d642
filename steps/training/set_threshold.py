"""A candidate to the same candidate with a given threshold."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Annotated

from zenml import ArtifactConfig, step

from sentiment.models.servable import Servable
from sentiment.models.threshold import move_threshold
from sentiment.reviews.table import Splits
from steps.caching import depends_on_imports


@step(cache_policy=depends_on_imports(__name__))
def set_threshold(
    servable: Servable, splits: Splits, candidate: str, threshold: float
) -> Annotated[Servable, ArtifactConfig(name="{candidate}")]:
    """Sets P(positive) above which a candidate says positive; nothing is trained again.

    Args:
        servable: The trained servable.
        splits: The splits that it was trained on.
        candidate: Its name.
        threshold: The threshold, in (0, 1).
    """
    return move_threshold(servable, splits.validation, threshold, Path(tempfile.mkdtemp(prefix=f"{candidate}-")))
