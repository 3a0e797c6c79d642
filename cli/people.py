"""What people do with versions and with the live service: look, compare, test, promote, roll back, stop."""

from __future__ import annotations

from argparse import Namespace
from dataclasses import asdict
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from cli import compare, report, smoke
from cli.status import Status, read_status
from registry import versions
from registry.champion import set_champion
from registry.versions import Version
from sentiment.deployment import Deployment
from sentiment.errors import UserError
from sentiment.monitoring.alarms import Alarm
from sentiment.monitoring.checks import Health
from sentiment.pages.report import alarms_facts, looked
from serving.active import find_deployer, model_deployer

DECISIONS, ALARMS = 5, 5  # that status shows


def run(options: Namespace, console: Console) -> dict[str, object]:
    """Runs one of the commands; returns the summary for ``--json``."""
    commands = {
        "versions": show_versions,
        "promote": promote,
        "rollback": rollback,
        "status": status,
        "stop": stop,
        "report": report.run,
        "compare": compare.run,
        "smoke": smoke.run,
    }
    return commands[options.command](options, console)


def show_versions(options: Namespace, console: Console) -> dict[str, object]:
    """Shows every version."""
    known = versions.list_versions(options.model)
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
    number = options.to or _before(versions.list_versions(options.model), options.model)
    live = _live(options.model)
    if live is None:
        return _switch(options, console, number, back=True)
    from cli.run_deploy import run_deploy
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
    """Shows what is live, how it is, what monitoring found, and the latest decisions; repairs if asked to."""
    now = read_status(options.model, repair=options.repair)
    live, production = now.live, now.production
    kind = next((v.kind for v in now.versions if now.own_live and v.number == now.own_live.bento.version), "")
    if live:
        console.print(_live_table(live, kind, now.health))
    else:
        console.print("nothing is live: make deploy")
    console.print(escape(_production_line(now)))
    for words in filter(None, [now.warning, *now.disagreements]):
        console.print(f"[yellow]warning[/]: {escape(words)}")
    for words in now.repaired:
        console.print(f"[green]repaired[/]: {escape(words)}")
    if options.repair and not now.repaired:
        console.print("nothing to repair: ZenML and MLflow agree")
    _show_monitoring(now, console)
    latest = list(now.versions[-DECISIONS:])
    console.print(_table(latest, title="Latest decisions"))
    return {
        "live": {**live.model_dump(), "kind": kind} if live else None,
        "health": asdict(now.health) if now.health else None,
        "production": production.number if production else None,
        "warning": now.warning,
        "disagreements": list(now.disagreements),
        "repaired": list(now.repaired),
        "monitoring": looked(now.looks),
        "alarms": alarms_facts(now.alarms),
        "decisions": [asdict(v) for v in latest],
    }


def _production_line(now: Status) -> str:
    if (version := now.production) is None:
        return f"production: version none of {now.model}"
    measured = (("accuracy", version.accuracy), ("ECE", version.ece))
    figures = [f"{name} {value:.3f}" for name, value in measured if value is not None]
    return f"production: version {version.number} of {now.model}, " + ", ".join([version.kind, *figures])


def _show_monitoring(now: Status, console: Console) -> None:
    """What the last look found, an alarm a line."""
    if not now.looks:
        console.print("monitoring: nobody has looked yet: make monitor")
        return
    last = now.looks[-1]
    if now.own_live and now.own_live.bento.version != last.version:
        console.print(f"monitoring: version {now.own_live.bento.version} was not looked at yet: make monitor")
        return
    found = "nothing wrong" if not last.failed else f"{len(last.failed)} of its checks failed"
    console.print(f"monitoring: {found} with version {last.version}, {last.at:%Y-%m-%d %H:%M %Z}, {escape(last.run)}")
    for alarm in now.alarms[:ALARMS]:
        colour = "red" if alarm.check.severity == "critical" else "yellow"
        console.print(f"[{colour}]alarm[/]: {escape(_words(alarm))}", highlight=False)
    if len(now.alarms) > ALARMS:
        console.print(f"... and {len(now.alarms) - ALARMS} more: make report")


def _words(alarm: Alarm) -> str:
    check = alarm.check
    return f"{check.name}: {check.observed}, limit {check.limit}; since {alarm.since:%Y-%m-%d %H:%M}"


def _live(model: str) -> Deployment | None:
    """What is live of this model on the active stack, healthy or not."""
    deployer = find_deployer()
    live = deployer.live() if deployer else None
    return live if live and live.bento.model == model else None


def _switch(options: Namespace, console: Console, number: str, *, back: bool = False) -> dict[str, object]:
    versions.require_stored(options.model, number, "servable")  # a version whose servable is gone must not go live
    before = versions.production(options.model)
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
        decision = f"taken back {v.taken_back[:10]}" if v.taken_back else "promoted" if v.promoted else "not promoted"
        table.add_row(*map(escape, (v.number, v.stage or "-", v.kind, v.fingerprint[:12], decision, v.reason)))
    return table


def _live_table(live: Deployment, kind: str, health: Health | None) -> Table:
    table = Table("live", "", title="Live", title_justify="left", show_header=False)
    rows = {
        "model": f"{live.bento.model}, version {live.bento.version}" + (f" ({kind})" if kind else ""),
        "health": "answers over HTTP and gRPC" if live.healthy else "does not answer",
        "since": live.since,
        "answered": _answered(health) if health else "unknown",
        "HTTP": live.http,
        "gRPC": live.grpc,
        "in front": "nginx: a switch loses no request" if live.front else "nothing: a switch takes seconds",
        "Bento": live.bento.tag,
        "run": live.run,
    }
    styles = {"health": "green" if live.healthy else "red"}
    for name, value in rows.items():
        table.add_row(name, Text(value, style=styles.get(name, "")))
    return table


def _answered(health: Health) -> str:
    p95 = "" if health.p95_ms is None else f", p95 {health.p95_ms:.1f} ms"
    return f"{health.requests:,} requests, {100 * health.error_rate:.2f} % failed{p95}"
