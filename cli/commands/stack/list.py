"""Lists the stacks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from cli.grammar import Command, Context, NoArguments, Summary


def run(arguments: NoArguments, context: Context) -> Summary:
    """Lists the stack files, and whether each is registered in ZenML."""
    from rich.markup import escape
    from rich.table import Table

    from cli.session import quieten
    from stacks.apply import PREFIX
    from stacks.stack_file import FOLDER

    quieten(debug=context.debug)
    from zenml.client import Client

    known = {s.name for s in Client().list_stacks(name=f"startswith:{PREFIX}-", size=100).items}
    active = Client().active_stack_model.name
    table = Table("stack", "", "flavors", "in ZenML", "variables")
    rows = [_row(path, known, active) for path in sorted(FOLDER.glob("*.yaml"))]
    for row in rows:
        applied = row["server"] or ("yes" if row["applied"] else "no")
        unset = f"not set: {', '.join(row['unset'])}" if row["unset"] else "set"
        flavors = ", ".join(dict.fromkeys(row["flavors"].values()))
        stack, *words = map(escape, (row["stack"], flavors, applied, unset))
        table.add_row(stack, "[green]active" if row["active"] else "", *words)
    context.console.print(table)
    return {"stacks": rows, "active": active}


def _row(path: Path, known: set[str], active: str) -> dict[str, Any]:
    from stacks.apply import full_name
    from stacks.stack_file import environment_of, read_stack_settings, replaced, unset_variables

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


COMMAND = Command("list", "list every stack file", run)
