"""Who is champion: the production stage in ZenML is the truth, the alias in MLflow's registry follows it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from registry import mlflow_registry, versions
from registry.locks import alone
from registry.mlflow_registry import Registered
from registry.versions import Version
from sentiment.errors import UserError

if TYPE_CHECKING:
    from sentiment.promotion.decision import Decision

ROUNDS = 5  # of setting and reading back; more than one only where others promote at the same time


class OvertakenError(Exception):
    """The champion that a decision was taken against is champion no more; says who is."""

    def __init__(self, champion: Version | None) -> None:
        super().__init__(f"{f'version {champion.number}' if champion else 'nobody'} became champion meanwhile")


def set_champion(model: str, number: str, *, decision: Decision | None = None, back: bool = False) -> None:
    """Makes a version the champion, or changes nothing: whoever dies on the way leaves an alias that is behind.

    Args:
        model: Name of the model.
        number: Number of the version.
        decision: What it rests on, if not on a person: recorded, if the champion is still the one it was taken against.
        back: Whether this is a rollback: the version then keeps what it replaced when it was promoted, so that another
            rollback goes further back, not to the version that was just left; and that one counts as taken back, until
            a person promotes it.

    Raises:
        OvertakenError: If the decision was taken against a version that is not the champion any more.
        UserError: If MLflow's registry does not have the version and its files are gone.
    """
    from zenml import log_metadata
    from zenml.client import Client
    from zenml.enums import ModelStages

    _require_ours(model)  # MLflow comes first: where it does not answer, nothing is changed
    in_mlflow(model, versions.version(model, number))
    with alone(model):
        before = versions.production(model)
        was = before.number if before else None
        if was != number:
            if decision and was != decision.champion:
                raise OvertakenError(before)
            if decision:
                versions.record_decision(model, number, promoted=True, reason=decision.reason)
            now = datetime.now(UTC).isoformat(timespec="seconds")
            if was:  # in any case: a rollback that died here may have left something
                log_metadata(metadata={"taken_back": now if back else ""}, model_name=model, model_version=was)
            replaced = {} if back else {"replaced": was or ""}
            log_metadata(metadata={**replaced, "since": now, "taken_back": ""}, model_name=model, model_version=number)
            Client().update_model_version(model, number, stage=ModelStages.PRODUCTION, force=True)
    follow(model)


def follow(model: str, *, take_over: bool = False) -> None:
    """Lets the alias lead to the version in production, and reads back whether it does.

    Args:
        model: Name of the model.
        take_over: Whether to move it even if it leads to what ZenML does not know.

    Raises:
        UserError: If it cannot be brought to lead there.
    """
    for _ in range(ROUNDS):
        production = versions.production(model)
        held = mlflow_registry.aliased(model)
        if production is None or (held and held.fingerprint == production.fingerprint):
            return
        if not take_over:
            _require_ours(model)
        mlflow_registry.move_alias(model, in_mlflow(model, production))
    raise UserError("does not follow the production stage", where=f"model {model}, alias {mlflow_registry.ALIAS}")


def in_mlflow(model: str, version: Version) -> Registered:
    """MLflow's version of this version; registered again, from its stored files, where this stack does not have it.

    Raises:
        UserError: If its files are gone.
    """
    found = mlflow_registry.find(model, version.fingerprint)
    if found is None:
        versions.require_stored(model, version.number, "servable")
        servable = versions.linked_artifact(model, version.number, "servable").load()
        found = mlflow_registry.register(model, servable, versions.card(model, version.number))
        mlflow_registry.tag_number(model, found, version.number)
    return found


def _require_ours(model: str) -> None:
    """An alias on what ZenML does not know is the champion of somebody whose ZenML this is not."""
    held = mlflow_registry.aliased(model)
    if held and held.fingerprint not in {v.fingerprint for v in versions.list_versions(model)}:
        raise UserError(
            f"leads to version {held.version} in MLflow's registry, which this ZenML does not know",
            where=f"model {model}, alias {mlflow_registry.ALIAS}",
            remedy="Connect to the ZenML that promoted it, or take the alias over: python run.py status --repair.",
        )
