"""Makes ZenML know the stack that a file declares; doing so again changes nothing."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import Field, ValidationError

from sentiment.errors import UserError
from sentiment.settings import Settings, nearest_of, read_settings

if TYPE_CHECKING:
    from zenml.client import Client
    from zenml.enums import StackComponentType
    from zenml.models import ComponentResponse, StackResponse

PREFIX = "sentiment"
FLAVORS = {"sentiment_bento": "stacks.bento_flavor.BentoDeployerFlavor"}  # of this house
REQUIRED = ("orchestrator", "artifact_store")  # without them ZenML has no stack


class ComponentSettings(Settings):
    """One component of a stack."""

    flavor: str = Field(description="ZenML flavor, e.g. local, s3, mlflow")
    configuration: dict[str, Any] = Field(default_factory=dict, description="the flavor's own settings")


class StackSettings(Settings):
    """A stack file."""

    components: dict[str, ComponentSettings] = Field(description="by component type, e.g. orchestrator")


def apply(name: str, folder: Path) -> StackResponse:
    """Registers the stack in ``folder/name.yaml``, or brings it up to date.

    Raises:
        UserError: If there is no such file, or it names an unknown component type, flavor or setting.
    """
    from zenml.client import Client
    from zenml.enums import StackComponentType

    file = folder / f"{name}.yaml"
    if not file.exists():
        remedy = nearest_of(name, [p.stem for p in folder.glob("*.yaml")])
        raise UserError(f"there is no stack {name!r}", where=str(folder), remedy=remedy)
    settings = read_settings(StackSettings, file)
    unknown = [kind for kind in settings.components if kind not in StackComponentType.values()]
    if unknown:
        raise UserError(f"there is no component type {unknown[0]!r}", where=str(file), remedy="See local.yaml.")
    missing = [kind for kind in REQUIRED if kind not in settings.components]
    if missing:
        raise UserError(f"there is no {missing[0]}", where=str(file), remedy="See local.yaml.")
    components = {
        StackComponentType(kind): _component(file, StackComponentType(kind), component).id
        for kind, component in settings.components.items()
    }
    client, full_name = Client(), f"{PREFIX}-{name}"
    try:
        stack = client.get_stack(full_name, allow_name_prefix_match=False)
    except KeyError:
        return client.create_stack(full_name, components)
    present = {kind: [c.id for c in found] for kind, found in stack.components.items()}
    if present != {kind: [identifier] for kind, identifier in components.items()}:
        stack = client.update_stack(stack.id, component_updates=components)
    return stack


def _component(file: Path, kind: StackComponentType, settings: ComponentSettings) -> ComponentResponse:
    from zenml.client import Client

    client, name = Client(), f"{PREFIX}-{file.stem}"
    try:
        component = client.get_stack_component(kind, name, allow_name_prefix_match=False)
    except KeyError:
        component = None
    try:
        if component is None:
            _register(client, settings.flavor, kind)
            return client.create_stack_component(name, settings.flavor, kind, settings.configuration)
        changed = {k: v for k, v in settings.configuration.items() if component.configuration.get(k) != v}
        return client.update_stack_component(component.id, kind, configuration=changed) if changed else component
    except (KeyError, ImportError, ValueError) as error:  # no such flavor, its package is missing, a wrong setting
        raise UserError(_reason(error), where=f"{file}, {kind.value}", remedy="See local.yaml.") from error


def _register(client: Client, flavor: str, kind: StackComponentType) -> None:
    """Makes ZenML know a flavor of this house."""
    if flavor in FLAVORS and not client.list_flavors(name=flavor, type=kind).items:
        client.create_flavor(FLAVORS[flavor], kind)


def _reason(error: Exception) -> str:
    if isinstance(error, ValidationError):
        problem = error.errors(include_url=False, include_input=False)[0]
        return ": ".join(filter(None, (".".join(map(str, problem["loc"])), problem["msg"])))
    return str(error.args[0] if error.args else error).splitlines()[0]
