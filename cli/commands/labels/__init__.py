"""The commands on labels from people, one a file."""

from cli.commands.labels import export_batch, import_answers
from cli.grammar import Command

COMMAND = Command(
    "labels",
    "export live texts for annotation, or import the answers as feedback",
    subcommands=(export_batch.COMMAND, import_answers.COMMAND),
)
