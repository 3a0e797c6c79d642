"""The version in production, and the live deployment of a model."""

from __future__ import annotations

from rich.console import Console

from cli.grammar import Summary
from registry import versions
from registry.champion import set_champion
from sentiment.deployment import Deployment
from serving.active import find_deployer


def find_live(model: str) -> Deployment | None:
    """Returns the live deployment of this model on the active stack, healthy or not."""
    deployer = find_deployer()
    live = deployer.live() if deployer else None
    return live if live and live.bento.model == model else None


def change_production(model: str, number: str, console: Console, *, dry_run: bool, back: bool) -> Summary:
    """Puts a version into production, and prints the change.

    Args:
        model: Name of the model.
        number: Number of the version.
        console: Where the change is printed.
        dry_run: Whether to leave everything as it is.
        back: Whether the version that leaves production is rolled back, so that no training promotes it again.

    Raises:
        UserError: If there is no such version, or its servable is gone.
    """
    versions.require_stored(model, number, "servable")
    before = versions.find_production(model)
    former = before.number if before else None
    change = f"production: version {former or 'none'} -> {number}"
    if former == number:
        change = f"version {number} is in production already: nothing to do"
    elif dry_run:
        change += " (dry run: nothing was changed)"
    else:
        set_champion(model, number, back=back)
    console.print(change)
    return {"model": model, "from": former, "to": number, "changed": former != number and not dry_run}
