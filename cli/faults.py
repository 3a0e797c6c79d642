"""Explains faults of a stack's services in one line each, and shows a line while a library tries again.

Errors are recognised by the names of their classes: importing the libraries that define them would take seconds.
"""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from rich.console import Console
from rich.markup import escape

from sentiment.errors import UserError

LATER = "Start again when it is back: finished steps come from cache."
BUCKET = "Check the bucket and its files, and start again: missing files are computed again."
CREDENTIALS = "Check the credentials: python run.py stack check."
REFUSED = {401, 403}
# Codes of S3 for wrong or expired credentials; HEAD requests give numbers.
S3_REFUSALS = {
    "401", "403", "AccessDenied", "AuthorizationHeaderMalformed", "ExpiredToken", "InvalidAccessKeyId", "InvalidToken",
    "RequestTimeTooSkewed", "SignatureDoesNotMatch", "TokenRefreshRequired",
}  # fmt: skip
S3_MISSING = {"404", "NoSuchBucket", "NoSuchKey"}
RETRIES = {  # by logger: the beginning of the message that it tries again
    "aiobotocore.retries.standard": "Retry needed",
    "aiobotocore.retryhandler": "Retry needed",
    "botocore.retries.standard": "Retry needed",
    "botocore.retryhandler": "Retry needed",
    "s3fs": "Retryable error",
    "urllib3.connectionpool": "Retry",
}
SHOWN = ("registry.trackers.copy",)  # loggers of this project whose warnings concern the user
MIN_INTERVAL_S = 5.0  # between two lines about the same service


def explain(error: BaseException) -> UserError | None:
    """Returns the fault behind an error, with its place and remedy; None if the error is a bug."""
    causes = list(_causes(error))
    for family in (_explain_s3, _explain_mlflow, _explain_zenml, _explain_http, _explain_database):
        for cause in causes:
            if fault := family(cause):
                return fault
    if isinstance(error, OSError):  # such as a full disk or a read-only folder
        return UserError(str(error.strerror or error), where=str(error.filename or "system"))
    return None


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__


def _is(error: BaseException, *names: str) -> bool:
    return any(f"{c.__module__}.{c.__qualname__}" in names for c in type(error).__mro__)


def _raised_in(error: BaseException) -> str:
    trace = error.__traceback__
    while trace and trace.tb_next:
        trace = trace.tb_next
    return trace.tb_frame.f_globals["__name__"] if trace else ""


def _explain_s3(error: BaseException) -> UserError | None:
    if _is(error, "botocore.exceptions.ClientError"):
        details: dict[str, Any] = getattr(error, "response", {}).get("Error", {})
        code = str(details.get("Code", "?"))
        if code in S3_REFUSALS:
            return UserError(f"refuses the credentials ({code})", where="S3", remedy=CREDENTIALS)
        if code in S3_MISSING:
            return UserError(f"has lost the bucket or a file ({code})", where="S3", remedy=BUCKET)
        return UserError(f"answers with the error {code} at every attempt", where="S3", remedy=LATER)
    if _is(error, "botocore.exceptions.NoCredentialsError", "botocore.exceptions.PartialCredentialsError"):
        return UserError("needs credentials, and none are set", where="S3", remedy=CREDENTIALS)
    if _is(
        error,
        "botocore.exceptions.ConnectionError",
        "botocore.exceptions.HTTPClientError",
        "aiohttp.client_exceptions.ClientError",
        "fsspec.exceptions.FSTimeoutError",
    ):
        return _no_answer("S3", getattr(error, "kwargs", {}).get("endpoint_url", ""))
    return None


def _explain_mlflow(error: BaseException) -> UserError | None:
    if not _is(error, "mlflow.exceptions.MlflowException"):
        return None
    status, words = error.get_http_status_code(), str(error)  # type: ignore[attr-defined]
    if request := re.match(r"API request to (http\S+) failed with", words):
        return _no_answer("MLflow", request[1])
    return _bad_answer("MLflow", "", status) if status in REFUSED or status >= 500 else None


