"""What people do with stacks: apply, look, make active, check, remove."""

from __future__ import annotations

import re
from argparse import Namespace
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from cli.session import quieten
from sentiment.errors import UserError
from stacks.activation import activated
from stacks.apply import PREFIX, apply, find_stack, full_name
from stacks.check import check
from stacks.remove import remove
from stacks.server import connected
from stacks.stack_file import (
    FOLDER,
    PASSWORD_IN_URL,
    SECRET_REFERENCE,
    environment_of,
    read_server,
    read_stack,
    read_stack_settings,
    replaced,
    stack_path,
    unset_variables,
)

SIGNS = {True: "[green]✓", False: "[red]✗", None: "[dim]-"}
SENSITIVE = re.compile(r"password|secret|token|key|credential", re.IGNORECASE)
HARMLESS = re.compile(
    r"(_file|_path|^authentication_secret|^image_pull_secrets|^tls_key)$"
)  # where a secret is, not what it is
MASK = "••••••"


def run(options: Namespace, console: Console) -> dict[str, object]:
    """Runs one of the commands; returns the summary for ``--json``."""
    commands = {
        "apply": apply_one, "list": list_all, "show": show, "use": use, "check": check_one, "remove": remove_one,
    }  # fmt: skip
    return commands[options.stack_command](options, console)


def apply_one(options: Namespace, console: Console) -> dict[str, object]:
    """Makes ZenML know the stack as its file declares it."""
    stack = read_stack(options.name)
    quieten(debug=options.debug)
    with activated(stack) as applied:
        for change in applied.changes:
            console.print(escape(change), highlight=False)
        console.print(f"{applied.name}: " + ("applied" if applied.changes else "nothing to change"), highlight=False)
    return {"stack": options.name, "changed": bool(applied.changes), "changes": list(applied.changes)}


def check_one(options: Namespace, console: Console) -> dict[str, object]:
    """Proves every component of the stack."""
    proofs = check(read_stack(options.name))
    table = Table("component", "", "what was proved", "s", title=escape(f"Stack {options.name}"), title_justify="left")
    for proof in proofs:
        words = f"{proof.words}. {proof.remedy}" if proof.remedy else proof.words
        table.add_row(proof.component, SIGNS[proof.passed], escape(words), f"{proof.seconds:.2f}")
    console.print(table)
    passed = all(proof.passed is not False for proof in proofs)
    return {"stack": options.name, "passed": passed, "proofs": [asdict(proof) for proof in proofs]}


def list_all(options: Namespace, console: Console) -> dict[str, object]:
    """Lists the stacks that have a file, and which of them ZenML knows."""
    quieten(debug=options.debug)
    from zenml.client import Client

    known = {s.name for s in Client().list_stacks(name=f"startswith:{PREFIX}-", size=100).items}
    active = Client().active_stack_model.name
    table = Table("stack", "", "flavors", "in ZenML", "variables")
    rows = []
    for path in sorted(FOLDER.glob("*.yaml")):
        row = _row(path, known, active)
        applied = row["server"] or ("yes" if row["applied"] else "no")
        unset = f"not set: {', '.join(row['unset'])}" if row["unset"] else "set"
        flavors = ", ".join(dict.fromkeys(row["flavors"].values()))
        stack, *words = map(escape, (row["stack"], flavors, applied, unset))
        table.add_row(stack, "[green]active" if row["active"] else "", *words)
        rows.append(row)
    console.print(table)
    return {"stacks": rows, "active": active}


def _row(path: Path, known: set[str], active: str) -> dict[str, Any]:
    settings, full = read_stack_settings(path), full_name(path.stem)
    environment = environment_of(settings)
    return {
        "stack": path.stem,
        "active": full == active,
        "applied": full in known,
        "server": replaced(settings.server.url, environment) if settings.server else None,
        "flavors": {kind: component.flavor for kind, component in settings.components.items()},
        "unset": unset_variables(settings, environment),
    }


