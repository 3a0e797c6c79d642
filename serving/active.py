"""The active stack's model deployer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sentiment.errors import UserError

if TYPE_CHECKING:
    from serving.interface import RolloutDeployer


def find_deployer() -> RolloutDeployer[Any] | None:
    """The deployer of the active stack; None if it has none, or none that serves Bentos."""
    from zenml.client import Client

    from serving.interface import RolloutDeployer

    deployer = Client().active_stack.model_deployer
    return deployer if isinstance(deployer, RolloutDeployer) else None


def model_deployer() -> RolloutDeployer[Any]:
    """The deployer of the active stack.

    Raises:
        UserError: If it has none, or none that serves Bentos.
    """
    from zenml.client import Client

    deployer = find_deployer()
    if deployer is None:
        raise UserError(
            "has no model deployer of the flavor sentiment_bento or sentiment_sagemaker",
            where=f"stack {Client().active_stack_model.name}",
            remedy="Add one to its YAML: see configs/stacks/local.yaml and sagemaker.yaml.",
        )
    return deployer
