"""The one error a person is meant to read."""

from __future__ import annotations


class UserError(Exception):
    """Something the user gave is wrong and the user can mend it.

    ``run.py`` prints it as one line and exits with 2; a traceback appears only with ``--debug``.

    Attributes:
        what: What is wrong, without a full stop.
        where: The file, key, row or address it concerns; empty where there is none.
        remedy: What to do about it.
    """

    def __init__(self, what: str, *, where: str = "", remedy: str = "") -> None:
        self.what, self.where, self.remedy = what, where, remedy
        super().__init__(": ".join(part for part in (where, what) if part) + (f". {remedy}" if remedy else ""))
