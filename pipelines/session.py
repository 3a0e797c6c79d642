"""The surroundings of a run: quiet libraries, the stack that was asked for, the run's own settings."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from stacks.apply import apply

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
# Libraries that write what no user asked for; errors still come through.
NOISY = ("mlflow", "alembic", "great_expectations", "httpx", "datasets", "transformers", "torch", "matplotlib")


@contextmanager
def session(stack: str, *, debug: bool, folder: Path = Path("configs/stacks")) -> Iterator[None]:
    """Runs what is inside on the named stack, without changing the active one.

    Args:
        stack: Name of a file in ``folder``, without ``.yaml``.
        debug: Whether ZenML's own log is shown.
        folder: Where stack files are.
    """
    for name, value in QUIET.items():
        os.environ.setdefault(name, value)
    from zenml.exceptions import RunInterruptedException  # importing ZenML sets up logging, which is then quietened

    _quieten(debug)
    before = os.environ.get("ZENML_ACTIVE_STACK_ID")
    os.environ["ZENML_ACTIVE_STACK_ID"] = str(apply(stack, folder).id)
    try:
        yield
    except RunInterruptedException as error:  # what ZenML makes of SIGTERM
        raise KeyboardInterrupt from error
    finally:
        if before is None:
            del os.environ["ZENML_ACTIVE_STACK_ID"]
        else:
            os.environ["ZENML_ACTIVE_STACK_ID"] = before


def _quieten(debug: bool) -> None:
    """Keeps ZenML's console to errors of its own; step logs in the artifact store stay whole."""
    from zenml.logger import ZenMLConsoleHandler

    for handler in logging.getLogger().handlers:
        if isinstance(handler, ZenMLConsoleHandler) and not debug:
            handler.setLevel(logging.CRITICAL + 1)
    for name in NOISY:
        logging.getLogger(name).setLevel(logging.ERROR)
