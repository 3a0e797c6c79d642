"""What people do with versions and with the live service: look, promote, roll back, stop."""

from __future__ import annotations

from argparse import Namespace
from dataclasses import asdict
from pathlib import Path

from rich.console import Console
from rich.table import Table

from pipelines.faults import explain
from sentiment.deployment import Deployment
from sentiment.errors import UserError
from steps.deployment.deployer import find_deployer, model_deployer
from steps.promotion import registry
from steps.promotion.champion import set_champion
from steps.promotion.consistency import disagreements
from steps.promotion.registry import Version

DECISIONS = 5  # that status shows


def run(options: Namespace, console: Console) -> dict[str, object]:
    """Runs one of the commands; returns the summary for ``--json``."""
    commands = {"versions": versions, "promote": promote, "rollback": rollback, "status": status, "stop": stop}
    return commands[options.command](options, console)


def versions(options: Namespace, console: Console) -> dict[str, object]:
    """Shows every version."""
    known = registry.versions(options.model)
    console.print(_table(known))
    return {"model": options.model, "versions": [asdict(v) for v in known]}


def promote(options: Namespace, console: Console) -> dict[str, object]:
    """Puts a version into production; what is live stays live until the next deployment."""
    result = _switch(options, console, options.version)
    live = _live(options.model)
    if live and live.bento.version != options.version:
        console.print(f"live is still version {live.bento.version}: make deploy")
    return result


def rollback(options: Namespace, console: Console) -> dict[str, object]:
    """Puts an earlier version back: live first, tested as every deployment is, and only then in production."""
    number = options.to or _before(registry.versions(options.model), options.model)
    live = _live(options.model)
    if live is None:
        return _switch(options, console, number, back=True)
    from pipelines.run_deploy import run_deploy
    from pipelines.settings import DeploySettings
    from sentiment.settings import read_settings

    if options.dry_run:
        console.print(f"live: version {live.bento.version} -> {number}")
        return _switch(options, console, number, back=True)
    chosen = [f"model={options.model}", f"version={number}", "rollout.mode=switch"]
    settings = read_settings(DeploySettings, options.config or Path("configs/deploy.yaml"), [*options.set, *chosen])
    outcome = run_deploy(settings, console)
    result = _switch(options, console, number, back=True)
    return {**result, "changed": result["changed"] or outcome.deployed, "deployment": outcome.as_json()}


def stop(options: Namespace, console: Console) -> dict[str, object]:
    """Stops the live service and what stands in front of it."""
    stopped = model_deployer().stop()
    console.print("stopped: nothing is live now" if stopped else "nothing is live: nothing to stop")
    return {"stopped": stopped}


def status(options: Namespace, console: Console) -> dict[str, object]:
    """Shows what is live, how it is, and the latest decisions; whether ZenML and MLflow agree, and mends that."""
    live = model_deployer().live()
    known = registry.versions(options.model)
    production = next((v.number for v in known if v.stage == "production"), None)
    repaired, warnings = _agreement(options.model, repair=options.repair) if known or options.repair else ([], [])
    warning = _mismatch(live, options.model, production)
    kinds = {v.number: v.kind for v in known} if live and live.bento.model == options.model else {}
    kind = kinds.get(live.bento.version, "") if live else ""
    if live:
        console.print(_live_table(live, kind))
    else:
        console.print("nothing is live: make deploy")
    console.print(f"production: version {production or 'none'} of {options.model}")
    for words in filter(None, [warning, *warnings]):
        console.print(f"[yellow]warning[/]: {words}")
    for words in repaired:
        console.print(f"[green]repaired[/]: {words}")
    if options.repair and not repaired:
        console.print("nothing to repair: ZenML and MLflow agree")
    console.print(_table(known[-DECISIONS:], title="Latest decisions"))
    return {
        "live": {**live.model_dump(), "kind": kind} if live else None,
        "production": production,
        "warning": warning,
        "disagreements": warnings,
        "repaired": repaired,
        "decisions": [asdict(v) for v in known[-DECISIONS:]],
    }


def _agreement(model: str, *, repair: bool) -> tuple[list[str], list[str]]:
    """What was repaired, and what ZenML and MLflow (still) disagree about."""
    try:
        found = disagreements(model)
    except Exception as error:  # what is live shall be seen whether MLflow answers or not
        fault = explain(error)
        if repair or fault is None:
            raise
        return [], [str(fault)]
    if not (repair and found):
        return [], [f"{d.what}: python run.py status --repair" for d in found]
    for disagreement in found:
        disagreement.mend()
    return [d.mended for d in found], [d.what for d in disagreements(model)]


def _live(model: str) -> Deployment | None:
    """What is live of this model on the active stack, healthy or not."""
    deployer = find_deployer()
    live = deployer.live() if deployer else None
    return live if live and live.bento.model == model else None


def _mismatch(live: Deployment | None, model: str, production: str | None) -> str | None:
    if live is None:
        return None
    if not live.healthy:
        return "what is live does not answer: make deploy starts it anew"
    if live.bento.model != model:
        return f"what is live is of the model {live.bento.model}"
    if live.bento.version != production:
        return f"live is version {live.bento.version}, in production is version {production or 'none'}: make deploy"
    return None


def _switch(options: Namespace, console: Console, number: str, *, back: bool = False) -> dict[str, object]:
    registry.require_stored(options.model, number, "servable")  # a version whose servable is gone must not go live
    before = registry.production(options.model)
    was = before.number if before else None
    change = f"production: version {was or 'none'} -> {number}"
    if was == number:
        change = f"version {number} is in production already: nothing to do"
    elif options.dry_run:
        change += " (dry run: nothing was changed)"
    else:
        set_champion(options.model, number, back=back)
    console.print(change)
    return {"model": options.model, "from": was, "to": number, "changed": was != number and not options.dry_run}


def _before(known: list[Version], model: str) -> str:
    """The version to roll back to: the one that was in production before the one that is."""
    production = next((v for v in known if v.stage == "production"), None)
    if production and production.replaced:
        return production.replaced
    earlier = [v for v in known if v.stage == "archived" and (not production or int(v.number) < int(production.number))]
    if not earlier:  # neither recorded nor to be guessed
        raise UserError(
            "no version was in production before", where=f"model {model}", remedy="Name one: rollback --to N."
        )
    return earlier[-1].number


def _table(known: list[Version], title: str | None = None) -> Table:
    table = Table("version", "stage", "kind", "fingerprint", "decision", "reason", title=title, title_justify="left")
    for v in reversed(known):
        decision = "promoted" if v.promoted else "not promoted"
        table.add_row(v.number, v.stage or "-", v.kind, v.fingerprint[:12], decision, v.reason)
    return table


def _live_table(live: Deployment, kind: str) -> Table:
    table = Table("live", "", title="Live", title_justify="left", show_header=False)
    rows = {
        "model": f"{live.bento.model}, version {live.bento.version}" + (f" ({kind})" if kind else ""),
        "health": "[green]answers over HTTP and gRPC" if live.healthy else "[red]does not answer",
        "since": live.since,
        "HTTP": live.http,
        "gRPC": live.grpc,
        "in front": "nginx: a switch loses no request" if live.front else "nothing: a switch takes seconds",
        "Bento": live.bento.tag,
        "run": live.run,
    }
    for name, value in rows.items():
        table.add_row(name, value)
    return table
