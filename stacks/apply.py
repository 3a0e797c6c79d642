"""Registers a stack in ZenML as its file declares it. Applying again changes nothing, or ends an interrupted call."""

from __future__ import annotations

import random
import re
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast
from uuid import UUID

from pydantic import ValidationError

from sentiment.errors import UserError
from stacks.secrets import Secrets
from stacks.stack_file import FURTHER_TRACKERS, SECRET_REFERENCE, ComponentSettings, Stack, component_type

if TYPE_CHECKING:
    from zenml.client import Client
    from zenml.enums import StackComponentType
    from zenml.models import ComponentResponse, StackResponse
    from zenml.stack.stack_component import StackComponentConfig

PREFIX = "sentiment"
FLAVORS = {  # of this project
    "sentiment_bento": "serving.flavor.BentoDeployerFlavor",
    "sentiment_sagemaker": "serving.sagemaker.flavor.SageMakerDeployerFlavor",
    **FURTHER_TRACKERS,
}
ATTEMPTS = 5  # where others apply the same stack at the same time
FORMER = "~"  # between the name of a component and the id of one that had this name before
FURTHER = "+"  # between the name of the stack and the flavor of a tracker after the first one


@dataclass(frozen=True)
class Applied:
    """A stack that ZenML knows.

    Attributes:
        id: ZenML's.
        name: In ZenML.
        changes: Descriptions of the changes; empty if there were none.
    """

    id: UUID
    name: str
    changes: tuple[str, ...]


def full_name(name: str) -> str:
    """Returns the name of a stack and its components in ZenML."""
    return f"{PREFIX}-{name}"


def find_stack(name: str) -> StackResponse | None:
    """The stack as ZenML knows it, if it does."""
    from zenml.client import Client

    try:
        return Client().get_stack(full_name(name), allow_name_prefix_match=False)
    except KeyError:
        return None


def apply(stack: Stack) -> Applied:
    """Registers a stack with its secrets and components, or brings it up to date.

    Raises:
        UserError: If it names an unknown flavor, setting or secret; nothing is changed then.
    """
    return _Application(stack).run()


@dataclass(frozen=True)
class _Declared:
    """A component of the stack file.

    Attributes:
        key: In ``Stack.components``.
        kind: Its type.
        name: In ZenML.
        settings: Its flavor and configuration.
    """

    key: str
    kind: StackComponentType
    name: str
    settings: ComponentSettings

    @classmethod
    def of(cls, stack: Stack, key: str) -> _Declared:
        """Names a component after the stack that owns it; trackers after the first one after their flavor, too."""
        from zenml.enums import StackComponentType

        kind, settings, name = component_type(key), stack.components[key], full_name(stack.owners.get(key, stack.name))
        if key != kind:
            name += FURTHER + settings.flavor.removeprefix(f"{PREFIX}_")
        return cls(key, StackComponentType(kind), name, settings)


