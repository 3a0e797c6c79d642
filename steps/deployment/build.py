"""Servable to Bento."""

from __future__ import annotations

from typing import Annotated

from zenml import step

from bento.build import build as build_bento
from sentiment.deployment import Bento
from sentiment.errors import UserError
from sentiment.models.servable import Servable
from steps.deployment.version import lineage


@step(enable_cache=False)  # the Bento store is no artifact store: what was built may be gone
def build(servable: Servable, model: str, version: str) -> Annotated[Bento, "bento"]:
    """Packages a version's servable, with where it comes from as labels; what is packaged already is reused.

    Args:
        servable: The version's servable.
        model: Name of the model.
        version: Number of the version.

    Raises:
        UserError: If the servable is not what was registered.
    """
    labels = lineage(model, version)
    if servable.fingerprint != labels["fingerprint"]:
        raise UserError(
            f"the servable of version {version} is damaged: it is not what was evaluated",
            where=f"model {model}",
            remedy="Train again, or deploy another version.",
        )
    return build_bento(servable.path, model=model, version=version, labels=labels)
