"""Versions of the model in ZenML's Model Control Plane.

A version exists for every servable that finished evaluation, promoted or not, so that it can be promoted later.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from registry.artifacts import is_complete, open_store
from sentiment.deployment import Version
from sentiment.errors import UserError
from sentiment.models.servable import FORMAT
from sentiment.promotion.approval import APPROVED, PENDING

if TYPE_CHECKING:
    from zenml.artifact_stores import BaseArtifactStore
    from zenml.models import ArtifactVersionResponse, ModelVersionResponse

    from sentiment.deployment import Deployment
    from sentiment.promotion.approval import Approval

LIVE_ON = "live_on_"  # followed by the name of a stack: metadata of the version that is live there


def deployed_after_promotion(live: Deployment, production: Version) -> bool:
    """Whether the live deployment is newer than the promotion of the version in production: an operator chose it."""
    return bool(production.since) and datetime.fromisoformat(live.since) > datetime.fromisoformat(production.since)


def list_versions(model: str) -> list[Version]:
    """Lists every version of the model, oldest first; empty if the model does not exist yet."""
    from zenml.client import Client
    from zenml.utils.pagination_utils import depaginate

    try:
        Client().get_model(model)
    except KeyError:
        return []
    found = list(depaginate(Client().list_model_versions, model=model, hydrate=True))
    production = next((str(v.number) for v in found if v.stage == "production"), "")
    return sorted((_version(response, production) for response in found), key=lambda v: int(v.number))


def find_production(model: str) -> Version | None:
    """Returns the version in the production stage, if there is one."""
    return next((v for v in list_versions(model) if v.stage == "production"), None)


def find_version(model: str, fingerprint: str) -> Version | None:
    """Returns the newest version whose servable has this fingerprint, if there is one."""
    return next((v for v in reversed(list_versions(model)) if v.fingerprint == fingerprint), None)


def get_version(model: str, number: str) -> Version:
    """Returns the version with this number.

    Raises:
        UserError: If there is none.
    """
    known = {v.number: v for v in list_versions(model)}
    if number not in known:
        listed = ", ".join(known) or "none yet"
        raise UserError(f"there is no version {number}", where=f"model {model}", remedy=f"Known versions: {listed}.")
    return known[number]


def choose_version(model: str, number: str | None) -> Version:
    """Returns the version with this number; with None, the one in production.

    Raises:
        UserError: If there is none.
    """
    if number is not None:
        return get_version(model, number)
    production = find_production(model)
    if production is None:
        raise UserError("no version is in production", where=f"model {model}", remedy="Run make train first.")
    return production


def get_artifact(model: str, number: str, name: str) -> ArtifactVersionResponse:
    """Returns the stored artifact ``name`` (such as ``servable``) of a version.

    Raises:
        UserError: If there is no such version, or ZenML no longer has the artifact.
    """
    from zenml.client import Client

    get_version(model, number)
    artifact = Client().get_model_version(model, number).get_artifact(name)
    if artifact is None:
        raise UserError(
            f"version {number} has no {name} any more", where=f"model {model}", remedy="Use another version."
        )
    return artifact


def require_candidate(model: str, number: str, name: str) -> None:
    """Raises a UserError if there is no such version, or its run's servable of a candidate is not kept."""
    get_version(model, number)
    if not is_stored(model, number, name):
        raise UserError(
            f"the {name} of version {number} is not kept",
            where=f"reuse.{name}",
            remedy="Name another version, or train it anew.",
        )


def is_stored(model: str, number: str, name: str) -> bool:
    """Whether the artifact store still holds every byte of a version's artifact ``name``."""
    from zenml.client import Client

    artifact = Client().get_model_version(model, number).get_artifact(name)
    return artifact is not None and is_complete(artifact, _store(artifact))


def find_problem(model: str, number: str) -> str | None:
    """Returns why a version's servable cannot be loaded: "are gone", or of another format; None if it can be."""
    if not is_stored(model, number, "servable"):
        return "are gone"
    found = get_artifact(model, number, "servable").run_metadata.get("format", 1)  # format 1 was not recorded
    return None if found == FORMAT else f"are of format {found}, and this code reads {FORMAT}"


def require_stored(model: str, number: str, name: str) -> None:
    """Raises a UserError if there is no such version, or the files of its artifact ``name`` are gone."""
    artifact = get_artifact(model, number, name)
    if not _store(artifact).exists(artifact.uri):
        raise UserError(
            f"the files of version {number}'s {name} are gone",
            where=f"model {model}",
            remedy="Train again, or use another version.",
        )


def _store(artifact: ArtifactVersionResponse) -> BaseArtifactStore:
    """Opens the store that holds the artifact; it need not be the active stack's."""
    from zenml.client import Client

    return open_store(artifact.artifact_store_id or Client().active_stack.artifact_store.id)


