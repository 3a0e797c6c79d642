"""Versions, the production stage and the champion alias: ZenML's Model Control Plane and MLflow's registry.

A version exists for every servable that finished evaluation, promoted or not, so that a person can promote it later.
The production stage is the truth; the alias follows it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sentiment.errors import UserError

if TYPE_CHECKING:
    from zenml.models import ArtifactVersionResponse, ModelVersionResponse

ALIAS = "champion"


@dataclass(frozen=True)
class Version:
    """A version of the model.

    Attributes:
        number: Its number, on MLflow's version of it as the tag ``zenml_version``.
        stage: ``production``, ``archived`` or empty.
        kind: Which candidate it is: ``linear``, ``transformer`` or ``cascade``.
        fingerprint: SHA-256 of its servable.
        promoted: Whether its decision was to promote it.
        reason: The decision's reason.
        replaced: Number of the version that it took over from when it was promoted; empty if there was none.
    """

    number: str
    stage: str
    kind: str
    fingerprint: str
    promoted: bool
    reason: str
    replaced: str


def versions(model: str) -> list[Version]:
    """Every version of the model, oldest first; empty if the model does not exist yet."""
    from zenml.client import Client
    from zenml.utils.pagination_utils import depaginate

    try:
        Client().get_model(model)
    except KeyError:
        return []
    found = depaginate(Client().list_model_versions, model=model, hydrate=True)
    return sorted(map(_version, found), key=lambda v: int(v.number))


def production(model: str) -> Version | None:
    """The version in the production stage, if any."""
    return next((v for v in versions(model) if v.stage == "production"), None)


def version(model: str, number: str) -> Version:
    """The version with this number.

    Raises:
        UserError: If there is none.
    """
    known = {v.number: v for v in versions(model)}
    if number not in known:
        listed = ", ".join(known) or "none yet"
        raise UserError(f"there is no version {number}", where=f"model {model}", remedy=f"Known versions: {listed}.")
    return known[number]


def linked_artifact(model: str, number: str, name: str) -> ArtifactVersionResponse:
    """The stored artifact ``name`` (such as ``servable``) of a version.

    Raises:
        UserError: If there is no such version, or the artifact is gone.
    """
    from zenml.client import Client

    version(model, number)
    artifact = Client().get_model_version(model, number).get_artifact(name)
    if artifact is None:
        raise UserError(
            f"version {number} has no {name} any more", where=f"model {model}", remedy="Use another version."
        )
    return artifact


def create(model: str, metadata: dict[str, Any], card: str) -> Version:
    """Creates a version with the decision as metadata and the model card as description.

    Args:
        model: Name of the model.
        metadata: ``kind``, ``fingerprint``, ``promoted`` and ``reason``, and whatever else a reader should see.
        card: The model card, Markdown.
    """
    from zenml import log_metadata
    from zenml.client import Client

    client = Client()
    try:
        client.get_model(model)
    except KeyError:
        client.create_model(model, description="Sentiment of reviews: negative or positive.", license="see model card")
    number = str(client.create_model_version(model, description=card).number)
    log_metadata(metadata=metadata, model_name=model, model_version=number)
    return _version(client.get_model_version(model, number))


def link(model: str, number: str, artifacts: Sequence[ArtifactVersionResponse]) -> None:
    """Lets a version lead to stored artifacts; of two with one name, :func:`linked_artifact` gives the newer."""
    from zenml import Model, link_artifact_to_model

    for artifact in artifacts:
        link_artifact_to_model(artifact, Model(name=model, version=number))


def record_decision(model: str, number: str, *, promoted: bool, reason: str) -> None:
    """Says on the version whether it was promoted, and why; replaces what an earlier decision on it said."""
    from zenml import log_metadata

    log_metadata(metadata={"promoted": promoted, "reason": reason}, model_name=model, model_version=number)


def set_production(model: str, number: str, *, back: bool = False) -> None:
    """Makes a version the champion: alias in MLflow's registry first, then the production stage, the truth.

    Whoever dies in between leaves an alias that the next call mends; the production stage is never half-set.

    Args:
        model: Name of the model.
        number: Number of the version.
        back: Whether this is a rollback: the version then keeps what it replaced when it was promoted, so that another
            rollback goes further back, not to the version that was just left.
    """
    from zenml import log_metadata
    from zenml.client import Client
    from zenml.enums import ModelStages

    move_alias(model, number)
    before = production(model)
    if not back and not (before and before.number == number):
        replaced = before.number if before else ""
        log_metadata(metadata={"replaced": replaced}, model_name=model, model_version=number)
    Client().update_model_version(model, number, stage=ModelStages.PRODUCTION, force=True)


def move_alias(model: str, number: str) -> None:
    """Lets the alias ``champion`` point at MLflow's version of the same servable."""
    import mlflow

    _use_tracking_server()
    name = _in_mlflow(model, version(model, number).fingerprint)
    mlflow.MlflowClient().set_registered_model_alias(model, ALIAS, name)


def tag_number(model: str, fingerprint: str, number: str) -> None:
    """Writes the version's number on MLflow's version of it, for people who look there."""
    import mlflow

    mlflow.MlflowClient().set_model_version_tag(model, _in_mlflow(model, fingerprint), "zenml_version", number)


def _in_mlflow(model: str, fingerprint: str) -> str:
    """Number of the newest version in MLflow's registry that holds the servable with this fingerprint."""
    import mlflow

    everything = mlflow.MlflowClient().search_model_versions(f"name='{model}'")
    found = [int(v.version) for v in everything if v.tags.get("fingerprint") == fingerprint]
    if not found:
        raise UserError(
            "MLflow's registry does not have this version",
            where=f"model {model}",
            remedy="Train it again on this stack.",
        )
    return str(max(found))


def _use_tracking_server() -> None:
    from zenml.client import Client

    tracker = Client().active_stack.experiment_tracker
    if tracker is None:
        raise UserError(
            "has no experiment tracker",
            where=f"stack {Client().active_stack_model.name}",
            remedy="Add one to its YAML.",
        )
    tracker.configure_mlflow()  # type: ignore[attr-defined] # the stack files allow MLflow's flavor only


def _version(response: ModelVersionResponse) -> Version:
    metadata = response.run_metadata
    return Version(
        number=str(response.number),
        stage=str(response.stage or ""),
        kind=str(metadata.get("kind", "")),
        fingerprint=str(metadata.get("fingerprint", "")),
        promoted=bool(metadata.get("promoted", False)),
        reason=str(metadata.get("reason", "")),
        replaced=str(metadata.get("replaced", "")),
    )
