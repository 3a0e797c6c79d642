"""Makes a stack the active one in ZenML."""

from __future__ import annotations

from cli.arguments import StackName
from cli.grammar import Command, Context, Summary
from sentiment.errors import UserError


def run(arguments: StackName, context: Context) -> Summary:
    """Activates a stack for other programs that use ZenML on this machine."""
    from cli.session import quieten
    from stacks.apply import apply
    from stacks.stack_file import read_stack

    stack, console = read_stack(arguments.name), context.console
    quieten(debug=context.debug)
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
    return {"stack": arguments.name, "changed": changed}


COMMAND = Command("use", "make the stack the active one in ZenML (run.py itself takes --stack)", run, StackName)
