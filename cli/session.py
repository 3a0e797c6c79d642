"""The surroundings of a run: quiet libraries, the stack that was asked for, the run's own settings."""

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
# MLflow is asked again where it does not answer, for a minute or so; by itself it would go on for a quarter of an hour.
RETRIES = {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "4", "MLFLOW_HTTP_REQUEST_TIMEOUT": "15"}
# Libraries that write what no user asked for; errors still come through.
NOISY = ("mlflow", "alembic", "great_expectations", "httpx", "datasets", "transformers", "torch", "matplotlib")


@contextmanager
def session(stack: str, *, debug: bool, check: bool = False, folder: Path = FOLDER) -> Iterator[None]:
    """Runs what is inside on the named stack, without changing the active one.

    Args:
        stack: Name of a file in ``folder``, without ``.yaml``.
        debug: Whether ZenML's own log is shown.
        check: Whether what the stack needs beyond this machine must be proven first.
        folder: Where stack files are.

    Raises:
        UserError: If the stack is not in order: nothing runs anywhere else instead.
    """
    declared = read_stack(stack, folder)
    if check and declared.is_remote:
        require(declared)
    quieten(debug=debug)
    from zenml.exceptions import RunInterruptedException

    with activated(declared):
        try:
            yield
        except RunInterruptedException as error:  # what ZenML makes of SIGTERM
            raise KeyboardInterrupt from error


def quieten(*, debug: bool) -> None:
    """Keeps ZenML's console to errors of its own; step logs in the artifact store stay whole."""
    for name, value in {**QUIET, **RETRIES}.items():
        os.environ.setdefault(name, value)
    from zenml.logger import ZenMLConsoleHandler  # importing ZenML sets up logging

    for handler in logging.getLogger().handlers:
        if isinstance(handler, ZenMLConsoleHandler) and not debug:
            handler.setLevel(logging.CRITICAL + 1)
    for name in NOISY:
        logging.getLogger(name).setLevel(logging.ERROR)
