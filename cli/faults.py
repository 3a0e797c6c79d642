"""Faults of the services that a stack consists of: each as one line, and a line while a library tries again.

Errors are told by the names of their classes: importing the libraries that define them would take seconds.
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

from sentiment.errors import UserError

LATER = "Start again when it is back: what is finished comes from cache."
BUCKET = "Look for the bucket and its files; then start again: what is missing is computed again."
CREDENTIALS = "Check the credentials: python run.py stack check."
REFUSED = {401, 403}
# What S3 calls it when credentials are wrong or have expired; codes that are numbers come from HEAD requests.
S3_REFUSALS = {
    "401", "403", "AccessDenied", "AuthorizationHeaderMalformed", "ExpiredToken", "InvalidAccessKeyId", "InvalidToken",
    "RequestTimeTooSkewed", "SignatureDoesNotMatch", "TokenRefreshRequired",
}  # fmt: skip
S3_MISSING = {"404", "NoSuchBucket", "NoSuchKey"}
RETRIES = {  # logger, and how the message starts with which it tries again
    "aiobotocore.retries.standard": "Retry needed",
    "aiobotocore.retryhandler": "Retry needed",
    "botocore.retries.standard": "Retry needed",
    "botocore.retryhandler": "Retry needed",
    "s3fs": "Retryable error",
    "urllib3.connectionpool": "Retry",
}
QUIET_SECONDS = 5.0  # between two lines about the same service


def explain(error: BaseException) -> UserError | None:
    """The fault behind an error: where it is, what is wrong, what to do; None if the code is to blame."""
    causes = list(_causes(error))
    for family in (_s3, _mlflow, _zenml, _http, _database):
        for cause in causes:
            if fault := family(cause):
                return fault
    if isinstance(error, OSError):  # a full disk, a folder that may not be written
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


def _s3(error: BaseException) -> UserError | None:
    if _is(error, "botocore.exceptions.ClientError"):
        details: dict[str, Any] = getattr(error, "response", {}).get("Error", {})
        code = str(details.get("Code", "?"))
        if code in S3_REFUSALS:
            return UserError(f"refuses our credentials ({code})", where="S3", remedy=CREDENTIALS)
        if code in S3_MISSING:
            return UserError(f"does not have what was there before ({code})", where="S3", remedy=BUCKET)
        return UserError(f"answers with the error {code}, however often it is asked", where="S3", remedy=LATER)
    if _is(error, "botocore.exceptions.NoCredentialsError", "botocore.exceptions.PartialCredentialsError"):
        return UserError("got no credentials from us", where="S3", remedy=CREDENTIALS)
    if _is(
        error,
        "botocore.exceptions.ConnectionError",
        "botocore.exceptions.HTTPClientError",
        "aiohttp.client_exceptions.ClientError",
        "fsspec.exceptions.FSTimeoutError",
    ):
        return _silent("S3", getattr(error, "kwargs", {}).get("endpoint_url", ""))
    return None


def _mlflow(error: BaseException) -> UserError | None:
    if not _is(error, "mlflow.exceptions.MlflowException"):
        return None
    status, words = error.get_http_status_code(), str(error)  # type: ignore[attr-defined]
    if asked := re.match(r"API request to (http\S+) failed with", words):
        return _silent("MLflow", asked[1])
    return _answered("MLflow", "", status) if status in REFUSED or status >= 500 else None


def _zenml(error: BaseException) -> UserError | None:
    if _is(error, "zenml.exceptions.AuthorizationException"):
        return UserError("refuses our credentials", where="ZenML's server", remedy=CREDENTIALS)
    if isinstance(error, RuntimeError) and _raised_in(error) == "zenml.zen_stores.rest_zen_store":
        return UserError(f"answers with an error: {str(error).splitlines()[0]}", where="ZenML's server", remedy=LATER)
    return None


def _http(error: BaseException) -> UserError | None:
    if not _is(error, "requests.exceptions.RequestException", "urllib3.exceptions.HTTPError"):
        return None
    url = getattr(getattr(error, "request", None), "url", None) or ""
    response = getattr(error, "response", None)
    return _silent(_asked(url), url) if response is None else _answered(_asked(url), url, response.status_code)


def _database(error: BaseException) -> UserError | None:
    if _is(error, "sqlalchemy.exc.OperationalError"):
        return UserError(str(getattr(error, "orig", error)).splitlines()[0], where="the database", remedy=LATER)
    return None


def _silent(name: str, url: str) -> UserError:
    return UserError("does not answer", where=_at(name, url), remedy=LATER)


def _answered(name: str, url: str, status: int) -> UserError:
    if status in REFUSED:
        return UserError(f"refuses our credentials (status {status})", where=_at(name, url), remedy=CREDENTIALS)
    return UserError(f"answers with status {status}, however often it is asked", where=_at(name, url), remedy=LATER)


def _asked(path: str) -> str:
    """Which service was asked, by the path of the request."""
    return "MLflow" if "/mlflow" in path else "ZenML's server" if "/api/v1" in path else "a server"


def _at(name: str, url: str) -> str:
    """The service and its address, without what else a URL may hold, such as a password."""
    parts = urlsplit(url)
    return f"{name} at {parts.hostname}" + (f":{parts.port}" if parts.port else "") if parts.hostname else name


@contextmanager
def retries_shown(console: Console) -> Iterator[None]:
    """Within the block, a line says that a service does not answer as it should and is asked again."""
    handler = _Retries(console)
    before = {}
    for name in RETRIES:
        logger = logging.getLogger(name)
        before[name] = logger.level, logger.propagate
        logger.setLevel(logging.DEBUG)
        logger.propagate = False  # what they say beside that nobody asked for
        logger.addHandler(handler)
    try:
        yield
    finally:
        for name, (level, propagate) in before.items():
            logger = logging.getLogger(name)
            logger.removeHandler(handler)
            logger.setLevel(level)
            logger.propagate = propagate


class _Retries(logging.Handler):
    """Makes one line of what libraries log when they try again."""

    def __init__(self, console: Console) -> None:
        super().__init__()
        self._console = console
        self._said: dict[str, float] = {}

    def emit(self, record: logging.LogRecord) -> None:
        if not str(record.msg).startswith(RETRIES.get(record.name, " ")):
            return
        service = "S3" if "urllib3" not in record.name else _asked(record.getMessage())
        if time.monotonic() - self._said.get(service, -QUIET_SECONDS) >= QUIET_SECONDS:
            self._said[service] = time.monotonic()
            self._console.print(f"[yellow]![/] {service} does not answer as it should: trying again", highlight=False)
