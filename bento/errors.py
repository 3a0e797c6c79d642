"""The errors of requests: one set of codes with the same meaning over HTTP and gRPC."""

from __future__ import annotations

import traceback

# gRPC status name -> HTTP status
STATUS = {
    "INVALID_ARGUMENT": 422,
    "UNAUTHENTICATED": 401,
    "NOT_FOUND": 404,
    "RESOURCE_EXHAUSTED": 413,
    "UNAVAILABLE": 503,
    "DEADLINE_EXCEEDED": 504,
    "INTERNAL": 500,
}
RETRY_AFTER = 1  # seconds


class RequestError(Exception):
    """A request that is not answered with a prediction.

    Attributes:
        code: gRPC status name, a key of ``STATUS``.
        message: The problem and the remedy; never holds input text.
        status: HTTP status.
    """

    def __init__(self, code: str, message: str, status: int | None = None) -> None:
        super().__init__(f"{code}: {message}")
        self.code, self.message = code, message
        self.status = STATUS[code] if status is None else status


def overloaded() -> RequestError:
    """Too much is waiting already."""
    return RequestError("UNAVAILABLE", f"overloaded: try again in {RETRY_AFTER} s")


def too_slow(seconds: float) -> RequestError:
    """The time limit is over."""
    return RequestError("DEADLINE_EXCEEDED", f"not answered within {seconds:g} s")


def internal() -> RequestError:
    """Returns the error for a fault of the service; its log has the details under the request's id."""
    return RequestError("INTERNAL", "failed; the service's log has the details under the request's id")


def frames(error: BaseException) -> str:
    """Where an error arose, innermost first; its message is left out, as it may quote the input."""
    return " <- ".join(f"{f.name}:{f.lineno}" for f in reversed(traceback.extract_tb(error.__traceback__)))
