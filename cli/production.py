"""The version in production, and the live deployment of a model."""

from __future__ import annotations

from rich.console import Console

from cli.grammar import Summary
from registry import versions
from registry.approval import publish_approval, require_approval
from registry.champion import OvertakenError, set_champion
from sentiment.deployment import Deployment
from sentiment.errors import UserError
from sentiment.promotion.approval import Approval
from serving.active import find_deployer


def find_live(model: str) -> Deployment | None:
    """Returns the live deployment of this model on the active stack, healthy or not."""
    deployer = find_deployer()
    live = deployer.live() if deployer else None
    return live if live and live.bento.model == model else None


def change_production(
    model: str, number: str, console: Console, *, dry_run: bool, back: bool, approval: Approval | None
) -> Summary:
    """Puts a version into production, and prints the change.

    Args:
        model: Name of the model.
        number: Number of the version.
        console: Where the change is printed.
        dry_run: Whether to leave everything as it is.
        back: Whether the version that leaves production is rolled back, so that no training promotes it again.
        approval: Who approves it, and why: see :mod:`registry.approval`.

    Raises:
        UserError: If there is no such version, its servable is gone, or it needs an approval.
    """
    versions.require_stored(model, number, "servable")
    version = versions.get_version(model, number)
    before = versions.find_production(model)
    former = before.number if before else None
    require_approval(model, version, approval)
    change = f"production: version {former or 'none'} -> {number}"
    if former == number:
        change = f"version {number} is in production already: {'approval recorded' if approval else 'nothing to do'}"
    if dry_run and (former != number or approval):
        change += " (dry run: nothing was changed)"
    elif former != number or approval:
        try:
            set_champion(model, number, back=back, approval=approval)
        except OvertakenError as overtaken:
            raise UserError(str(overtaken), where=f"model {model}", remedy="Train again.") from overtaken
        if approval:
            publish_approval(model, number, approval)
    console.print(change)
    return {"model": model, "from": former, "to": number, "changed": former != number and not dry_run}
