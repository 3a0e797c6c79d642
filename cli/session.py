"""The surroundings of a command: the named stack is active, and libraries are quiet."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from stacks.activation import activated
from stacks.check import require
from stacks.stack_file import FOLDER, read_stack

QUIET = {
    "ZENML_ANALYTICS_OPT_IN": "false",
    "AUTO_OPEN_DASHBOARD": "false",
    "ZENML_ENABLE_RICH_TRACEBACK": "false",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "DO_NOT_TRACK": "1",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_LOGGING_LEVEL": "ERROR",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "GIT_PYTHON_REFRESH": "quiet",
    "TOKENIZERS_PARALLELISM": "false",
}
# MLflow's client tries again for about a minute; by default it would for a quarter of an hour.
RETRIES = {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "4", "MLFLOW_HTTP_REQUEST_TIMEOUT": "15"}
# Libraries that log too much for a user; their errors still show.
NOISY = ("mlflow", "alembic", "great_expectations", "httpx", "datasets", "transformers", "torch", "matplotlib")


@contextmanager
def session(stack: str, *, debug: bool, check: bool = False, folder: Path = FOLDER) -> Iterator[None]:
    """Makes the named stack the active one for the block only.

    Args:
        stack: Name of a file in ``folder``, without ``.yaml``.
        debug: Whether ZenML's own log is shown.
        check: Whether to prove first that the stack's remote components work.
        folder: The folder of stack files.

    Raises:
        UserError: If the stack does not work; no other stack is used instead.
    """
    # otherwise ZenML takes the main program's folder, where another module may have the name of a package of ours
    os.environ.setdefault("ZENML_CUSTOM_SOURCE_ROOT", str(Path(__file__).resolve().parents[1]))
    declared = read_stack(stack, folder)
    if check and declared.is_remote:
        require(declared)
    quieten(debug=debug)
    from zenml.exceptions import RunInterruptedException

    with activated(declared):
        try:
            yield
        except RunInterruptedException as error:  # raised by ZenML at SIGTERM
            raise KeyboardInterrupt from error


def quieten(*, debug: bool) -> None:
    """Silences ZenML and other libraries on the console; step logs in the artifact store stay complete."""
    for name, value in {**QUIET, **RETRIES}.items():
        os.environ.setdefault(name, value)
    from zenml.logger import ZenMLConsoleHandler  # importing ZenML sets up logging

    for handler in logging.getLogger().handlers:
        if isinstance(handler, ZenMLConsoleHandler) and not debug:
            handler.setLevel(logging.CRITICAL + 1)
    for name in NOISY:
        logging.getLogger(name).setLevel(logging.ERROR)
