"""The champion: ZenML's production stage decides, and the alias in MLflow's registry follows it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from registry import mlflow_registry, versions
from registry.artifacts import load_artifact
from registry.locks import version_lock
from registry.mlflow_registry import Registered
from sentiment.deployment import Version
from sentiment.errors import UserError

if TYPE_CHECKING:
    from sentiment.promotion.approval import Approval
    from sentiment.promotion.decision import Decision

MAX_TRIES = 5  # of moving the alias; more than one only if others promote at the same time


class OvertakenError(Exception):
    """Another version became champion after the decision was made; the message names it."""

    def __init__(self, champion: Version | None) -> None:
        super().__init__(f"{f'version {champion.number}' if champion else 'no version'} became champion meanwhile")


def set_champion(
    model: str, number: str, *, decision: Decision | None = None, back: bool = False, approval: Approval | None = None
) -> None:
    """Promotes a version. A crash midway can only leave MLflow's alias stale, which :func:`follow` repairs.

    Args:
        model: Name of the model.
        number: Number of the version.
        decision: The decision behind it, unless an operator promotes: recorded if the champion is still the one that
            it compared with.
        back: Whether this is a rollback. The version then keeps the record of the version that it replaced, so that
            another rollback goes further back. The version that leaves production counts as rolled back until an
            operator promotes it.
        approval: Who approved it, and why; recorded before the version goes into production, or now if it is there.

    Raises:
        OvertakenError: If the decision compared with a version that is no longer the champion, or the version waits
            for an approval, or was approved, and was compared with such a one.
        UserError: If MLflow's registry lacks the version and its files are gone.
    """
    from zenml import log_metadata
    from zenml.client import Client
    from zenml.enums import ModelStages

    _require_known_alias(model)  # MLflow first: if it does not answer, nothing has changed yet
    version = versions.get_version(model, number)
    ensure_registered(model, version)
    with version_lock(model):
        before = versions.find_production(model)
        former = before.number if before else None
        if former != number:
            if decision and former != decision.champion:
                raise OvertakenError(before)
            if not decision and versions.is_overtaken(model, version, former):
                raise OvertakenError(before)
            if decision:
                versions.record_decision(model, number, promoted=True, reason=decision.reason)
            now = datetime.now(UTC).isoformat(timespec="seconds")
            if former:  # always: a rollback that died here may have left its mark
                log_metadata(metadata={"taken_back": now if back else ""}, model_name=model, model_version=former)
            if approval:
                versions.record_approval(model, number, approval)
            replaced = {} if back else {"replaced": former or ""}
            log_metadata(metadata={**replaced, "since": now, "taken_back": ""}, model_name=model, model_version=number)
            Client().update_model_version(model, number, stage=ModelStages.PRODUCTION, force=True)
        elif approval:
            versions.record_approval(model, number, approval)
    follow(model)


def follow(model: str, *, take_over: bool = False) -> None:
    """Points MLflow's ``champion`` alias at the production version, and verifies it.

    Args:
        model: Name of the model.
        take_over: Whether to move the alias even if it points at a version that ZenML does not know.

    Raises:
        UserError: If the alias does not stay there.
    """
    for _ in range(MAX_TRIES):
        production = versions.find_production(model)
        aliased = mlflow_registry.find_aliased(model)
        if production is None or (aliased and aliased.fingerprint == production.fingerprint):
            return
        if not take_over:
            _require_known_alias(model)
        mlflow_registry.point_alias(model, ensure_registered(model, production))
    raise UserError("does not follow the production stage", where=f"model {model}, alias {mlflow_registry.ALIAS}")


def ensure_registered(model: str, version: Version) -> Registered:
    """Returns MLflow's version of a version; registers it from its stored files if this stack's MLflow lacks it.

    Raises:
        UserError: If its files are gone.
    """
    found = mlflow_registry.find_registered(model, version.fingerprint)
    if found is None:
        versions.require_stored(model, version.number, "servable")
        servable = load_artifact(versions.get_artifact(model, version.number, "servable"))
        found = mlflow_registry.register(model, servable, versions.get_card(model, version.number))
        mlflow_registry.tag_number(model, found, version.number)
    return found


def _require_known_alias(model: str) -> None:
    """Refuses to move an alias that points at a version unknown to this ZenML: another ZenML promoted it."""
    aliased = mlflow_registry.find_aliased(model)
    if aliased and aliased.fingerprint not in {v.fingerprint for v in versions.list_versions(model)}:
        raise UserError(
            f"points at version {aliased.version} in MLflow's registry, which this ZenML does not know",
            where=f"model {model}, alias {mlflow_registry.ALIAS}",
            remedy="Connect to the ZenML that promoted it, or take the alias over: python run.py status --repair.",
        )
