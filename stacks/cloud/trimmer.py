"""The process that keeps the servers' logs small."""

from __future__ import annotations

import sys
from pathlib import Path

from stacks.cloud import logs
from stacks.cloud.server import LOG, Server


class Trimmer(Server):
    """Not a server, but started and ended like one."""

    name = "logs"
    title = "Log keeper"

    @property
    def address(self) -> str:
        """It has none."""
        return "no port"

    def command(self) -> list[str]:
        """See ``Server``."""
        return [sys.executable, str(Path(logs.__file__).resolve()), str(self.folder.parent), LOG]

    def environment(self) -> dict[str, str]:
        """See ``Server``."""
        return {}

    def problem(self) -> str:
        """See ``Server``."""
        return "" if self.process() else "no process"
