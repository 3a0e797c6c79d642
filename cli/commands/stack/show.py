"""Shows the components of a stack, without secrets."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from cli.arguments import StackName
from cli.grammar import Command, Context, Summary

SENSITIVE = re.compile(r"password|secret|token|key|credential", re.IGNORECASE)
HARMLESS = re.compile(r"(_file|_path|^authentication_secret|^image_pull_secrets|^tls_key)$")  # they point at a secret
MASK = "••••••"
Rows = list[tuple[str, str, str]]


def run(arguments: StackName, context: Context) -> Summary:
    """Shows a stack file, with the variables of this machine and without secrets."""
    from rich.markup import escape
    from rich.table import Table

    from stacks.stack_file import environment_of, read_stack_settings, replaced, stack_path, unset_variables

    file = stack_path(arguments.name)
    settings = read_stack_settings(file)
    known = environment_of(settings)
    components = {
        kind: {"flavor": c.flavor, **mask_secrets(replaced(c.configuration, known) or {})}
        for kind, c in settings.components.items()
    }
    of_runs = {"every run": settings.settings, **{f"step {name}": values for name, values in settings.steps.items()}}
    shown = {name: mask_secrets(replaced(values, known) or {}) for name, values in of_runs.items()}
    server = replaced(settings.server.url, known) if settings.server else None

    table = Table("component", "setting", "value", title=escape(str(file)), title_justify="left")
    rows = [*_rows(components), *_secret_rows(settings.secrets, known), *_rows(shown)]
    rows.append(("ZenML server", "url", server or "none: the ZenML that this machine is connected to"))
    for i, (kind, key, value) in enumerate(rows):
        table.add_row(*map(escape, ("" if i and rows[i - 1][0] == kind else kind, key, value)))
    context.console.print(table)
    return {
        "stack": arguments.name,
        "components": components,
        "secrets": {name: list(values) for name, values in settings.secrets.items()},
        "server": server,
        "unset": unset_variables(settings, known),
    }


def _rows(tables: Mapping[str, Mapping[str, Any]]) -> Rows:
    return [(kind, key, str(value)) for kind, values in tables.items() for key, value in values.items()]


def _secret_rows(secrets: Mapping[str, Mapping[str, str]], known: Mapping[str, str]) -> Rows:
    from stacks.stack_file import unset_variables

    return [
        (f"secret {name}", key, f"{MASK}  {variable}" + (", not set" if unset_variables(variable, known) else ""))
        for name, values in secrets.items()
        for key, variable in values.items()
    ]


def mask_secrets(configuration: Mapping[str, Any]) -> dict[str, Any]:
    """Replaces values that look like a secret in plain text; references to secrets stay readable."""
    names = {"value": configuration.get("name", "value")}  # in a pair of name and value, the name tells
    return {key: _mask_value(str(names.get(key, key)), value) for key, value in configuration.items()}


def _mask_value(key: str, value: object) -> object:
    from stacks.stack_file import PASSWORD_IN_URL, SECRET_REFERENCE

    if isinstance(value, Mapping):
        return mask_secrets(value)
    if isinstance(value, list):
        return [_mask_value(key, inner) for inner in value]
    if SENSITIVE.search(key) and not HARMLESS.search(key) and not SECRET_REFERENCE.fullmatch(str(value)):
        return MASK
    return PASSWORD_IN_URL.sub(f"://{MASK}@", value) if isinstance(value, str) else value


COMMAND = Command("show", "show the components of the stack, without secrets", run, StackName)
