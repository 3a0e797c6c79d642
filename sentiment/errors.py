"""The error that users read."""

from __future__ import annotations


class UserError(Exception):
    """The user's input is wrong, and the user can fix it.

    ``run.py`` prints it as one line and exits with 2; a traceback appears only with ``--debug``.

    Attributes:
        what: The problem, without a full stop.
        where: The file, key, row or address it concerns; empty where there is none.
        remedy: The remedy.
    """

    def __init__(self, what: str, *, where: str = "", remedy: str = "") -> None:
        self.what, self.where, self.remedy = what, where, remedy
        super().__init__(": ".join(part for part in (where, what) if part) + (f". {remedy}" if remedy else ""))


def first_line(error: BaseException) -> str:
    """Returns the first line of a library's own message, or the name of the error if it has none."""
    return (str(error).strip() or type(error).__name__).splitlines()[0][:200]
