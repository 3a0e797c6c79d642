"""The grammar of the command line: a table of commands, each with typed arguments and its own ``--help``.

The arguments of a command are a frozen dataclass. Each field declares its own option, so that the parser, the help and
the types have one source. argparse is enough for that, and imports in a fifth of the time of click or typer.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import MISSING, Field, dataclass, field, fields
from typing import TYPE_CHECKING, Any, NoReturn

from sentiment.errors import UserError

if TYPE_CHECKING:
    from rich.console import Console

PIPELINE = "--pipeline"
Summary = dict[str, object]


def option(
    metavar: str,
    help: str,
    *,
    default: Any = None,  # noqa: ANN401
    type: Callable[[str], Any] = str,
    required: bool = False,
    group: str = "",
) -> Any:  # noqa: ANN401  # a field of any type, as dataclasses.field
    """Declares an option with a value. Options of one group exclude each other."""
    shown = help if default is None else f"{help} (default: {default})"
    keywords = {"metavar": metavar, "help": shown, "type": type, "required": required, "default": default}
    return _declare(keywords, group=group, default=MISSING if required else default)


def flag(help: str, *, group: str = "") -> Any:  # noqa: ANN401
    """Declares an option without a value."""
    return _declare({"help": help, "action": "store_true"}, group=group, default=False)


def repeated(name: str, metavar: str, help: str) -> Any:  # noqa: ANN401
    """Declares an option that may be given several times."""
    keywords = {"metavar": metavar, "help": f"{help}; repeatable", "action": "append", "default": []}
    return _declare(keywords, name=name, default=())


def positional(metavar: str, help: str) -> Any:  # noqa: ANN401
    """Declares an argument without a name of its own."""
    return _declare({"metavar": metavar, "help": help}, name=metavar, default=MISSING)


def _declare(keywords: dict[str, Any], *, default: Any, name: str = "", group: str = "") -> Any:  # noqa: ANN401
    escaped = {**keywords, "help": keywords["help"].replace("%", "%%")}
    metadata = {"keywords": escaped, "name": name, "group": group}
    return field(default=default, metadata=metadata, kw_only=True)


@dataclass(frozen=True)
class GlobalOptions:
    """Options of every command, accepted before and after its name."""

    stack: str = option("NAME", "stack to work on: a file in configs/stacks, without .yaml", default="local")
    json: bool = flag("print a summary as JSON on the last line of stdout")
    debug: bool = flag("show ZenML's log, and tracebacks")


@dataclass(frozen=True)
class NoArguments:
    """The arguments of a command that has none."""


@dataclass(frozen=True)
class Context:
    """The surroundings of a command.

    Attributes:
        stack: Name of the stack to work on.
        debug: Whether ZenML's log is shown.
        console: Draws progress and results.
    """

    stack: str
    debug: bool
    console: Console

    def session(self, *, check: bool = False) -> AbstractContextManager[None]:
        """Activates the stack for a block; with ``check``, proves first that its remote components work."""
        from cli.session import session

        return session(self.stack, debug=self.debug, check=check)


@dataclass(frozen=True)
class Command:
    """A row of the table of commands.

    Attributes:
        name: The word on the command line.
        help: One line for the list of commands.
        run: Runs the command with an instance of ``arguments``; returns the summary for ``--json``.
        arguments: The dataclass of its arguments.
        is_pipeline: Whether ``--pipeline NAME`` names it, too.
        after_interrupt: A hint for users after an interrupt.
        details: Text below the options in ``--help``.
        subcommands: The table of its own commands, in place of ``run``.
    """

    name: str
    help: str
    run: Callable[[Any, Context], Summary] | None = None
    arguments: type = NoArguments
    is_pipeline: bool = False
    after_interrupt: str = ""
    details: str = ""
    subcommands: tuple[Command, ...] = ()


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
        if _name_of(declared).startswith("-"):
            groups[group].add_argument(_name_of(declared), dest=declared.name, **keywords)
        else:
            groups[group].add_argument(declared.name, **keywords)


def _name_of(declared: Field[Any]) -> str:
    return declared.metadata["name"] or f"--{declared.name.replace('_', '-')}"


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
            yield _name_of(declared), declared.metadata["keywords"].get("action") == "store_true"


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
    owners = [c.name for c in commands if name in map(_name_of, fields(c.arguments))]
    if not name.startswith("-"):
        problem = f"does not expect {word!r}"
    elif owners:
        problem = f"has no option {name}: it belongs to {' and '.join(owners)}"
    else:
        problem = f"has no option {name}"
    return UserError(problem, where=where, remedy=f"See python {where} --help.")


def _see_help(parser: argparse.ArgumentParser) -> str:
    return f"See python {parser.prog} --help."
