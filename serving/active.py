"""The active stack's model deployer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sentiment.errors import UserError

if TYPE_CHECKING:
    from sentiment.deployment import Deployment
    from serving.deployer import BentoDeployer
    from serving.service import BentoService


def find_deployer() -> BentoDeployer | None:
    """The deployer of the active stack; None if it has none, or none that serves Bentos."""
    from zenml.client import Client

    from serving.deployer import BentoDeployer

    deployer = Client().active_stack.model_deployer
    return deployer if isinstance(deployer, BentoDeployer) else None


def model_deployer() -> BentoDeployer:
    """The deployer of the active stack.

    Raises:
        UserError: If it has none, or none that serves Bentos.
    """
    from zenml.client import Client

    deployer = find_deployer()
    if deployer is None:
        raise UserError(
            "has no model deployer of the flavor sentiment_bento",
            where=f"stack {Client().active_stack_model.name}",
            remedy="Add one to its YAML: see configs/stacks/local.yaml.",
        )
    return deployer


def live_service(deployer: BentoDeployer, live: Deployment) -> BentoService:
    """The service itself that answers at the live address.

    Raises:
        UserError: If it was removed meanwhile.
    """
    from uuid import UUID

    from serving.service import BentoService

    service = BentoService.read(deployer.root, UUID(live.service))
    if service is None:
        raise UserError("was removed meanwhile", where=f"service {live.service}", remedy="Deploy again.")
    return service