class _Application:
    """Applies a stack: checks all of its file, then writes secrets, components and the stack that joins them.

    The stack itself is changed last. Until then it has its former components, so it works after an interrupted call.
    """

    def __init__(self, stack: Stack) -> None:
        from zenml.client import Client

        self._stack, self._name = stack, full_name(stack.name)
        self._client: Client = Client()
        self._changes: list[str] = []
        self._known: list[ComponentResponse] = []

    def run(self) -> Applied:
        identifier, secrets = self._settle()
        if self._changes:  # the rest is cleaning up: if interrupted, the next change continues it
            self._forget_former()
        if secrets.undeclared:
            self._changes += secrets.forget_undeclared(identifier)
        return Applied(identifier, self._name, tuple(self._changes))

    def _settle(self) -> tuple[UUID, Secrets]:
        for _ in range(ATTEMPTS - 1):
            try:
                return self._declare()
            except Exception as error:
                if not _is_conflict(error):
                    raise
            time.sleep(random.uniform(0.1, 0.5))
        return self._declare()

    def _declare(self) -> tuple[UUID, Secrets]:
        present = find_stack(self._stack.name)
        secrets = Secrets(self._client, self._stack, present)
        owners = {self._name, *map(full_name, self._stack.owners.values())}
        self._known = [component for owner in owners for component in own_components(self._client, owner)]
        declared = [_Declared.of(self._stack, key) for key in self._stack.components]
        wanted = [self._configuration(component) for component in declared]
        self._changes += secrets.write()
        components: dict[StackComponentType, list[UUID]] = {}
        for component, configuration in zip(declared, wanted, strict=True):
            components.setdefault(component.kind, []).append(self._component(component, configuration))
        return self._compose(present, components, secrets.label), secrets

    # Components

    def _present(self, declared: _Declared) -> ComponentResponse | None:
        return next((c for c in self._known if c.type == declared.kind and c.name == declared.name), None)

    def _component(self, declared: _Declared, wanted: dict[str, Any]) -> UUID:
        present, flavor = self._present(declared), declared.settings.flavor
        if present is None or not _same_place(declared.kind, present, flavor, wanted):
            if present:
                self._rename(present, f"{declared.name}{FORMER}{str(present.id)[:8]}")
            present = self._former(declared, wanted)
            if present is None:
                return self._create(declared, wanted)
            self._rename(present, declared.name)
        self._update(declared, present, wanted)
        return present.id

    def _configuration(self, declared: _Declared) -> dict[str, Any]:
        """Validates the configuration by the flavor's class; returns the form that ZenML stores."""
        from zenml.exceptions import ArtifactStoreInterfaceError
        from zenml.stack.utils import validate_stack_component_config
        from zenml.utils.secret_utils import is_secret_field, is_secret_reference

        present, kind, settings = self._present(declared), declared.kind, declared.settings
        if present and (present.flavor_name, present.configuration) == (settings.flavor, settings.configuration):
            self._register(settings.flavor, kind)
            return present.configuration  # loading the flavor's class would take time
        where = f"{self._stack.file}, {declared.key}"
        self._check_secrets(settings.configuration, where)
        plain = {key: self._plain(value) for key, value in settings.configuration.items()}
        try:
            self._register(settings.flavor, kind)
            validated = validate_stack_component_config(plain, settings.flavor, kind)
        except (KeyError, ImportError, ValueError, ArtifactStoreInterfaceError) as error:
            raise UserError(_reason(error), where=where, remedy="See local.yaml.") from error
        config = cast("StackComponentConfig", validated)  # None only on a server that lacks the flavor
        fields = type(config).model_fields
        for key, value in settings.configuration.items():
            if is_secret_field(fields[key]) and not is_secret_reference(value):
                remedy = f"Declare it under secrets, and write {key}: '{{{{secret.key}}}}'."
                raise UserError(f"{key} is a secret in plain text", where=where, remedy=remedy)
        references = {key: value for key, value in settings.configuration.items() if plain[key] != value}
        return {**config.model_dump(mode="json", exclude_unset=True), **references}

    def _plain(self, value: Any) -> Any:  # noqa: ANN401  # any YAML value
        """Replaces a reference to a secret of the file, which ZenML may not have yet."""
        reference = SECRET_REFERENCE.fullmatch(value) if isinstance(value, str) else None
        return self._stack.secrets.get(reference[1], {}).get(reference[2], value) if reference else value

    def _check_secrets(self, configuration: dict[str, Any], where: str) -> None:
        """Secrets that the file does not declare are in ZenML already."""
        references = [SECRET_REFERENCE.fullmatch(v) for v in configuration.values() if isinstance(v, str)]
        names = {match[1] for match in references if match} | {configuration.get("authentication_secret")}
        for name in names - {None} - set(self._stack.secrets):
            if not self._client.list_secrets(name=f"equals:{name}", size=1).items:
                remedy = f"Declare it under secrets, or run zenml secret create {name}."
                raise UserError(f"there is no secret {name}", where=where, remedy=remedy)

    def _register(self, flavor: str, kind: StackComponentType) -> None:
        """Registers a flavor of this project, or points it at its class if that has moved since."""
        from zenml.models import FlavorUpdate

        if flavor not in FLAVORS:
            return
        known = self._client.list_flavors(name=flavor, type=kind, hydrate=True).items
        if not known:
            self._client.create_flavor(FLAVORS[flavor], kind)
        elif known[0].source != FLAVORS[flavor]:
            update = FlavorUpdate(source=FLAVORS[flavor])
            self._client.zen_store.update_flavor(known[0].id, update)

    def _create(self, declared: _Declared, wanted: dict[str, Any]) -> UUID:
        from zenml.models import ComponentRequest

        kind, flavor = declared.kind, declared.settings.flavor
        request = ComponentRequest(name=declared.name, type=kind, flavor=flavor, configuration=wanted)
        created = self._client.zen_store.create_stack_component(request).id  # the client would validate it once more
        self._changes.append(f"{kind.value}: created ({flavor})")
        return created

    def _update(self, declared: _Declared, present: ComponentResponse, wanted: dict[str, Any]) -> None:
        before = dict(present.configuration)
        changed = sorted(key for key, value in wanted.items() if before.get(key) != value)
        reset = sorted(set(before) - set(wanted))
        if not changed and not reset:
            return
        configuration = {**wanted, **dict.fromkeys(reset)}  # ZenML merges, and takes None for: not set
        self._client.update_stack_component(present.id, declared.kind, configuration=configuration)
        words = [f"changed {', '.join(changed)}"] * bool(changed) + [f"reset {', '.join(reset)}"] * bool(reset)
        self._changes.append(f"{declared.key}: {'; '.join(words)}")

    def _rename(self, component: ComponentResponse, name: str) -> None:
        self._client.update_stack_component(component.id, component.type, name=name)
        self._changes.append(f"{component.type.value}: {component.name} is called {name} now")

    # Components that had the name before: another flavor, or another place for artifacts

    def _former(self, declared: _Declared, wanted: dict[str, Any]) -> ComponentResponse | None:
        kind, former = declared.kind, f"{declared.name}{FORMER}"
        found = [c for c in self._known if c.type == kind and c.name.startswith(former)]
        return next((c for c in found if _same_place(kind, c, declared.settings.flavor, wanted)), None)

    def _forget_former(self) -> None:
        """Deletes components that no stack uses any more; artifact stores stay, because they hold artifacts."""
        declared = [_Declared.of(self._stack, key) for key in self._stack.components]
        current = {(component.kind, component.name) for component in declared}
        for component in own_components(self._client, self._name):
            if (component.type, component.name) in current:
                continue
            in_use = self._client.list_stacks(component_id=component.id, size=1).items
            if component.type.value != "artifact_store" and not in_use:
                with suppress(KeyError):  # another process has just done it
                    self._client.delete_stack_component(component.id, component.type)
                self._changes.append(f"{component.type.value}: removed ({component.flavor_name})")

    # The stack itself

    def _compose(
        self, present: StackResponse | None, wanted: dict[StackComponentType, list[UUID]], label: dict[str, str]
    ) -> UUID:
        if present is None:
            from zenml.models import StackRequest

            request = StackRequest(name=self._name, components=wanted, labels=label)
            created = self._client.zen_store.create_stack(request).id
            self._changes.append(f"stack: created as {self._name}")
            return created
        before = {
            kind: _in_order([c.id for c in found], wanted.get(kind)) for kind, found in present.components.items()
        }
        labels = present.labels or {}
        if before == wanted and label.items() <= labels.items() and not self._changes:
            return present.id
        empty: dict[StackComponentType, list[UUID]] = {kind: [] for kind in {*before, *wanted}}
        # also where only a component has changed: ZenML keeps stacks in memory by when they were changed themselves
        self._client.update_stack(present.id, component_updates={**empty, **wanted}, labels=label)
        if before != wanted:
            names = sorted(kind.value for kind in {*before, *wanted} if before.get(kind) != wanted.get(kind))
            self._changes.append(f"stack: has another {', '.join(names)}")
        return present.id


