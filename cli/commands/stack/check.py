"""Checks that every component of a stack works."""

from __future__ import annotations

from dataclasses import asdict

from cli.arguments import StackName
from cli.grammar import Command, Context, Summary

SIGNS = {True: "[green]✓", False: "[red]✗", None: "[dim]-"}


def run(arguments: StackName, context: Context) -> Summary:
    """Proves every component; the summary's ``passed`` is false if one does not work."""
    from rich.markup import escape
    from rich.table import Table

    from stacks.check import check
    from stacks.stack_file import read_stack

    proofs = check(read_stack(arguments.name))
    title = escape(f"Stack {arguments.name}")
    table = Table("component", "", "proof", "s", title=title, title_justify="left")
    for proof in proofs:
        words = f"{proof.words}. {proof.remedy}" if proof.remedy else proof.words
        table.add_row(proof.component, SIGNS[proof.passed], escape(words), f"{proof.seconds:.2f}")
    context.console.print(table)
    passed = all(proof.passed is not False for proof in proofs)
    return {"stack": arguments.name, "passed": passed, "proofs": [asdict(proof) for proof in proofs]}


COMMAND = Command("check", "prove every component: storage, tracking, registry, tools", run, StackName)
