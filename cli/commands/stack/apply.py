"""Applies a stack file to ZenML."""

from __future__ import annotations

from cli.arguments import StackName
from cli.grammar import Command, Context, Summary


def run(arguments: StackName, context: Context) -> Summary:
    """Registers the stack in ZenML as its file declares it, with its secrets."""
    from rich.markup import escape

    from cli.session import quieten
    from stacks.activation import activated
    from stacks.stack_file import read_stack

    stack, console = read_stack(arguments.name), context.console
    quieten(debug=context.debug)
    with activated(stack) as applied:
        for change in applied.changes:
            console.print(escape(change), highlight=False)
        console.print(f"{applied.name}: " + ("applied" if applied.changes else "nothing to change"), highlight=False)
    return {"stack": arguments.name, "changed": bool(applied.changes), "changes": list(applied.changes)}


COMMAND = Command("apply", "register the stack in ZenML, with its secrets, or update it", run, StackName)