def _explain_zenml(error: BaseException) -> UserError | None:
    if _is(error, "zenml.exceptions.AuthorizationException"):
        return UserError("refuses the credentials", where="ZenML's server", remedy=CREDENTIALS)
    if isinstance(error, RuntimeError) and _raised_in(error) == "zenml.zen_stores.rest_zen_store":
        return UserError(f"answers with an error: {str(error).splitlines()[0]}", where="ZenML's server", remedy=LATER)
    return None


def _explain_http(error: BaseException) -> UserError | None:
    if not _is(error, "requests.exceptions.RequestException", "urllib3.exceptions.HTTPError"):
        return None
    url = getattr(getattr(error, "request", None), "url", None) or ""
    response = getattr(error, "response", None)
    return (
        _no_answer(_service_at(url), url)
        if response is None
        else _bad_answer(_service_at(url), url, response.status_code)
    )


def _explain_database(error: BaseException) -> UserError | None:
    if _is(error, "sqlalchemy.exc.OperationalError"):
        return UserError(str(getattr(error, "orig", error)).splitlines()[0], where="the database", remedy=LATER)
    return None


def _no_answer(name: str, url: str) -> UserError:
    return UserError("does not answer", where=_name_at(name, url), remedy=LATER)


def _bad_answer(name: str, url: str, status: int) -> UserError:
    if status in REFUSED:
        return UserError(f"refuses the credentials (status {status})", where=_name_at(name, url), remedy=CREDENTIALS)
    return UserError(f"answers with status {status} at every attempt", where=_name_at(name, url), remedy=LATER)


def _service_at(path: str) -> str:
    """Returns the name of the service that a request went to, by its path."""
    return "MLflow" if "/mlflow" in path else "ZenML's server" if "/api/v1" in path else "a server"


def _name_at(name: str, url: str) -> str:
    """Returns the service and its address; other parts of a URL may hold a password."""
    parts = urlsplit(url)
    return f"{name} at {parts.hostname}" + (f":{parts.port}" if parts.port else "") if parts.hostname else name


@contextmanager
def show_retries(console: Console) -> Iterator[None]:
    """Prints a line within the block for each warning in ``SHOWN``, and whenever a library tries again."""
    handler, warnings = _Retries(console), _Warnings(console)
    before = {}
    for name in SHOWN:
        logging.getLogger(name).addHandler(warnings)
    for name in RETRIES:
        logger = logging.getLogger(name)
        before[name] = logger.level, logger.propagate
        logger.setLevel(logging.DEBUG)
        logger.propagate = False  # their other messages are noise
        logger.addHandler(handler)
    try:
        yield
    finally:
        for name, (level, propagate) in before.items():
            logger = logging.getLogger(name)
            logger.removeHandler(handler)
            logger.setLevel(level)
            logger.propagate = propagate
        for name in SHOWN:
            logging.getLogger(name).removeHandler(warnings)


class _Warnings(logging.Handler):
    """Prints warnings."""

    def __init__(self, console: Console) -> None:
        super().__init__(logging.WARNING)
        self._console = console

    def emit(self, record: logging.LogRecord) -> None:
        self._console.print(f"[yellow]warning[/]: {escape(record.getMessage())}", highlight=False)


class _Retries(logging.Handler):
    """Prints one line for the log messages of a library that tries again."""

    def __init__(self, console: Console) -> None:
        super().__init__()
        self._console = console
        self._printed_at: dict[str, float] = {}

    def emit(self, record: logging.LogRecord) -> None:
        if not str(record.msg).startswith(RETRIES.get(record.name, " ")):
            return
        service = "S3" if "urllib3" not in record.name else _service_at(record.getMessage())
        if record.name.startswith("botocore") and "aiobotocore" not in record.pathname:  # s3fs uses the same logger
            service = "AWS"
        if time.monotonic() - self._printed_at.get(service, -MIN_INTERVAL_S) >= MIN_INTERVAL_S:
            self._printed_at[service] = time.monotonic()
            self._console.print(f"[yellow]![/] {service} does not answer properly: trying again", highlight=False)
