"""Servable to Bento."""

from __future__ import annotations

from typing import Annotated

from zenml import step

from bento import store
from bento.build import build as build_bento
from bento.build import describe
from bento.shared import SharedBentos
from registry.version_labels import lineage
from sentiment.deployment import Bento
from sentiment.errors import UserError
from sentiment.models.servable import Servable
from serving.active import model_deployer

FOLDER = "bentos"  # of the artifact store


@step(enable_cache=False)  # the Bento store is no artifact store: what was built may be gone
def build(servable: Servable, model: str, version: str) -> Annotated[Bento, "bento"]:
    """Packages a version's servable, with where it comes from as labels; what is packaged already is reused.

    Where the model deployer says ``push_bentos``, also what another machine packaged; and others can reuse this.

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
    shared = _shared_bentos()
    bento = describe(servable.path, model=model, version=version, labels=labels)
    if shared and not store.is_here(bento.tag):
        shared.pull(bento.tag)
    build_bento(servable.path, model=model, version=version, labels=labels)
    if shared and not shared.has(bento.tag):
        shared.push(bento.tag)
    return bento


def _shared_bentos() -> SharedBentos | None:
    from zenml.client import Client

    if not model_deployer().config.push_bentos:
        return None
    artifact_store = Client().active_stack.artifact_store
    return SharedBentos(artifact_store, f"{artifact_store.path}/{FOLDER}")
