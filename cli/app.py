"""The command line of the project: parses it, runs one command, prints errors as one line, returns the exit code."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from cli.commands import COMMANDS
from cli.grammar import Context, Summary
from cli.output import tolerant_output
from cli.parser import Call, build_parser, parse
from sentiment.errors import UserError

if TYPE_CHECKING:
    from rich.console import Console

ROOT = Path(__file__).resolve().parents[1]
OK, FAILED, BAD_INPUT, INTERRUPTED = 0, 1, 2, 130
WIDTH = 120  # of tables that are not drawn on a terminal


def main(words: Sequence[str] | None = None) -> int:
    """Runs the command that ``words`` (default: the process's arguments) name, and returns the exit code."""
    with tolerant_output():
        return _run(sys.argv[1:] if words is None else list(words))


def _run(given: list[str]) -> int:
    try:
        call = parse(COMMANDS, given)
    except UserError as error:
        if "--debug" in given:
            raise
        return _print_error(error, BAD_INPUT)
    if call is None:
        build_parser(COMMANDS).print_help()
        return BAD_INPUT
    return _execute(call)


def _execute(call: Call) -> int:
    from rich.console import Console

    from cli.faults import explain, show_retries

    os.chdir(ROOT)  # paths in configs/ are relative to the repository
    stdout, width = sys.stdout, None if sys.stdout.isatty() else WIDTH
    console = Console(stderr=call.options.json, width=width, emoji=False)
    try:
        with show_retries(console):
            summary = run_command(call, console)
    except KeyboardInterrupt:
        hint = call.command.after_interrupt
        print("interrupted" + (f": {hint}" if hint else ""), file=sys.__stderr__)
        return INTERRUPTED
    except Exception as error:
        fault = error if isinstance(error, UserError) else explain(error)
        if call.options.debug or fault is None:
            raise
        return _print_error(fault, BAD_INPUT if fault is error else FAILED)
    if call.options.json:
        print(json.dumps(summary), file=stdout, flush=True)
    return FAILED if summary.get("passed") is False else OK  # such as a check that failed


def run_command(call: Call, console: Console) -> Summary:
    """Runs the command of a call; returns its summary for ``--json``."""
    assert call.command.run is not None  # only a command without commands of its own is ever called
    return call.command.run(call.arguments, Context(call.options.stack, call.options.debug, console))


def _print_error(error: Exception, code: int) -> int:
    print(f"error: {error}", file=sys.__stderr__)
    return code
