"""Parses the command line by one grammar for all commands, ``--pipeline NAME`` and ``NAME`` alike.

argparse is enough for that, and imports in a fifth of the time of click or typer.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from typing import Any, NoReturn

from cli.grammar import Command, GlobalOptions, name_of
from sentiment.errors import UserError

PIPELINE = "--pipeline"


@dataclass(frozen=True)
class Call:
    """A parsed command line.

    Attributes:
        command: The command that was named.
        arguments: Its arguments: an instance of ``command.arguments``.
        options: The options of every command.
    """

    command: Command
    arguments: Any
    options: GlobalOptions


class _Parser(argparse.ArgumentParser):
    """Raises a UserError, which is printed as one line, where argparse would print its usage and exit."""

    def error(self, message: str) -> NoReturn:
        option, colon, problem = message.removeprefix("argument ").partition(": ")
        if colon and message.startswith("argument "):
            raise UserError(problem, where=option, remedy=_see_help(self))
        raise UserError(message, where=self.prog, remedy=_see_help(self))


def parse(commands: Sequence[Command], words: Sequence[str]) -> Call | None:
    """Parses a command line; None if it names no command.

    Both spellings, ``--pipeline deploy --canary 10`` and ``rollback --to 2``, mean the same to one parser: the name of
    the command goes to the front, and all options follow.

    Raises:
        UserError: If the command or an option is unknown, or a value is missing or wrong.
        SystemExit: After ``--help``.
    """
    path, rest = _find_command(commands, words)
    parser = build_parser(commands)
    if path:
        _add_commands(parser, commands)
    values, unknown = parser.parse_known_args([*path, *rest])
    command: Command | None = getattr(values, "command", None)
    if unknown:
        raise _refuse(commands, command, unknown[0])
    if command is None and path:
        raise UserError("expects a command", where=f"run.py {path[0]}", remedy=f"See python run.py {path[0]} --help.")
    if command is None:
        return None
    return Call(command, _typed(command.arguments, values), _typed(GlobalOptions, values))


def build_parser(commands: Sequence[Command]) -> argparse.ArgumentParser:
    """Returns the parser of the options that need no command; its help lists the commands."""
    pipelines = [c for c in commands if c.is_pipeline]
    others = [c for c in commands if not c.is_pipeline]
    parser = _Parser(
        prog="run.py",
        usage="run.py [options] (--pipeline NAME | COMMAND) [options]",
        description="Sentiment Stack: from raw reviews to a tested, calibrated, promoted and served sentiment model.",
        epilog=f"pipelines:\n{_list(pipelines)}\n\ncommands:\n{_list(others)}\n\n"
        "Each has options of its own: run.py NAME --help.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(PIPELINE, metavar="NAME", help="run a pipeline; short: run.py NAME")
    _add_options(parser, GlobalOptions)
    return parser


def _list(commands: Sequence[Command]) -> str:
    return "\n".join(f"  {command.name:11} {command.help}" for command in commands)


def _add_commands(parser: argparse.ArgumentParser, commands: Sequence[Command]) -> None:
    added = parser.add_subparsers(metavar="COMMAND", prog=parser.prog, help=argparse.SUPPRESS)
    for command in commands:
        below = f"commands:\n{_list(command.subcommands)}" if command.subcommands else command.details
        own = added.add_parser(
            command.name,
            description=f"{command.help[0].upper()}{command.help[1:]}.",
            epilog=below,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        _add_options(own, command.arguments)
        _add_options(own.add_argument_group("options of every command"), GlobalOptions)
        if command.subcommands:
            _add_commands(own, command.subcommands)
        else:
            own.set_defaults(command=command)


def _add_options(parser: argparse._ActionsContainer, arguments: type) -> None:
    groups: dict[str, argparse._ActionsContainer] = {"": parser}
    for declared in fields(arguments):
        group = declared.metadata["group"]
        if group not in groups:
            groups[group] = parser.add_mutually_exclusive_group()
        keywords = dict(declared.metadata["keywords"])
        if name_of(declared).startswith("-"):
            groups[group].add_argument(name_of(declared), dest=declared.name, **keywords)
        else:
            groups[group].add_argument(declared.name, **keywords)


def _typed(arguments: type, values: argparse.Namespace) -> Any:  # noqa: ANN401
    found = {declared.name: getattr(values, declared.name) for declared in fields(arguments)}
    return arguments(**{name: tuple(v) if isinstance(v, list) else v for name, v in found.items()})


def _find_command(commands: Sequence[Command], words: Sequence[str]) -> tuple[list[str], list[str]]:
    """Separates the name of the command from the other words; a command with commands of its own has two names."""
    path: list[str] = []
    rest = list(words)
    while commands and (found := _find_name(commands, rest, top=not path)):
        name, start, end = found
        commands = _get_command(commands, name, path, by_option=rest[start].startswith("-")).subcommands
        path.append(name)
        rest = [*rest[:start], *rest[end:]]
    return path, rest


def _find_name(commands: Sequence[Command], words: Sequence[str], *, top: bool) -> tuple[str, int, int] | None:
    """Returns the name of a command, and the slice of words that holds it.

    That is ``--pipeline NAME``, or the first word that is neither an option nor the value of one.
    """
    start = 0
    while start < len(words):
        flag, equals, value = words[start].partition("=")
        end = start + 1
        if not flag.startswith("-"):
            return words[start], start, end
        takes_value = any(f.startswith(flag) and not is_switch for f, is_switch in _all_flags(commands))
        is_pipeline = top and len(flag) >= 3 and PIPELINE.startswith(flag)
        if not equals and (takes_value or is_pipeline):
            value = " ".join(words[end : end + 1])
            end += 1
        if is_pipeline:
            return value, start, end
        start = end
    return None


def _all_flags(commands: Sequence[Command]) -> Iterator[tuple[str, bool]]:
    """Yields every option of the table, and whether it is one without a value."""
    for arguments in (GlobalOptions, *(command.arguments for command in commands)):
        for declared in fields(arguments):
            yield name_of(declared), declared.metadata["keywords"].get("action") == "store_true"


def _get_command(commands: Sequence[Command], name: str, path: Sequence[str], *, by_option: bool) -> Command:
    known = {command.name: command for command in commands if command.is_pipeline or not by_option}
    if name in known:
        return known[name]
    from sentiment.settings import nearest_of

    if by_option:
        raise UserError(f"there is no pipeline {name!r}", where=PIPELINE, remedy=nearest_of(name, known))
    raise UserError(f"there is no command {name!r}", where=" ".join(["run.py", *path]), remedy=nearest_of(name, known))


def _refuse(commands: Sequence[Command], command: Command | None, word: str) -> UserError:
    """Returns the error for an argument that a command does not have, and names the commands that have it."""
    where = f"run.py {command.name}" if command else "run.py"
    name = word.partition("=")[0]
    owners = [c.name for c in commands if name in map(name_of, fields(c.arguments))]
    if not name.startswith("-"):
        problem = f"does not expect {word!r}"
    elif owners:
        problem = f"has no option {name}: it belongs to {' and '.join(owners)}"
    else:
        problem = f"has no option {name}"
    return UserError(problem, where=where, remedy=f"See python {where} --help.")


def _see_help(parser: argparse.ArgumentParser) -> str:
    return f"See python {parser.prog} --help."
