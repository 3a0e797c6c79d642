"""What people do with versions: look, promote, roll back."""

from __future__ import annotations

from argparse import Namespace
from dataclasses import asdict

from rich.console import Console
from rich.table import Table

from sentiment.errors import UserError
from steps.promotion import registry
from steps.promotion.registry import Version


def run(options: Namespace, console: Console) -> dict[str, object]:
    """Runs ``versions``, ``promote`` or ``rollback``; returns the summary for ``--json``."""
    known = registry.versions(options.model)
    live = next((v for v in known if v.stage == "production"), None)
    if options.command == "versions":
        console.print(_table(known))
        return {"model": options.model, "versions": [asdict(v) for v in known]}
    number = options.version if options.command == "promote" else options.to or _before(known, live, options.model)
    return _switch(options, console, live, number)


def _switch(options: Namespace, console: Console, live: Version | None, number: str) -> dict[str, object]:
    registry.linked_artifact(options.model, number, "servable")  # a version whose servable is gone must not go live
    was = live.number if live else None
    change = f"production: version {was or 'none'} -> {number}"
    if was == number:
        change = f"version {number} is in production already: nothing to do"
    elif options.dry_run:
        change += " (dry run: nothing was changed)"
    else:
        registry.set_production(options.model, number)
    console.print(change)
    return {"model": options.model, "from": was, "to": number, "changed": was != number and not options.dry_run}


def _before(known: list[Version], live: Version | None, model: str) -> str:
    """The version to roll back to: the newest that was in production before the live one."""
    earlier = [v for v in known if v.stage == "archived" and (live is None or int(v.number) < int(live.number))]
    if not earlier:
        raise UserError(
            "no version was in production before", where=f"model {model}", remedy="Name one: rollback --to N."
        )
    return earlier[-1].number


def _table(known: list[Version]) -> Table:
    table = Table("version", "stage", "kind", "fingerprint", "decision", "reason")
    for v in reversed(known):
        decision = "promoted" if v.promoted else "not promoted"
        table.add_row(v.number, v.stage or "-", v.kind, v.fingerprint[:12], decision, v.reason)
    return table