def create_version(model: str, metadata: dict[str, Any], card: str) -> Version:
    """Creates a version, with the decision as metadata and the model card as description.

    Args:
        model: Name of the model.
        metadata: ``kind``, ``stages``, ``fingerprint``, ``promoted`` and ``reason``, and further facts for readers.
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
    return get_version(model, number)


def link_artifacts(model: str, number: str, artifacts: Sequence[ArtifactVersionResponse]) -> None:
    """Links stored artifacts to a version; of two with one name, :func:`get_artifact` returns the newer."""
    from zenml import Model, link_artifact_to_model

    for artifact in artifacts:
        link_artifact_to_model(artifact, Model(name=model, version=number))


def record_decision(model: str, number: str, *, promoted: bool, reason: str) -> None:
    """Records on the version whether it was promoted, and why; replaces the record of an earlier decision."""
    from zenml import log_metadata

    log_metadata(metadata={"promoted": promoted, "reason": reason}, model_name=model, model_version=number)


def record_waiting(model: str, number: str, champion: str) -> None:
    """Records that the version waits for an approval, and the number of the champion that it was compared with."""
    from zenml import log_metadata

    facts: dict[str, Any] = {"approval": PENDING, "approval_champion": champion, "approval_reason": ""}
    log_metadata(metadata=facts, model_name=model, model_version=number)


def record_not_waiting(model: str, number: str) -> None:
    """Records that the version needs another evaluation before it can be approved."""
    from zenml import log_metadata

    log_metadata(metadata={"approval": "", "approval_reason": ""}, model_name=model, model_version=number)


def is_overtaken(model: str, version: Version, production: str | None) -> bool:
    """Whether the version waits, or was approved and its promotion died, after a comparison with another champion.

    Args:
        model: Name of the model.
        version: The version.
        production: Number of the version that is in production now; None if there is none.
    """
    from zenml.client import Client

    if version.stage or version.approval not in (PENDING, APPROVED) or version.compared_with == (production or ""):
        return False
    # An operator may also approve a version that never waited: there is no comparison then that could be out of date.
    return "approval_champion" in Client().get_model_version(model, version.number).run_metadata


def record_approval(model: str, number: str, approval: Approval) -> None:
    """Records on the version that a person approved or rejected it."""
    from zenml import log_metadata

    log_metadata(metadata=approval.as_facts(), model_name=model, model_version=number)


def record_live(model: str, number: str) -> None:
    """Records which version is live on the active stack; other stacks cannot ask its deployer.

    Args:
        model: Name of the model.
        number: Number of the version; empty if none is live any more.
    """
    from zenml import log_metadata
    from zenml.client import Client
    from zenml.utils.pagination_utils import depaginate

    key = f"{LIVE_ON}{Client().active_stack_model.name}"
    for name in [found.name for found in depaginate(Client().list_models)]:
        for version in depaginate(Client().list_model_versions, model=name, hydrate=True):
            is_live = (name, str(version.number)) == (model, number)
            if bool(version.run_metadata.get(key)) != is_live:
                log_metadata(metadata={key: is_live}, model_name=name, model_version=str(version.number))


def find_live_stacks(model: str) -> dict[str, str]:
    """Returns the name of another stack on which a version is live, by the version's number."""
    from zenml.client import Client
    from zenml.utils.pagination_utils import depaginate

    own = f"{LIVE_ON}{Client().active_stack_model.name}"
    return {
        str(version.number): key.removeprefix(LIVE_ON)
        for version in depaginate(Client().list_model_versions, model=model, hydrate=True)
        for key, value in version.run_metadata.items()
        if key.startswith(LIVE_ON) and key != own and value
    }


def update_card(model: str, number: str, card: str) -> None:
    """Replaces the version's model card."""
    from zenml.client import Client

    Client().update_model_version(model, number, description=card)


def get_card(model: str, number: str) -> str:
    """Returns the version's model card."""
    from zenml.client import Client

    return Client().get_model_version(model, number).description or ""


def _version(response: ModelVersionResponse, production: str) -> Version:
    metadata, stage = response.run_metadata, str(response.stage or "")
    approval, compared_with = str(metadata.get("approval", "")), str(metadata.get("approval_champion", ""))
    # Approved, but without a stage: the promotion died midway, and the version still waits for it.
    waiting = approval in (PENDING, APPROVED) and not stage and compared_with == production
    return Version(
        number=str(response.number),
        stage=stage,
        kind=str(metadata.get("kind", "")),
        fingerprint=str(metadata.get("fingerprint", "")),
        promoted=bool(metadata.get("promoted", False)),
        reason=str(metadata.get("reason", "")),
        replaced=str(metadata.get("replaced", "")),
        # A rollback that died halfway may have left the mark on the version that is still in production.
        rolled_back="" if stage == "production" else str(metadata.get("taken_back", "")),
        since=str(metadata.get("since", "")),
        registered=response.created.replace(tzinfo=response.created.tzinfo or UTC).isoformat(timespec="seconds"),
        run=str(metadata.get("pipeline_run", "")),
        accuracy=_number(metadata.get("accuracy")),
        ece=_number(metadata.get("ece")),
        stages=tuple(str(metadata.get("stages", "")).split()),
        waiting=waiting,
        approved_by=str(metadata.get("approval_by", "")) if approval == APPROVED else "",
        approval_reason=str(metadata.get("approval_reason", "")),
        approval=approval,
        compared_with=compared_with,
    )


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) else None
