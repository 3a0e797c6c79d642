"""Removes a stack from ZenML."""

from __future__ import annotations

from cli.arguments import StackName
from cli.grammar import Command, Context, Summary


def run(arguments: StackName, context: Context) -> Summary:
    """Removes a stack from ZenML; its file, its artifacts and its services elsewhere stay."""
    from rich.markup import escape

    from cli.session import quieten
    from stacks.apply import find_stack, full_name
    from stacks.remove import remove
    from stacks.server import connected
    from stacks.stack_file import FOLDER, read_server, stack_path

    quieten(debug=context.debug)
    name, console = arguments.name, context.console
    file = FOLDER / f"{name}.yaml"
    if not file.is_file() and find_stack(name) is None:
        stack_path(name)  # raises, and names the nearest stack
    with connected(read_server(file) if file.is_file() else None):
        removed = remove(name)
    for words in removed:
        console.print(f"removed: {escape(words)}", highlight=False)
    if not removed:
        console.print(f"ZenML does not know {full_name(name)}: nothing to remove", highlight=False)
    return {"stack": name, "removed": removed}


COMMAND = Command("remove", "remove the stack from ZenML; artifacts stay", run, StackName)
