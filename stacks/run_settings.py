"""The settings of a stack for every run on it: images, resources, pods. Pipelines and steps do not name them."""

from __future__ import annotations

import typing
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ValidationError

from sentiment.errors import UserError
from sentiment.settings import nearest_of
from stacks.stack_file import Stack, component_type

if TYPE_CHECKING:
    from zenml.stack import StackComponentConfig


def run_settings(stack: Stack) -> dict[str, Any]:
    """Settings of the stack's file for ``Pipeline.with_options``; empty if it has none."""
    steps = {name: {"settings": dict(settings)} for name, settings in stack.steps.items()}
    return {key: value for key, value in (("settings", dict(stack.settings)), ("steps", steps)) if value}


def check_run_settings(stack: Stack) -> None:
    """Checks the settings of runs, and nested settings of components: ZenML ignores unknown keys.

    Raises:
        UserError: If one is unknown or wrong.
    """
    for kind, component in stack.components.items():
        nested = {key: value for key, value in component.configuration.items() if isinstance(value, Mapping)}
        if nested:
            with suppress(KeyError, ImportError):  # of an unknown flavor: applying the stack reports it
                _require_known(_config_class(stack, kind), nested, f"{stack.file}, key components.{kind}.configuration")
    for where, settings in {"settings": stack.settings, **{f"steps.{n}": s for n, s in stack.steps.items()}}.items():
        for key, values in settings.items():
            _check(_settings_class(stack, key, where), values, f"{stack.file}, key {where}.{key}")


def _check(model: type[BaseModel], values: Mapping[str, Any], where: str) -> None:
    _require_known(model, values, where)
    try:
        _require_files(model.model_validate(dict(values)), where)
    except ValidationError as error:
        problem = error.errors(include_url=False)[0]
        key = ".".join([where, *map(str, problem["loc"])])
        raise UserError(problem["msg"], where=key, remedy="Fix the value.") from error
    except ImportError as error:
        raise UserError(str(error), where=where, remedy="Install the requirements of the stack file.") from error


def _require_known(model: type[BaseModel], values: Mapping[str, Any], where: str) -> None:
    for key, value in values.items():
        if key not in model.model_fields:
            raise UserError("there is no such key", where=f"{where}.{key}", remedy=nearest_of(key, model.model_fields))
        annotation = model.model_fields[key].annotation
        for inner in (annotation, *typing.get_args(annotation)):
            if isinstance(inner, type) and issubclass(inner, BaseModel) and isinstance(value, Mapping):
                _require_known(inner, value, f"{where}.{key}")


def _require_files(settings: BaseModel, where: str) -> None:
    """Without an ignore file, secrets would get into an image, and ZenML would only warn."""
    from zenml.config import DockerSettings

    if isinstance(settings, DockerSettings):
        ignored = settings.build_config.dockerignore if settings.build_config else None
        for key, file in (("requirements", settings.requirements), ("build_config.dockerignore", ignored)):
            if isinstance(file, str) and not Path(file).is_file():
                raise UserError(f"there is no file {file}", where=f"{where}.{key}", remedy="Fix its name.")


def _settings_class(stack: Stack, key: str, below: str) -> type[BaseModel]:
    """Returns ZenML's class for the settings with this key."""
    from zenml.config.base_settings import BaseSettings
    from zenml.stack import StackComponentConfig
    from zenml.utils.settings_utils import get_general_settings

    where, general = f"{stack.file}, key {below}.{key}", get_general_settings()
    if key in general:
        return general[key]
    if key not in stack.components:
        raise UserError("there is no such key", where=where, remedy=nearest_of(key, [*general, *stack.components]))
    try:
        bases = _config_class(stack, key).__mro__  # a component's configuration extends the settings of its runs
    except (KeyError, ImportError) as error:
        what = str(error.args[0]).rstrip(".")
        raise UserError(what, where=f"{stack.file}, {key}", remedy="See local.yaml.") from error
    own = [b for b in bases if issubclass(b, BaseSettings) and not issubclass(b, StackComponentConfig)]
    if own[:1] in ([], [BaseSettings]):
        flavor = stack.components[key].flavor
        raise UserError(f"the flavor {flavor} has no settings of runs", where=where, remedy="Remove it.")
    return own[0]


def _config_class(stack: Stack, kind: str) -> type[StackComponentConfig]:
    from zenml.client import Client
    from zenml.enums import StackComponentType
    from zenml.stack import Flavor

    flavor = stack.components[kind].flavor
    found = Client().get_flavor_by_name_and_type(flavor, StackComponentType(component_type(kind)))
    return Flavor.from_model(found).config_class