def own_components(client: Client, name: str) -> list[ComponentResponse]:
    """Components with the name of a stack in ZenML, and those that had it before."""
    from zenml.utils.pagination_utils import depaginate

    found = depaginate(client.list_stack_components, name=f"startswith:{name}", hydrate=True)
    return [c for c in found if c.name.partition(FORMER)[0].partition(FURTHER)[0] == name]


def _in_order(present: list[UUID], wanted: list[UUID] | None) -> list[UUID]:
    """Sorts a stack's components as they are wanted: ZenML keeps only which of them is the first."""
    same = wanted is not None and present[0] == wanted[0] and set(present) == set(wanted)
    return wanted if wanted is not None and same else present


def _same_place(kind: StackComponentType, present: ComponentResponse, flavor: str, wanted: dict[str, Any]) -> bool:
    """Whether a component can be changed in place: artifacts are found through the path of their artifact store."""
    moved = kind.value == "artifact_store" and present.configuration.get("path") != wanted.get("path")
    return present.flavor_name == flavor and not moved


def _is_conflict(error: Exception) -> bool:
    """Whether another process applies the same stack now: then the work so far is right, and the rest will follow."""
    words = f"{type(error).__name__} {error}"
    signs = ("EntityExistsError", "IntegrityError", "already exists", "database is locked")
    return any(sign in words for sign in signs)


def _reason(error: Exception) -> str:
    if isinstance(error, ValidationError):
        problem = error.errors(include_url=False, include_input=False)[0]
        return ": ".join(filter(None, (".".join(map(str, problem["loc"])), problem["msg"])))
    return re.sub(r"\s+", " ", str(error.args[0] if error.args else error).strip().splitlines()[0]).rstrip(".")
