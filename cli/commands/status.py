"""Shows the status of a model: the live service, production, monitoring, and the latest decisions."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from cli.arguments import ModelArguments
from cli.grammar import Command, Context, Summary, flag

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from cli.model_status import ModelStatus
    from registry.retention.disk_use import DiskUse
    from sentiment.deployment import Deployment, Version
    from sentiment.monitoring.alarms import Alarm
    from sentiment.monitoring.checks import Health

MAX_DECISIONS, MAX_ALARMS = 5, 5  # that are shown


@dataclass(frozen=True)
class Arguments(ModelArguments):
    """The arguments of ``status``."""

    repair: bool = flag("make MLflow's registry agree with ZenML's versions first")


def run(arguments: Arguments, context: Context) -> Summary:
    """Shows the status on one screen."""
    with context.session():
        from cli.model_status import read_status

        status = read_status(arguments.model, repair=arguments.repair)
        disk = _measure_disk()
        _show(status, context.console, repair=arguments.repair)
        _show_disk(disk, context.console)
        return {**_facts(status), "disk": {"bytes": disk.sizes, "partial": list(disk.partial), "free": disk.free}}


def _facts(status: ModelStatus) -> Summary:
    from sentiment.pages.report_data import alarm_facts, last_run_facts

    live, production = status.live, status.production
    version = status.live_version
    described = {"kind": version.kind if version else "", "stages": list(version.stages) if version else []}
    return {
        "live": {**live.model_dump(), **described} if live else None,
        "health": asdict(status.health) if status.health else None,
        "production": production.number if production else None,
        "warning": status.warning,
        "disagreements": list(status.disagreements),
        "repaired": list(status.repaired),
        "monitoring": last_run_facts(status.runs),
        "alarms": alarm_facts(status.alarms),
        "decisions": [v.as_json() for v in status.versions[-MAX_DECISIONS:]],
    }


def _show(status: ModelStatus, console: Console, *, repair: bool) -> None:
    from rich.markup import escape

    from cli.tables import versions_table

    if status.live:
        console.print(_live_table(status.live, status.live_version, status.health))
    elif not status.unknown_live:
        console.print("no service is live: make deploy")
    console.print(escape(_describe_production(status)))
    for number in (v.number for v in status.versions if v.waiting):
        command = f'python run.py promote --version {number} --by NAME --reason "..."'
        console.print(f"version {number} waits for an approval: {command}", highlight=False, soft_wrap=True)
    for warning in filter(None, [status.warning, *status.disagreements]):
        console.print(f"[yellow]warning[/]: {escape(warning)}")
    for repaired in status.repaired:
        console.print(f"[green]repaired[/]: {escape(repaired)}")
    if repair and not status.repaired:
        console.print("nothing to repair: ZenML and MLflow agree")
    _show_monitoring(status, console)
    console.print(versions_table(status.versions[-MAX_DECISIONS:], title="Latest decisions"))


def _measure_disk() -> DiskUse:
    from registry.retention.disk_use import measure_disk
    from serving.active import find_deployer
    from serving.deployer import BentoDeployer

    deployer = find_deployer()
    return measure_disk([deployer.root] if isinstance(deployer, BentoDeployer) else [])


def _show_disk(disk: DiskUse, console: Console) -> None:
    from rich.filesize import decimal

    sizes = [f"{kind} {'over ' * (kind in disk.partial)}{decimal(size)}" for kind, size in disk.sizes.items()]
    console.print(f"disk: {', '.join(sizes)}; {decimal(disk.free)} are free", highlight=False)
    if disk.full:
        console.print("[yellow]warning[/]: the disk is nearly full: python run.py prune --dry-run shows what may go")


def _describe_production(status: ModelStatus) -> str:
    if (version := status.production) is None:
        return f"production: no version of {status.model}"
    measured = (("accuracy", version.accuracy), ("ECE", version.ece))
    figures = [f"{name} {value:.3f}" for name, value in measured if value is not None]
    return f"production: version {version.number} of {status.model}, " + ", ".join([version.description, *figures])


def _show_monitoring(status: ModelStatus, console: Console) -> None:
    """Prints the result of the last monitoring run, and an alarm a line."""
    from rich.markup import escape

    if not status.runs:
        console.print("monitoring: never monitored: make monitor")
        return
    last = status.runs[-1]
    if status.own_live and status.own_live.bento.version != last.version:
        console.print(f"monitoring: version {status.own_live.bento.version} was never monitored: make monitor")
        return
    found = f"{len(last.failed)} checks failed" if last.failed else "every check passed"
    console.print(f"monitoring: {found} on version {last.version}, {last.at:%Y-%m-%d %H:%M %Z}, {escape(last.run)}")
    for alarm in status.alarms[:MAX_ALARMS]:
        colour = "red" if alarm.check.severity == "critical" else "yellow"
        console.print(f"[{colour}]alarm[/]: {escape(_describe_alarm(alarm))}", highlight=False)
    if len(status.alarms) > MAX_ALARMS:
        console.print(f"... and {len(status.alarms) - MAX_ALARMS} more: make report")


def _describe_alarm(alarm: Alarm) -> str:
    check = alarm.check
    action = f"; {alarm.action}" if alarm.action else ""
    return f"{check.name}: {check.observed}, limit {check.limit}; since {alarm.since:%Y-%m-%d %H:%M}{action}"


def _live_table(live: Deployment, version: Version | None, health: Health | None) -> Table:
    from rich.table import Table
    from rich.text import Text

    table = Table("live", "", title="Live service", title_justify="left", show_header=False)
    rows = {
        "model": f"{live.bento.model}, version {live.bento.version}" + (f": {version.description}" if version else ""),
        "health": f"answers over HTTP{' and gRPC' if live.grpc else ''}" if live.healthy else "does not answer",
        "since": live.since,
        "requests": _describe_requests(health) if health else "unknown",
        "HTTP": live.http,
        "gRPC": live.grpc or "not reachable",
        "front": _describe_front(live),
        **live.facts,
        "Bento": live.bento.tag,
        "run": live.run,
    }
    styles = {"health": "green" if live.healthy else "red"}
    for name, value in rows.items():
        table.add_row(name, Text(value, style=styles.get(name, "")))
    return table


def _describe_front(live: Deployment) -> str:
    if not live.front:
        return "none: a switch takes seconds"
    return "the endpoint: a switch loses no request" if live.facts else "nginx: a switch loses no request"


def _describe_requests(health: Health) -> str:
    p95 = "" if health.p95_ms is None else f", p95 {health.p95_ms:.1f} ms"
    return f"{health.requests:,}, {100 * health.error_rate:.2f}% failed{p95}"


COMMAND = Command(
    "status", "show the live service, the version in production, alarms, and the latest decisions", run, Arguments
)
