"""The one door: pipelines, and what a person does with their results.

python run.py --pipeline train
python run.py --pipeline deploy
python run.py status | report | stop | versions | compare | promote --version 3 | rollback
python run.py stack apply cloud
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

PIPELINES = {
    "train": "reviews to a tested, calibrated, promoted model",
    "evaluate": "score a version on any source, e.g. the official IMDB test half (configs/evaluate.yaml)",
    "deploy": "the production model to a tested, live service over HTTP and gRPC (configs/deploy.yaml)",
    "monitor": "what the live version was asked and answered lately: does it still hold? (configs/monitor.yaml)",
    "continuous": "every hour: monitor, and if need be train, try as a canary, and switch (configs/monitor.yaml)",
}
INTERRUPTS = {
    "train": "training resumes where it was when started again",
    "deploy": "python run.py status says what is live",
    "continuous": "the next one goes on from there",
    "rollback": "python run.py status says what is live",
}
STACK_COMMANDS = {
    "apply": "make ZenML know it, with its secrets; again: nothing to change",
    "list": "every stack that has a file",
    "show": "what it consists of, without secrets",
    "use": "make it the active stack in ZenML (run.py itself takes --stack)",
    "check": "prove every component: storage, tracking, registry, tools",
    "remove": "make ZenML forget it; artifacts stay",
}
OK, FAILED, BAD_INPUT, INTERRUPTED = 0, 1, 2, 130


def parser() -> argparse.ArgumentParser:
    """The command line."""
    pipelines = "\n".join(f"  {name:10} {words}" for name, words in PIPELINES.items())
    main = argparse.ArgumentParser(
        prog="run.py",
        description="Sentiment Stack: raw reviews to a tested, calibrated, promoted sentiment model.",
        epilog=f"pipelines:\n{pipelines}\n\nProfiles are files: configs/train.yaml (minutes), train.thorough.yaml "
        "(under an hour),\ntrain.full.yaml (everything, for a GPU), train.smoke.yaml (tests).",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    main.add_argument("--pipeline", metavar="NAME", help="pipeline to run (see below)")
    main.add_argument("--config", type=Path, metavar="FILE", help="settings (default: configs/<pipeline>.yaml)")
    main.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="replace one setting; repeatable")
    main.add_argument("--no-cache", action="store_true", help="run every step, even if nothing changed")
    rollout = main.add_mutually_exclusive_group()
    rollout.add_argument("--canary", metavar="SHARE", help="deploy: try the new one on so many percent of the traffic")
    rollout.add_argument("--shadow", action="store_true", help="deploy: only compare, on copies of the traffic")
    common(main, stack="local", switch=False)
    commands = main.add_subparsers(dest="command", metavar="{status,report,stop,versions,...}")
    status = commands.add_parser("status", help="what is live, how it is, and the latest decisions")
    status.add_argument("--repair", action="store_true", help="let MLflow's registry agree with ZenML again")
    report = commands.add_parser("report", help="all of it as one HTML page, with plots")
    report.add_argument("--output", type=Path, default=Path("report.html"), metavar="FILE", help="default: report.html")
    stop = commands.add_parser("stop", help="stop the live service")
    versions = commands.add_parser("versions", help="every version, and why it was promoted or not")
    compare = commands.add_parser("compare", help="a train run beside the champion of its time")
    compare.add_argument("--run", metavar="NAME", help="the train run (default: the last one)")
    compare.add_argument(
        "--markdown", type=Path, metavar="FILE", help="write it for a pull request instead of showing it"
    )
    smoke = commands.add_parser("smoke", help="test a service at any address against what evaluation recorded")
    smoke.add_argument(
        "--http", required=True, metavar="URL", help="where it answers over HTTP; SENTIMENT_TOKEN is sent"
    )
    smoke.add_argument("--grpc", required=True, metavar="HOST:PORT", help="and over gRPC")
    smoke.add_argument("--version", metavar="N", help="the version's number (default: the one in production)")
    promote = commands.add_parser("promote", help="put a version into production; make deploy then makes it live")
    promote.add_argument("--version", required=True, metavar="N", help="the version's number")
    rollback = commands.add_parser("rollback", help="put the version before back: live, if any is, and in production")
    rollback.add_argument("--to", metavar="N", help="the version's number (default: the one before)")
    for command in (promote, rollback):
        command.add_argument("--dry-run", action="store_true", help="say what would change, and change nothing")
    for command in (status, report, versions, compare, smoke, promote, rollback):
        command.add_argument("--model", default="sentiment", help="name of the model (default: sentiment)")
    for command in (status, report, stop, versions, compare, smoke, promote, rollback):
        common(command, stack=argparse.SUPPRESS, switch=argparse.SUPPRESS)
    stack = commands.add_parser("stack", help="stacks: apply, list, show, use, check, remove")
    on_stacks = stack.add_subparsers(dest="stack_command", required=True, metavar=f"{{{','.join(STACK_COMMANDS)}}}")
    for name, words in STACK_COMMANDS.items():
        command = on_stacks.add_parser(name, help=words)
        if name != "list":
            command.add_argument("name", metavar="NAME", help="a file in configs/stacks, without .yaml")
        switches(command, default=argparse.SUPPRESS)
    return main


def common(to: argparse.ArgumentParser, *, stack: str, switch: bool | str) -> None:
    """Adds the options that every command knows; a subcommand's own defaults must not hide what came before it."""
    to.add_argument("--stack", default=stack, metavar="NAME", help="a file in configs/stacks (default: local)")
    switches(to, default=switch)


