"""Requests over HTTP, whose failures become one clear line."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from sentiment.errors import UserError
from stacks.probes import ANSWER_SECONDS, CONNECT_SECONDS

if TYPE_CHECKING:
    import httpx


def client(seconds: float = ANSWER_SECONDS, **options: Any) -> httpx.Client:  # noqa: ANN401  # arguments of httpx
    """A client that does not wait long.

    Args:
        seconds: For an answer.
        options: Of httpx.
    """
    import httpx

    timeout = httpx.Timeout(seconds, connect=CONNECT_SECONDS)
    return httpx.Client(timeout=timeout, follow_redirects=True, **options)


def ask(what: str, remedy: str, request: httpx.Request, sender: httpx.Client) -> httpx.Response:
    """The answer to a request.

    Args:
        what: The server, e.g. ``MLflow at http://...``.
        remedy: The remedy if it cannot be reached.
        request: The request.
        sender: The client.

    Raises:
        UserError: If there is no answer, or the server is failing.
    """
    import httpx

    try:
        response = sender.send(request)
    except httpx.ConnectTimeout as error:
        raise UserError(f"{what} cannot be reached: no answer within {CONNECT_SECONDS} s", remedy=remedy) from error
    except httpx.TimeoutException as error:
        remedy = "It runs: check its load and its log, or try again."
        raise UserError(f"{what} does not answer within {sender.timeout.read} s", remedy=remedy) from error
    except httpx.HTTPError as error:
        raise UserError(f"{what} cannot be reached ({_cause(error)})", remedy=remedy) from error
    if response.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR:
        raise UserError(f"{what} fails: it answers {response.status_code}", remedy="Check its log.")
    return response


def _cause(error: Exception) -> str:
    words = " ".join(str(error).split())
    return words or type(error).__name__
