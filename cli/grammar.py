"""Declares commands: each is a row of the table in ``cli.commands``, with typed arguments.

The arguments of a command are a frozen dataclass. Each field declares its own option, so that the parser, the help and
the types have one source.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import MISSING, Field, dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console

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


def repeated(name: str, metavar: str, help: str, *, type: Callable[[str], str] = str) -> Any:  # noqa: ANN401
    """Declares an option that may be given several times."""
    keywords = {"metavar": metavar, "help": f"{help}; repeatable", "action": "append", "default": [], "type": type}
    return _declare(keywords, name=name, default=())


def positional(metavar: str, help: str, *, type: Callable[[str], Any] = str, required: bool = True) -> Any:  # noqa: ANN401
    """Declares an argument without a name of its own; None where one that is not required is missing."""
    keywords = {"metavar": metavar, "help": help, "type": type, **({} if required else {"nargs": "?"})}
    return _declare(keywords, name=metavar, default=MISSING if required else None)


def _declare(keywords: dict[str, Any], *, default: Any, name: str = "", group: str = "") -> Any:  # noqa: ANN401
    escaped = {**keywords, "help": keywords["help"].replace("%", "%%")}
    metadata = {"keywords": escaped, "name": name, "group": group}
    return field(default=default, metadata=metadata, kw_only=True)


def name_of(declared: Field[Any]) -> str:
    """Returns the name on the command line of a declared option, such as ``--dry-run``."""
    return declared.metadata["name"] or f"--{declared.name.replace('_', '-')}"


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