def show(options: Namespace, console: Console) -> dict[str, object]:
    """Shows what a stack file declares, with the variables of this machine and without secrets."""
    file = stack_path(options.name)
    settings = read_stack_settings(file)
    known = environment_of(settings)
    components = {
        kind: {"flavor": c.flavor, **masked(replaced(c.configuration, known) or {})}
        for kind, c in settings.components.items()
    }
    runs = {"every run": settings.settings, **{f"step {name}": values for name, values in settings.steps.items()}}
    server = replaced(settings.server.url, known) if settings.server else None
    table = Table("component", "setting", "value", title=escape(str(file)), title_justify="left")
    rows = [(kind, key, str(value)) for kind, values in components.items() for key, value in values.items()]
    rows += [
        (f"secret {name}", key, f"{MASK}  {variable}" + (", not set" if unset_variables(variable, known) else ""))
        for name, values in settings.secrets.items()
        for key, variable in values.items()
    ]
    rows += [
        (name, key, str(value))
        for name, values in runs.items()
        for key, value in masked(replaced(values, known) or {}).items()
    ]
    rows += [("ZenML server", "url", server or "none: the ZenML that this machine is connected to")]
    for i, (kind, key, value) in enumerate(rows):
        table.add_row(*map(escape, ("" if i and rows[i - 1][0] == kind else kind, key, value)))
    console.print(table)
    return {
        "stack": options.name,
        "components": components,
        "secrets": {name: list(values) for name, values in settings.secrets.items()},
        "server": server,
        "unset": unset_variables(settings, known),
    }


def masked(configuration: Mapping[str, Any]) -> dict[str, Any]:
    """Settings without what looks like a secret in plain text; references to secrets stay readable."""
    names = {"value": configuration.get("name", "value")}  # of a pair, the name says what the value is
    return {key: _masked(str(names.get(key, key)), value) for key, value in configuration.items()}


def _masked(key: str, value: object) -> object:
    if isinstance(value, Mapping):
        return masked(value)
    if isinstance(value, list):
        return [_masked(key, inner) for inner in value]
    if SENSITIVE.search(key) and not HARMLESS.search(key) and not SECRET_REFERENCE.fullmatch(str(value)):
        return MASK
    return PASSWORD_IN_URL.sub(f"://{MASK}@", value) if isinstance(value, str) else value


def use(options: Namespace, console: Console) -> dict[str, object]:
    """Makes a stack the active one in ZenML, for whatever else uses ZenML on this machine."""
    stack = read_stack(options.name)
    quieten(debug=options.debug)
    from zenml.client import Client

    own = Client().zen_store.url
    if stack.server and stack.server.url != own:
        remedy = f"Run zenml login {stack.server.url} first. run.py needs neither: --stack {stack.name}."
        raise UserError(f"is on the ZenML server {stack.server.url}", where=f"stack {stack.name}", remedy=remedy)
    applied = apply(stack)
    changed = Client().active_stack_model.id != applied.id
    Client().activate_stack(applied.id)
    console.print(f"{applied.name} is {'now' if changed else 'already'} the active stack in ZenML", highlight=False)
    console.print("run.py itself takes --stack NAME (default: local)")
    return {"stack": options.name, "changed": changed}


def remove_one(options: Namespace, console: Console) -> dict[str, object]:
    """Makes ZenML forget a stack; its file, its artifacts and what runs elsewhere stay."""
    quieten(debug=options.debug)
    file = FOLDER / f"{options.name}.yaml"
    if not file.is_file() and find_stack(options.name) is None:
        stack_path(options.name)  # says which one may be meant
    with connected(read_server(file) if file.is_file() else None):
        removed = remove(options.name)
    for words in removed:
        console.print(f"removed: {escape(words)}", highlight=False)
    if not removed:
        console.print(f"ZenML does not know {full_name(options.name)}: nothing to remove", highlight=False)
    return {"stack": options.name, "removed": removed}
