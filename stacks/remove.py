"""Removes a stack from ZenML; artifacts stay, and the stack finds them again when it is applied again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sentiment.errors import UserError
from stacks.apply import FLAVORS, PREFIX, find_stack, full_name, own_components
from stacks.secrets import owned

if TYPE_CHECKING:
    from zenml.client import Client
    from zenml.models import ComponentResponse, StackResponse


def remove(name: str) -> list[str]:
    """Deletes a stack with its secrets and components; continues an interrupted removal.

    Returns:
        Descriptions of the deletions; empty if there was nothing to delete.

    Raises:
        UserError: If it is the active or the last one, or a service of its deployer is live.
    """
    from zenml.client import Client
    from zenml.utils.pagination_utils import depaginate

    client, full, removed = Client(), full_name(name), []
    stack = find_stack(name)
    components = own_components(client, full)
    _refuse_live(name, components)
    if stack:
        others = [s for s in depaginate(client.list_stacks, name=f"startswith:{PREFIX}-", hydrate=True) if s != stack]
        _refuse_needed(client, name, stack, others)
        for secret in sorted(owned(stack).difference(*map(owned, others))):
            for found in client.list_secrets(name=f"equals:{secret}", private=False).items:
                client.zen_store.delete_secret(found.id)
                removed.append(f"secret {secret}")
        client.delete_stack(stack.id)
        removed.append(f"stack {full}")
    for component in components:
        if not _is_needed(client, component):
            client.delete_stack_component(component.id, component.type)
            removed.append(f"{component.type.value} {component.name}")
    return removed


def _is_needed(client: Client, component: ComponentResponse) -> bool:
    """Whether another stack uses it, or it holds artifacts."""
    if client.list_stacks(component_id=component.id, size=1).items:
        return True
    is_store = component.type.value == "artifact_store"
    return is_store and bool(client.list_artifact_versions(artifact_store_id=component.id, size=1).items)


def _refuse_needed(client: Client, name: str, stack: StackResponse, others: list[StackResponse]) -> None:
    if stack.id == client.active_stack_model.id:
        remedy = "Make another one active first: python run.py stack use NAME."
        raise UserError("is the active one", where=f"stack {name}", remedy=remedy)
    if not others:
        remedy = "Apply another one first: python run.py stack apply NAME."
        raise UserError("is the last one of this project", where=f"stack {name}", remedy=remedy)


def _refuse_live(name: str, components: list[ComponentResponse]) -> None:
    from zenml.enums import StackComponentType
    from zenml.model_deployers import BaseModelDeployer

    for component in components:
        if component.type != StackComponentType.MODEL_DEPLOYER or component.flavor_name not in FLAVORS:
            continue
        deployer: Any = BaseModelDeployer.from_model(component)  # its class is named by its flavor: no import here
        if deployer.live():
            remedy = f"Stop it first: python run.py --stack {name} stop."
            raise UserError("serves a model", where=f"stack {name}", remedy=remedy)
