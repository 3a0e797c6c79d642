"""Stack files, ``configs/stacks/*.yaml``: the components of a stack, with this machine's variables substituted."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import BaseModel, Field, field_validator
from pydantic_core import PydanticCustomError

from sentiment.errors import UserError
from sentiment.settings import Settings, nearest_of, read_settings

ROOT = Path(__file__).resolve().parents[1]
FOLDER = Path("configs", "stacks")
KINDS = (
    "alerter", "annotator", "artifact_store", "container_registry", "data_validator", "deployer", "experiment_tracker",
    "feature_store", "image_builder", "log_store", "model_deployer", "model_registry", "orchestrator", "sandbox",
    "step_operator",
)  # fmt: skip  # of components, as ZenML names them; importing it for that would take seconds
REQUIRED = ("orchestrator", "artifact_store")  # without them ZenML has no stack
HERE = ("local", "mlflow", "sentiment_bento")  # flavors that need neither another machine nor further packages
TRACKER = "experiment_tracker"
FURTHER_TRACKERS = {  # flavors of this project that may follow MLflow: the class that registers each in ZenML
    "sentiment_wandb": "registry.trackers.flavors.WandbFlavor",
    "sentiment_trackio": "registry.trackers.flavors.TrackioFlavor",
}

VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}")
SECRET_VARIABLE = re.compile(r"\$\{[A-Za-z_][A-Za-z0-9_]*(:-)?\}")
SECRET_REFERENCE = re.compile(r"\{\{\s*([^\s.]+)\.(\S+?)\s*\}\}")
PASSWORD_IN_URL = re.compile(r"://[^/@\s]*:[^/@\s]+@")
HOLDS_SECRET = re.compile(
    r"(password|passwd|secret|token|credentials?|(access|api|encryption|private|secret)_?key)$", re.IGNORECASE
)
NAMES_SECRET = re.compile(r"(authentication|pull|tls)_?secret$", re.IGNORECASE)  # kept elsewhere
FLAGS = ("", "0", "1", "true", "false", "yes", "no")


class ComponentSettings(Settings):
    """One component of a stack."""

    flavor: str = Field(description="ZenML flavor, e.g. local, s3, mlflow")
    configuration: dict[str, Any] = Field(default_factory=dict, description="the flavor's own settings")


class RequirementSettings(Settings):
    """Packages and programs that the machine that starts a pipeline must have."""

    packages: tuple[str, ...] = Field((), description="Python packages as in requirements.txt, e.g. s3fs>=2025")
    programs: tuple[str, ...] = Field((), description="programs on the PATH, e.g. kubectl")
    install: str = Field("", description="command that installs the packages; empty: pip install PACKAGE")


class ServerSettings(Settings):
    """The ZenML server that everyone on this stack shares."""

    url: str = Field(description="its address; empty: the ZenML that this machine is connected to")
    api_key: str = Field("", description="${VARIABLE} that holds the key of a service account")

    @field_validator("api_key", mode="before")
    @classmethod
    def _is_variable(cls, value: object) -> object:
        return _variable(value, "api_key") if value else ""


class StackSettings(Settings):
    """A stack file.

    Strings in ``components``, ``server``, ``settings`` and ``steps`` may hold ``${NAME}`` or ``${NAME:-default}``; what
    comes out empty is left out.
    """

    components: dict[str, ComponentSettings] = Field(
        description="by component type, e.g. orchestrator; experiment_tracker may be a list, MLflow first"
    )
    shares: str = Field(
        "",
        description="another stack here, whose components it uses where both files declare the same: one live service",
    )
    secrets: dict[str, dict[str, str]] = Field(
        default_factory=dict,
        description="name, key, and the ${VARIABLE} that holds the value; ${VARIABLE:-} may be empty",
    )
    env_file: Path | None = Field(
        None, description="file with lines NAME=value, relative to the repository; the environment wins over it"
    )
    requirements: RequirementSettings = RequirementSettings()
    server: ServerSettings | None = None
    settings: dict[str, dict[str, Any]] = Field(
        default_factory=dict, description="of every run, by ZenML's key: docker, resources or a component type"
    )
    steps: dict[str, dict[str, dict[str, Any]]] = Field(
        default_factory=dict, description="the same for single steps, by their name"
    )

    @field_validator("components", mode="before")
    @classmethod
    def _name_trackers(cls, components: object) -> object:
        """Names the trackers of a list: the first one by its type, the others by their flavor, too."""
        trackers = components.get(TRACKER) if isinstance(components, dict) else None
        if not isinstance(components, dict) or not isinstance(trackers, list):
            return components
        flavors = [str(tracker.get("flavor")) if isinstance(tracker, dict) else "" for tracker in trackers]
        if not trackers or len(set(flavors)) < len(flavors):
            raise PydanticCustomError(
                "trackers", "experiment_tracker must list one component or more, each flavor once"
            )
        names = [TRACKER, *(f"{TRACKER} {flavor}" for flavor in flavors[1:])]
        others = {kind: component for kind, component in components.items() if kind != TRACKER}
        return {**others, **dict(zip(names, trackers, strict=True))}

    @field_validator("secrets", mode="before")
    @classmethod
    def _are_variables(cls, secrets: object) -> object:
        for name, values in (secrets if isinstance(secrets, dict) else {"secrets": secrets}).items():
            for key, value in (values if isinstance(values, dict) else {"": values}).items():
                _variable(value, f"{name}.{key}".rstrip("."))
        return secrets


def _variable(value: object, name: str) -> object:
    """Requires a value that is a single variable; the message must not repeat it."""
    if not isinstance(value, str) or not SECRET_VARIABLE.fullmatch(value):
        raise PydanticCustomError(
            "secret_in_file", "{name} must be ${VARIABLE}: secrets stay out of files", {"name": name}
        )
    return value


@dataclass(frozen=True)
class Server:
    """A ZenML server.

    Attributes:
        url: Its address.
        api_key: Of a service account; empty: the user who is logged in there.
    """

    url: str
    api_key: str = field(repr=False)


@dataclass(frozen=True)
class Stack:
    """A stack file with its variables replaced.

    Attributes:
        name: Of the file, without ``.yaml``.
        file: Where it was read.
        components: By component type; trackers after the first one by ``experiment_tracker FLAVOR``.
        owners: By the same keys, the stacks whose components it uses; without an entry, they are its own.
        secrets: Values by name and key.
        requirements: Packages and programs that must be installed.
        server: Its ZenML server; None: the one that this machine is connected to.
        settings: Of every run, by ZenML's key.
        steps: The same for single steps, by their name.
    """

    name: str
    file: Path
    components: Mapping[str, ComponentSettings]
    owners: Mapping[str, str]
    secrets: Mapping[str, Mapping[str, str]] = field(repr=False)
    requirements: RequirementSettings
    server: Server | None
    settings: Mapping[str, Mapping[str, Any]]
    steps: Mapping[str, Mapping[str, Mapping[str, Any]]]

    @property
    def is_remote(self) -> bool:
        """Whether it needs more than this machine with the packages of ``requirements.txt``."""
        settings = self.components.values()
        here = all(s.flavor in HERE and "tracking_uri" not in s.configuration for s in settings)
        return not here or self.server is not None


def stack_path(name: str, folder: Path = FOLDER) -> Path:
    """The file of a stack.

    Raises:
        UserError: If there is none; names the nearest.
    """
    path = folder / f"{name}.yaml"
    if not path.is_file():
        remedy = nearest_of(name, [p.stem for p in folder.glob("*.yaml")])
        raise UserError(f"there is no stack {name!r}", where=str(folder), remedy=remedy)
    return path


def read_stack(name: str, folder: Path = FOLDER) -> Stack:
    """Reads a stack file, and replaces its variables from the environment, otherwise from its ``env_file``.

    Raises:
        UserError: If there is no such file, something in it is wrong, or a variable is not set.
    """
    file = stack_path(name, folder)
    settings = read_stack_settings(file)
    known = environment_of(settings)
    asked = (settings.components, settings.secrets, settings.settings, settings.steps)
    _require_variables(asked, known, file, settings)
    components = {
        kind: ComponentSettings(flavor=c.flavor, configuration=replaced(c.configuration, known) or {})
        for kind, c in settings.components.items()
    }
    secrets = {name: replaced(values, known) or {} for name, values in settings.secrets.items()}
    components = {kind: _without_unset(component, settings.secrets, secrets) for kind, component in components.items()}
    everywhere = {name: replaced(getattr(settings, name), known) or {} for name in ("settings", "steps")}
    _check_references({"components": components, **everywhere}, secrets, file)
    return Stack(
        name=name,
        file=file,
        components=components,
        owners=_find_owners(settings.shares, components, file),
        secrets={name: values for name, values in secrets.items() if values},
        requirements=settings.requirements,
        server=read_server(file),
        **everywhere,
    )


def read_server(file: Path) -> Server | None:
    """Reads the ZenML server that a stack file names, if any; variables elsewhere in the file may be missing.

    Raises:
        UserError: If something in the file is wrong, or a variable is not set.
    """
    settings = read_stack_settings(file)
    known = environment_of(settings)
    url = replaced(settings.server.url, known) if settings.server else None
    if settings.server is None or not url:
        return None
    _require_variables(settings.server, known, file, settings)
    return Server(url.rstrip("/"), replaced(settings.server.api_key, known) or "")


def read_stack_settings(file: Path) -> StackSettings:
    """Reads a stack file as it is written.

    Raises:
        UserError: If something in it is wrong.
    """
    settings = read_settings(StackSettings, file)
    for kind in settings.components:
        if component_type(kind) not in KINDS:
            raise UserError(f"there is no component type {kind!r}", where=str(file), remedy=nearest_of(kind, KINDS))
    for kind in REQUIRED:
        if kind not in settings.components:
            raise UserError(f"there is no {kind}", where=str(file), remedy="See local.yaml.")
    _check_trackers(settings.components, file)
    written = settings.model_dump(include={"components", "server", "settings", "steps"})
    for where, text in _strings(written):
        if "${" in VARIABLE.sub("", text):
            remedy = "Write ${NAME} or ${NAME:-default}."
            raise UserError("is not a variable", where=f"{file}, key {where}", remedy=remedy)
    _check_plain_text(written, settings, file)
    return settings


def component_type(name: str) -> str:
    """Returns the type of a component by its key in ``Stack.components``."""
    return name.partition(" ")[0]


def environment_of(settings: StackSettings) -> dict[str, str]:
    """Variables that a stack file may use: of its ``env_file``, and of this process, which win.

    Raises:
        UserError: If others may read that file.
    """
    path = ROOT / settings.env_file if settings.env_file else None
    if path is None or not path.is_file():
        return dict(os.environ)
    from dotenv import dotenv_values

    if path.stat().st_mode & 0o077:
        raise UserError("others may read it", where=str(path), remedy=f"Run chmod 600 {path}.")
    written = dotenv_values(path, interpolate=False)
    return {**{name: value for name, value in written.items() if value is not None}, **os.environ}


def unset_variables(value: object, known: Mapping[str, str]) -> list[str]:
    """Variables that a part of a stack file needs and that are not set, or empty, in the order of the file."""
    found = [match for _, text in _strings(value) for match in VARIABLE.finditer(text)]
    return list(dict.fromkeys(m[1] for m in found if m[2] is None and not known.get(m[1])))


def replaced(value: Any, known: Mapping[str, str]) -> Any:  # noqa: ANN401  # any YAML value
    """Replaces the variables in a part of a stack file; values that become empty are left out.

    Args:
        value: Strings, at any depth.
        known: Values of variables; those that are not there stay as they are written.

    Returns:
        The part with its variables replaced; None if it becomes empty.
    """
    if isinstance(value, str) and VARIABLE.search(value):
        return VARIABLE.sub(lambda m: known.get(m[1]) or (m[0] if m[2] is None else m[2]), value) or None
    if isinstance(value, dict) and value:
        filled = {key: replaced(inner, known) for key, inner in value.items()}
        return {key: inner for key, inner in filled.items() if inner is not None or value[key] is None} or None
    if isinstance(value, list):
        return [inner for inner in (replaced(inner, known) for inner in value) if inner is not None]
    return value


def _without_unset(
    component: ComponentSettings, declared: Mapping[str, Mapping[str, str]], secrets: Mapping[str, Mapping[str, str]]
) -> ComponentSettings:
    """Leaves out references to optional secrets whose variables are not set."""
    kept = {}
    for key, value in component.configuration.items():
        found = SECRET_REFERENCE.fullmatch(value) if isinstance(value, str) else None
        if not (found and found[2] in declared.get(found[1], {}) and found[2] not in secrets[found[1]]):
            kept[key] = value
    return component.model_copy(update={"configuration": kept})


def _find_owners(shared: str, components: Mapping[str, ComponentSettings], file: Path) -> dict[str, str]:
    if not shared:
        return {}
    if read_stack_settings(stack_path(shared, file.parent)).shares:
        remedy = "Share a stack with components of its own."
        raise UserError(f"{shared} shares another stack", where=f"{file}, key shares", remedy=remedy)
    theirs = read_stack(shared, file.parent).components
    return {key: shared for key, component in components.items() if theirs.get(key) == component}


def _check_trackers(components: Mapping[str, ComponentSettings], file: Path) -> None:
    """Requires MLflow first: it holds the registry of models."""
    where = f"{file}, key components.{TRACKER}"
    for name, component in components.items():
        if name == TRACKER and component.flavor != "mlflow":
            remedy = "Name mlflow first: the registry of models needs it."
            raise UserError(f"the first experiment tracker is {component.flavor}", where=where, remedy=remedy)
        if component_type(name) == TRACKER != name and component.flavor not in FURTHER_TRACKERS:
            remedy = f"Use {' or '.join(FURTHER_TRACKERS)}."
            raise UserError(f"{component.flavor} cannot follow mlflow", where=where, remedy=remedy)


def _require_variables(value: object, known: Mapping[str, str], file: Path, settings: StackSettings) -> None:
    missing = unset_variables(value, known)
    if not missing:
        return
    what = f"the variable {missing[0]} is" if len(missing) == 1 else f"the variables {', '.join(missing)} are"
    remedy = f"Export {missing[0]} first."
    if settings.env_file:
        remedy = f"Run make cloud-up, or export {missing[0]}, or write it into {settings.env_file}."
    raise UserError(f"{what} not set", where=str(file), remedy=remedy)


def _strings(value: object, where: str = "") -> Iterator[tuple[str, str]]:
    """Every string below a value, with its key."""
    if isinstance(value, BaseModel):
        yield from _strings(dict(value), where)
    elif isinstance(value, str):
        yield where, value
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _strings(inner, f"{where}.{key}".lstrip("."))
    elif isinstance(value, list | tuple):
        for i, inner in enumerate(value):
            yield from _strings(inner, f"{where}[{i}]")


def _check_plain_text(written: Mapping[str, Any], settings: StackSettings, file: Path) -> None:
    """Refuses secrets outside of ``secrets``: ZenML stores and shows other settings in plain text."""
    remedy = "Take it out: secrets are for the components' own settings, as {{secret.key}} or by authentication_secret."
    declared = [*_strings(settings.secrets), *_strings(settings.server.api_key if settings.server else "")]
    secret = {match[1] for _, text in declared for match in VARIABLE.finditer(text)}
    for where, text in _strings(written):
        found = [match[1] for match in VARIABLE.finditer(text) if match[1] in secret]
        if found and where != "server.api_key":
            what = f"{found[0]} is a secret, and would be in plain text"
            raise UserError(what, where=f"{file}, key {where}", remedy=remedy)
    for where, key, value in _named_values(_nested(written)):
        holds = HOLDS_SECRET.search(key) and not NAMES_SECRET.search(key) and str(value).lower() not in FLAGS
        if holds and not SECRET_REFERENCE.fullmatch(str(value)):
            raise UserError(f"{key} is a secret in plain text", where=f"{file}, key {where}", remedy=remedy)


def _nested(written: Mapping[str, Any]) -> dict[str, Any]:
    """Yields nested settings of components, whose flavors know only top-level secrets, and all settings of runs."""
    components = {
        f"components.{kind}.configuration.{key}": value
        for kind, component in written["components"].items()
        for key, value in component["configuration"].items()
        if isinstance(value, Mapping | list)
    }
    return {**components, "settings": written["settings"], "steps": written["steps"]}


def _named_values(value: object, where: str = "", name: str = "") -> Iterator[tuple[str, str, str | int]]:
    """Every text and number below a value, with its key and its name: of a pair name and value, that is the name."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            called = str(value.get("name", key)) if key == "value" else str(key).rpartition(".")[2]
            yield from _named_values(inner, f"{where}.{key}".lstrip("."), called)
    elif isinstance(value, list | tuple):
        for i, inner in enumerate(value):
            yield from _named_values(inner, f"{where}[{i}]", name)
    elif isinstance(value, str | int) and not isinstance(value, bool):
        yield where, name, value


def _check_references(part: object, secrets: Mapping[str, Mapping[str, str]], file: Path) -> None:
    """Secrets that are named exist, as far as this file declares them; none is in plain text."""
    for where, text in _strings(part):
        if PASSWORD_IN_URL.search(text):
            remedy = "Declare it under secrets, and refer to it as {{secret.key}} in a separate setting."
            raise UserError("holds a password in plain text", where=f"{file}, key {where}", remedy=remedy)
        reference = SECRET_REFERENCE.fullmatch(text)
        if reference and reference[1] in secrets and reference[2] not in secrets[reference[1]]:
            remedy = nearest_of(reference[2], secrets[reference[1]])
            raise UserError(
                f"the secret {reference[1]} has no key {reference[2]}", where=f"{file}, key {where}", remedy=remedy
            )
