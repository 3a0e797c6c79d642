"""Lists the versions of a model."""

from __future__ import annotations

from cli.arguments import ModelArguments
from cli.grammar import Command, Context, Summary


def run(arguments: ModelArguments, context: Context) -> Summary:
    """Shows every version, the latest first."""
    with context.session():
        from cli.tables import versions_table
        from registry import versions

        known = versions.list_versions(arguments.model)
        context.console.print(versions_table(known))
        return {"model": arguments.model, "versions": [v.as_json() for v in known]}


COMMAND = Command("versions", "list every version, and why it was promoted or not", run, ModelArguments)
