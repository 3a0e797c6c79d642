"""Servable to Bento."""

from __future__ import annotations

from typing import Annotated

from zenml import step

from bento.build import build as build_bento
from registry.lineage import read_lineage
from sentiment.deployment import Bento
from sentiment.errors import UserError
from sentiment.models.servable import Servable


@step(enable_cache=False)  # a cached step would not notice that the Bento is gone from the Bento store
def build(servable: Servable, model: str, version: str) -> Annotated[Bento, "bento"]:
    """Packages a version's servable with its lineage as labels; an intact Bento of the same content is reused.

    Args:
        servable: The version's servable.
        model: Name of the model.
        version: Number of the version.

    Raises:
        UserError: If the servable differs from the one that was registered.
    """
    labels = read_lineage(model, version)
    if servable.fingerprint != labels["fingerprint"]:
        raise UserError(
            f"the servable of version {version} is damaged: it differs from the one that was evaluated",
            where=f"model {model}",
            remedy="Train again, or deploy another version.",
        )
    return build_bento(servable.path, model=model, version=version, labels=labels)
