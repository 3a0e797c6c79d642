"""MLflow's registry on the active stack: which of its versions holds which servable, and where its alias leads."""

from __future__ import annotations

from contextlib import nullcontext
from contextvars import ContextVar
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from sentiment.errors import UserError
from stacks.activation import active_stack

if TYPE_CHECKING:
    from mlflow import MlflowClient

    from sentiment.models.servable import Servable

ROOT = Path(__file__).resolve().parents[1]
ALIAS = "champion"
FINGERPRINT, NUMBER = "fingerprint", "zenml_version"  # tags
UNFINISHED = "none"  # as a number: the run that registered it ended before ZenML had a version of it
MOST_DESCRIBED = 5000  # characters of a description; PostgreSQL and MySQL refuse more, sqlite does not mind
THE_REST = "\n\nThe rest is in model_card.md, an artifact of the run.\n"
_configured_for: ContextVar[object] = ContextVar("configured_for", default="no stack yet")
SERVING_PACKAGES = ("mlflow", "numpy", "onnxruntime", "tokenizers", "mmh3")


@dataclass(frozen=True)
class Registered:
    """A version in MLflow's registry.

    Attributes:
        version: MLflow's number of it.
        fingerprint: SHA-256 of its servable; empty if it holds none.
        number: Number of ZenML's version of it, :data:`UNFINISHED`, or empty where nobody has said so.
    """

    version: str
    fingerprint: str
    number: str


def registered(model: str) -> list[Registered]:
    """What MLflow's registry holds of the model, oldest first."""
    found = _client().search_model_versions(f"name='{model}'")
    return [
        Registered(str(v.version), v.tags.get(FINGERPRINT, ""), v.tags.get(NUMBER, ""))
        for v in sorted(found, key=lambda v: int(v.version))
    ]


def find(model: str, fingerprint: str) -> Registered | None:
    """The newest version in MLflow's registry that holds the servable with this fingerprint."""
    return next((r for r in reversed(registered(model)) if r.fingerprint == fingerprint), None)


def register(model: str, servable: Servable, card: str) -> Registered:
    """Uploads a servable, in the active MLflow run if there is one, and registers it with the model card."""
    import mlflow

    client = _client()
    with nullcontext() if mlflow.active_run() else mlflow.start_run(run_name=f"register {model} again"):
        logged = mlflow.pyfunc.log_model(
            name="model",
            python_model=str(ROOT / "registry" / "pyfunc_model.py"),
            artifacts={"servable": str(servable.path)},
            code_paths=[str(ROOT / "sentiment")],
            pip_requirements=[f"{name}=={version(name)}" for name in SERVING_PACKAGES],
        )
    made = mlflow.register_model(logged.model_uri, model, tags={FINGERPRINT: servable.fingerprint})
    client.update_model_version(model, made.version, description=described(card))
    return Registered(str(made.version), servable.fingerprint, "")


def describe(model: str, of: Registered, card: str) -> None:
    """Replaces the model card."""
    _client().update_model_version(model, of.version, description=described(card))


def described(card: str) -> str:
    """A model card, or what of it fits into a description, and where the rest is."""
    if len(card) <= MOST_DESCRIBED:
        return card
    return card[: MOST_DESCRIBED - len(THE_REST)].rpartition("\n")[0] + THE_REST


def tag_number(model: str, of: Registered, number: str) -> None:
    """Writes the version's number in ZenML on MLflow's version of it, for people who look there."""
    _client().set_model_version_tag(model, of.version, NUMBER, number)


def aliased(model: str) -> Registered | None:
    """The version that the alias leads to; None if it leads nowhere."""
    found = _client().search_registered_models(f"name='{model}'")
    versions = {str(entry.aliases[ALIAS]) for entry in found if ALIAS in entry.aliases}
    return next((r for r in registered(model) if r.version in versions), None)


def move_alias(model: str, to: Registered) -> None:
    """Lets the alias lead to a version."""
    _client().set_registered_model_alias(model, ALIAS, to.version)


def withdraw_alias(model: str) -> None:
    """Lets the alias lead nowhere."""
    _client().delete_registered_model_alias(model, ALIAS)


def _client() -> MlflowClient:
    """MLflow as the active stack has it.

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
    # Once a session: it asks ZenML's server ten times for secrets. ZenML takes the URI back at the end of a step.
    uri = tracker.get_tracking_uri()  # type: ignore[attr-defined] # the stack files allow MLflow's flavor only
    if _configured_for.get() is not active_stack() or mlflow.get_tracking_uri() != uri:
        tracker.configure_mlflow()  # type: ignore[attr-defined]
        _configured_for.set(active_stack())
    return mlflow.MlflowClient()
