"""Settings: the YAML files under ``configs/``, checked before anything starts."""

from __future__ import annotations

import difflib
import re
import typing
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, ValidationError
from pydantic_core import PydanticCustomError

from sentiment.errors import UserError


class Settings(BaseModel):
    """Settings read from YAML: unknown keys are errors, values do not change after loading."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


NAME_RULE = "must be 1 to 63 letters (a to z), digits, _ . or -, the first one a letter or digit"


def is_model_name(name: str) -> bool:
    """Whether ZenML, MLflow and BentoML all accept this name of a model."""
    return re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,62}", name) is not None


def _as_model_name(name: str) -> str:
    if not is_model_name(name):
        raise PydanticCustomError("model_name", NAME_RULE)
    return name


ModelName = Annotated[str, AfterValidator(_as_model_name)]

SettingsT = TypeVar("SettingsT", bound=Settings)
CONFIGS = Path(__file__).resolve().parents[1] / "configs"


def read_settings(model: type[SettingsT], path: Path, overrides: Sequence[str] = ()) -> SettingsT:
    """Reads a YAML file into a settings model.

    A file may name another one beside it by ``extends: other.yaml`` and then holds only the differences.

    Args:
        model: The settings model.
        path: The file.
        overrides: ``key.subkey=value`` pairs that replace values of the file; values are YAML.

    Raises:
        UserError: For a missing or broken file, an unknown key (with the nearest right one) or a wrong value.
    """
    values = _read(path)
    for override in overrides:
        _override(values, override)
    try:
        return model.model_validate(values)
    except ValidationError as error:
        raise _explain(error, model, path) from error


def included(model: type[SettingsT]) -> BeforeValidator:
    """Annotates a field whose value may be the path of a YAML file: the file is read once and its values are the value.

    So the cache key and the record of a run hold the file's content, not its name.
    """

    def read(value: object) -> object:
        return read_settings(model, Path(value)) if isinstance(value, str | Path) else value

    return BeforeValidator(read)


def default_file(model: type[SettingsT], name: str) -> Callable[[], SettingsT]:
    """Returns a default factory that reads a file of ``configs/``."""
    return lambda: read_settings(model, CONFIGS / name)


def nearest_of(given: str, known: Iterable[str]) -> str:
    """Returns a remedy for a misspelt name: the nearest known one, or all of them."""
    names = sorted(known)
    nearest = difflib.get_close_matches(given, names, n=1, cutoff=0.5)
    return f"Did you mean {nearest[0]}?" if nearest else f"Known: {', '.join(names) or 'none'}."


def _read(path: Path, extended_by: tuple[Path, ...] = ()) -> dict[str, Any]:
    import yaml

    if path.resolve() in extended_by:
        raise UserError("extends itself", where=str(path), remedy="Name another file, or none.")
    try:
        values = _parse_yaml(path.read_text(encoding="utf-8")) or {}
    except FileNotFoundError as error:
        hint = nearest_of(path.name, [p.name for p in path.parent.glob("*.yaml")])
        raise UserError("there is no such file", where=str(path), remedy=hint) from error
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise UserError(f"cannot be read as YAML: {_flat(error)}", where=str(path), remedy="Fix the file.") from error
    if not isinstance(values, dict):
        raise UserError("must be a mapping of keys to values", where=str(path), remedy="See configs/train.yaml.")
    base = values.pop("extends", None)
    return values if base is None else _merge(_read(path.parent / str(base), (*extended_by, path.resolve())), values)


def _parse_yaml(text: str) -> Any:  # noqa: ANN401 - any YAML
    """Parses YAML, with keys as they are written: YAML 1.1 would read yes and no as booleans, and 01 as 1."""
    import yaml

    class KeysAsWritten(yaml.SafeLoader):
        def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
            self.flatten_mapping(node)
            for key, _ in node.value:
                if isinstance(key, yaml.ScalarNode) and key.tag != "tag:yaml.org,2002:null":
                    key.tag = "tag:yaml.org,2002:str"
            return super().construct_mapping(node, deep)

    return yaml.load(text, KeysAsWritten)


def _merge(base: dict[str, Any], change: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for key, value in change.items():
        old = merged.get(key)
        merged[key] = _merge(old, value) if isinstance(old, dict) and isinstance(value, dict) else value
    return merged


def _override(values: dict[str, Any], override: str) -> None:
    import yaml

    key, equals, text = override.partition("=")
    if not equals or not key:
        raise UserError("is not of the form key=value", where=f"--set {override}", remedy="E.g. --set seed=7.")
    *parents, last = key.split(".")
    for parent in parents:
        values = values.setdefault(parent, {})
        if not isinstance(values, dict):
            raise UserError(f"{parent} has no keys below it", where=f"--set {override}", remedy="Set it as a whole.")
    try:
        values[last] = _parse_yaml(text)
    except yaml.YAMLError as error:
        raise UserError(
            f"the value is not YAML: {_flat(error)}", where=f"--set {override}", remedy="Quote it."
        ) from error


def _explain(error: ValidationError, model: type[BaseModel], path: Path) -> UserError:
    """Returns the most informative problem of a validation error in one line."""
    problems = error.errors(include_url=False)
    problem = next(
        (p for p in problems if p["type"] == "extra_forbidden"), problems[0]
    )  # maybe a misspelt required one
    *parents, last = [str(part) for part in problem["loc"]] or [""]
    where = f"{path}, key {'.'.join([*parents, last])}" if last else str(path)
    if problem["type"] == "extra_forbidden":
        known = [".".join([*parents, field]) for field in _fields(model, parents)]
        return UserError("there is no such key", where=where, remedy=nearest_of(".".join([*parents, last]), known))
    value = "" if problem["type"] in ("missing", "secret_in_file") else f" (it is {problem['input']!r})"
    return UserError(f"{problem['msg']}{value}"[:300], where=where, remedy="Fix the value.")


def _fields(model: type[BaseModel], parents: Sequence[str]) -> Sequence[str]:
    names = iter(parents)
    for name in names:
        field = model.model_fields.get(name)
        if field is None:
            return ()
        nested = [t for t in (field.annotation, *typing.get_args(field.annotation)) if isinstance(t, type)]
        models = [t for t in nested if issubclass(t, BaseModel)]
        if not models:
            return ()
        model = models[0]
        if typing.get_origin(field.annotation) in (dict, list, tuple):
            next(names, None)  # the entry's own name, which is free
    return list(model.model_fields)


def _flat(error: Exception) -> str:
    return " ".join(str(error).split())
