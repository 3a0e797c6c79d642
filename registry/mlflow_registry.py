"""MLflow's registry on the active stack: its versions, their servables, and the alias ``champion``."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import nullcontext
from contextvars import ContextVar
from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING

from sentiment.errors import UserError
from sentiment.imports import ROOT
from stacks.activation import active_stack

if TYPE_CHECKING:
    from mlflow import MlflowClient

    from sentiment.models.servable import Servable

ALIAS = "champion"
FINGERPRINT, NUMBER = "fingerprint", "zenml_version"  # tags
APPROVAL = ("approval", "approval_by", "approval_reason", "approval_time")  # further tags
UNFINISHED = "none"  # the number of an entry whose run died before ZenML had a version of it
MAX_DESCRIPTION_CHARACTERS = 5000  # PostgreSQL and MySQL refuse more; sqlite does not
THE_REST = "\n\nThe rest is in model_card.md, an artifact of the run.\n"
_configured_for: ContextVar[object] = ContextVar("configured_for", default="not configured")
SERVING_PACKAGES = ("mlflow", "numpy", "openvino", "onnxruntime", "tokenizers")


@dataclass(frozen=True)
class Registered:
    """A version in MLflow's registry.

    Attributes:
        version: Its number in MLflow.
        fingerprint: SHA-256 of its servable; empty if it holds none.
        number: Its number in ZenML, :data:`UNFINISHED`, or empty if it has no tag.
        approval: Its tag ``approval``, which people may set, too; empty if it has none.
        approval_by: Its tag ``approval_by``, likewise.
        approval_reason: Its tag ``approval_reason``, likewise.
        approval_time: Its tag ``approval_time``, the last one that is written when an approval or rejection is
            carried out.
    """

    version: str
    fingerprint: str
    number: str
    approval: str = ""
    approval_by: str = ""
    approval_reason: str = ""
    approval_time: str = ""


def list_registered(model: str) -> list[Registered]:
    """Lists the model's versions in MLflow's registry, oldest first."""
    found = connect().search_model_versions(f"name='{model}'")
    return [
        Registered(str(v.version), *(v.tags.get(tag, "") for tag in (FINGERPRINT, NUMBER, *APPROVAL)))
        for v in sorted(found, key=lambda v: int(v.version))
    ]


def find_registered(model: str, fingerprint: str) -> Registered | None:
    """Returns the newest version in MLflow's registry that holds the servable with this fingerprint."""
    return next((r for r in reversed(list_registered(model)) if r.fingerprint == fingerprint), None)


def register(model: str, servable: Servable, card: str) -> Registered:
    """Uploads a servable, in the active MLflow run if there is one, and registers it with the model card."""
    import mlflow

    client = connect()
    with nullcontext() if mlflow.active_run() else mlflow.start_run(run_name=f"register {model} again"):
        logged = mlflow.pyfunc.log_model(
            name="model",
            python_model=str(ROOT / "registry" / "pyfunc_model.py"),
            artifacts={"servable": str(servable.path)},
            code_paths=[str(ROOT / "sentiment")],
            pip_requirements=[f"{name}=={version(name)}" for name in SERVING_PACKAGES],
        )
    made = mlflow.register_model(logged.model_uri, model, tags={FINGERPRINT: servable.fingerprint})
    client.update_model_version(model, made.version, description=shorten_card(card))
    return Registered(str(made.version), servable.fingerprint, "")


def update_description(model: str, of: Registered, card: str) -> None:
    """Replaces the model card of a version in MLflow's registry."""
    connect().update_model_version(model, of.version, description=shorten_card(card))


def shorten_card(card: str) -> str:
    """Cuts a model card to the length of a description, and says where the rest is."""
    if len(card) <= MAX_DESCRIPTION_CHARACTERS:
        return card
    return card[: MAX_DESCRIPTION_CHARACTERS - len(THE_REST)].rpartition("\n")[0] + THE_REST


def tag_number(model: str, of: Registered, number: str) -> None:
    """Tags MLflow's version with its number in ZenML."""
    connect().set_model_version_tag(model, of.version, NUMBER, number)


def set_tags(model: str, of: Registered, tags: Mapping[str, str]) -> None:
    """Sets tags of a version in MLflow's registry."""
    client = connect()
    for name, value in tags.items():
        client.set_model_version_tag(model, of.version, name, value)


def find_aliased(model: str) -> Registered | None:
    """Returns the version that the alias points at; None if there is no alias."""
    found = connect().search_registered_models(f"name='{model}'")
    versions = {str(entry.aliases[ALIAS]) for entry in found if ALIAS in entry.aliases}
    return next((r for r in list_registered(model) if r.version in versions), None)


def point_alias(model: str, to: Registered) -> None:
    """Points the alias at a version."""
    connect().set_registered_model_alias(model, ALIAS, to.version)


def remove_alias(model: str) -> None:
    """Removes the alias."""
    connect().delete_registered_model_alias(model, ALIAS)


def connect() -> MlflowClient:
    """Connects to the MLflow server of the active stack.

    Raises:
        UserError: If the stack has no experiment tracker.
    """
    import mlflow
    from zenml.client import Client

    tracker = Client().active_stack.experiment_tracker
    if tracker is None:
        raise UserError(
            "has no experiment tracker",
            where=f"stack {Client().active_stack_model.name}",
            remedy="Add one to its YAML.",
        )
    # Configure once a session: it asks ZenML's server ten times for secrets. ZenML resets the URI after each step.
    uri = tracker.get_tracking_uri()  # type: ignore[attr-defined] # the stack files allow MLflow's flavor only
    if _configured_for.get() is not active_stack() or mlflow.get_tracking_uri() != uri:
        tracker.configure_mlflow()  # type: ignore[attr-defined]
        _configured_for.set(active_stack())
    return mlflow.MlflowClient()