def switches(to: argparse.ArgumentParser, *, default: bool | str) -> None:
    """Adds what says how results are shown."""
    to.add_argument("--json", action="store_true", default=default, help="print a summary as JSON, as the last line")
    to.add_argument("--debug", action="store_true", default=default, help="show ZenML's log, and tracebacks")


def dispatch(options: argparse.Namespace, console: Console) -> dict[str, object]:
    """Does what the command line asks for; returns the summary for ``--json``."""
    from sentiment.errors import UserError
    from sentiment.settings import NAME_RULE, is_model_name, nearest_of

    if (options.canary or options.shadow) and options.pipeline != "deploy":
        where = "--shadow" if options.shadow else "--canary"
        raise UserError("is a way to deploy", where=where, remedy="Add --pipeline deploy.")
    if "model" in options and not is_model_name(options.model):
        raise UserError(f"{NAME_RULE} (it is {options.model!r})", where="--model", remedy="Mend the name.")
    if options.command == "stack":
        from cli import stacks

        return stacks.run(options, console)
    if options.command:
        from cli.session import session

        with session(options.stack, debug=options.debug):
            from cli import people

            return people.run(options, console)
    pipelines = {
        "train": train,
        "evaluate": evaluate,
        "deploy": deploy,
        "monitor": monitor,
        "continuous": continuous,
    }
    if options.pipeline not in pipelines:
        raise UserError(
            f"there is no pipeline {options.pipeline!r}",
            where="--pipeline",
            remedy=nearest_of(options.pipeline, PIPELINES),
        )
    file = "monitor" if options.pipeline == "continuous" else options.pipeline  # which says when to retrain, and how
    config = options.config or Path("configs") / f"{file}.yaml"
    return pipelines[options.pipeline](options, config, console)


def train(options: argparse.Namespace, config: Path, console: Console) -> dict[str, object]:
    """Runs the train pipeline."""
    from cli.session import session
    from pipelines.settings import read_train_settings

    settings = read_train_settings(config, options.set)
    with session(options.stack, debug=options.debug, check=True):
        from cli import summary
        from cli.run_train import run_train

        outcome = run_train(settings, console, cache=not options.no_cache)
        summary.show(outcome, console)
        return outcome.as_json()


def evaluate(options: argparse.Namespace, config: Path, console: Console) -> dict[str, object]:
    """Runs the evaluate pipeline."""
    from cli.session import session
    from pipelines.settings import read_evaluate_settings

    settings = read_evaluate_settings(config, options.set)
    with session(options.stack, debug=options.debug, check=True):
        from cli.run_evaluate import run_evaluate

        return run_evaluate(settings, console, cache=not options.no_cache)


def deploy(options: argparse.Namespace, config: Path, console: Console) -> dict[str, object]:
    """Runs the deploy pipeline."""
    from cli.session import session
    from pipelines.settings import DeploySettings
    from sentiment.settings import read_settings

    overrides = list(options.set)
    if options.canary:
        overrides += ["rollout.mode=canary", f"rollout.share={options.canary}"]
    if options.shadow:
        overrides += ["rollout.mode=shadow"]
    settings = read_settings(DeploySettings, config, overrides)
    with session(options.stack, debug=options.debug, check=True):
        from cli.run_deploy import run_deploy

        return run_deploy(settings, console).as_json()


def monitor(options: argparse.Namespace, config: Path, console: Console) -> dict[str, object]:
    """Runs the monitor pipeline."""
    from cli.session import session
    from sentiment.monitoring.settings import read_monitor_settings

    settings = read_monitor_settings(config, options.set)
    with session(options.stack, debug=options.debug, check=True):
        from cli.run_monitor import run_monitor

        return run_monitor(settings, console, cache=not options.no_cache).as_json()


def continuous(options: argparse.Namespace, config: Path, console: Console) -> dict[str, object]:
    """Runs one turn of the loop."""
    from cli.session import session
    from pipelines.settings import read_continuous_settings

    settings = read_continuous_settings(config, options.set)
    with session(options.stack, debug=options.debug, check=True):
        from cli.run_continuous import run_continuous

        return run_continuous(settings, console, cache=not options.no_cache).as_json()


def main(arguments: list[str] | None = None) -> int:
    """Runs one command and returns the exit code."""
    options = parser().parse_args(arguments)
    if not options.command and not options.pipeline:
        parser().print_help()
        return BAD_INPUT
    from rich.console import Console

    from cli.faults import explain, retries_shown
    from sentiment.errors import UserError

    os.chdir(Path(__file__).resolve().parent)  # paths in configs/ are relative to the repository
    # where nobody watches, lines are as wide as the tables need
    width = None if sys.stdout.isatty() else 120
    stdout, console = sys.stdout, Console(stderr=options.json, width=width, emoji=False)
    try:
        with retries_shown(console):
            result = dispatch(options, console)
    except UserError as error:
        if options.debug:
            raise
        print(f"error: {error}", file=sys.__stderr__)
        return BAD_INPUT
    except KeyboardInterrupt:
        hint = INTERRUPTS.get(options.pipeline or options.command)
        print("interrupted" + (f": {hint}" if hint else ""), file=sys.__stderr__)
        return INTERRUPTED
    except Exception as error:
        fault = explain(error)
        if options.debug or fault is None:
            raise
        print(f"error: {fault}", file=sys.__stderr__)
        return FAILED
    if options.json:
        print(json.dumps(result), file=stdout, flush=True)
    return FAILED if result.get("passed") is False else OK  # a check that did not pass


if __name__ == "__main__":
    sys.exit(main())
