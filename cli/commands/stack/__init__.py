"""The commands on stacks, one a file."""

from cli.commands.stack import apply, check, list, remove, show, use  # the commands' names
from cli.grammar import Command

COMMAND = Command(
    "stack",
    "apply, list, show, use, check or remove a stack",
    subcommands=(apply.COMMAND, list.COMMAND, show.COMMAND, use.COMMAND, check.COMMAND, remove.COMMAND),
)
