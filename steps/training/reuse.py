"""A candidate of an earlier version to a candidate of this run."""

from __future__ import annotations

from typing import Annotated

from zenml import ArtifactConfig, step

from sentiment.errors import UserError
from sentiment.models.servable import Servable
from sentiment.reviews.table import Splits
from steps.caching import depends_on_imports


@step(cache_policy=depends_on_imports(__name__))
def reuse(
    servable: Servable, splits: Splits, candidate: str
) -> Annotated[Servable, ArtifactConfig(name="{candidate}")]:
    """Takes a candidate over from an earlier version, if it was trained on the same splits.

    Otherwise some of its training reviews might be test reviews now.

    Args:
        servable: The stored servable.
        splits: The splits of this run.
        candidate: Its name.
    """
    if servable.manifest.data_fingerprint != splits.fingerprint:
        raise UserError(
            f"the {candidate} of that version was trained on other splits",
            where=f"reuse.{candidate}",
            remedy="Train it anew: remove it from reuse.",
        )
    return servable
