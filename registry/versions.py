"""Versions of the model in ZenML's Model Control Plane.

A version exists for every servable that finished evaluation, promoted or not, so that a person can promote it later.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from registry.artifacts import artifact_store, complete
from sentiment.errors import UserError

if TYPE_CHECKING:
    from zenml.artifact_stores import BaseArtifactStore
    from zenml.models import ArtifactVersionResponse, ModelVersionResponse

    from sentiment.deployment import Deployment


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
        taken_back: When somebody, or a failed canary, took it out of production, ISO 8601 in UTC; empty if nobody did,
            a person has put it there again, or it is still there, as who took it out died on the way.
        since: When it was last put into production, ISO 8601 in UTC; empty if it never was.
        registered: When it was made, ISO 8601 in UTC.
        run: Name of the pipeline run that made it.
        accuracy: On the test split of that run; None if it is not on record.
        ece: Calibration error, likewise.
    """

    number: str
    stage: str
    kind: str
    fingerprint: str
    promoted: bool
    reason: str
    replaced: str
    taken_back: str = ""
    since: str = ""
    registered: str = ""
    run: str = ""
    accuracy: float | None = None
    ece: float | None = None


def chosen_later(live: Deployment, production: Version) -> bool:
    """Whether what is live was deployed after the version in production was promoted, and so by a person's choice."""
    return bool(production.since) and datetime.fromisoformat(live.since) > datetime.fromisoformat(production.since)


def list_versions(model: str) -> list[Version]:
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
    return next((v for v in list_versions(model) if v.stage == "production"), None)


def find(model: str, fingerprint: str) -> Version | None:
    """The version whose servable has this fingerprint, if any."""
    return next((v for v in reversed(list_versions(model)) if v.fingerprint == fingerprint), None)


def version(model: str, number: str) -> Version:
    """The version with this number.

    Raises:
        UserError: If there is none.
    """
    known = {v.number: v for v in list_versions(model)}
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


def stored(model: str, number: str, name: str) -> bool:
    """Whether a version still has its artifact ``name``, with every byte of its files."""
    from zenml.client import Client

    artifact = Client().get_model_version(model, number).get_artifact(name)
    return artifact is not None and complete(artifact, _store(artifact))


def require_stored(model: str, number: str, name: str) -> None:
    """Raises a UserError if there is no such version, or its artifact ``name`` or the files of it are gone."""
    artifact = linked_artifact(model, number, name)
    if not _store(artifact).exists(artifact.uri):
        raise UserError(
            f"the files of version {number}'s {name} are gone",
            where=f"model {model}",
            remedy="Train again, or use another version.",
        )


def _store(artifact: ArtifactVersionResponse) -> BaseArtifactStore:
    """Where the artifact is, which need not be the store of the active stack."""
    from zenml.client import Client

    return artifact_store(artifact.artifact_store_id or Client().active_stack.artifact_store.id)


def create(model: str, metadata: dict[str, Any], card: str) -> Version:
    """Creates a version, with the decision as metadata and the model card as description.

    Args:
        model: Name of the model.
        metadata: ``kind``, ``fingerprint``, ``promoted`` and ``reason``, and whatever else a reader should see.
        card: The model card, Markdown.
    """
    from zenml import log_metadata
    from zenml.client import Client
    from zenml.exceptions import EntityExistsError

    client = Client()
    try:
        client.get_model(model)
    except KeyError:
        with suppress(EntityExistsError):  # another run was faster
            client.create_model(
                model, description="Sentiment of reviews: negative or positive.", license="see model card"
            )
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


def describe(model: str, number: str, card: str) -> None:
    """Replaces the version's model card."""
    from zenml.client import Client

    Client().update_model_version(model, number, description=card)


def card(model: str, number: str) -> str:
    """The version's model card."""
    from zenml.client import Client

    return Client().get_model_version(model, number).description or ""


def _version(response: ModelVersionResponse) -> Version:
    metadata, stage = response.run_metadata, str(response.stage or "")
    return Version(
        number=str(response.number),
        stage=stage,
        kind=str(metadata.get("kind", "")),
        fingerprint=str(metadata.get("fingerprint", "")),
        promoted=bool(metadata.get("promoted", False)),
        reason=str(metadata.get("reason", "")),
        replaced=str(metadata.get("replaced", "")),
        taken_back="" if stage == "production" else str(metadata.get("taken_back", "")),
        since=str(metadata.get("since", "")),
        registered=response.created.replace(tzinfo=response.created.tzinfo or UTC).isoformat(timespec="seconds"),
        run=str(metadata.get("pipeline_run", "")),
        accuracy=_number(metadata.get("accuracy")),
        ece=_number(metadata.get("ece")),
    )


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) else None
