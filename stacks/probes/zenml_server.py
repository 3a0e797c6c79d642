"""Proves the ZenML server that a stack shares."""

from __future__ import annotations

from http import HTTPStatus
from importlib.metadata import version
from typing import TYPE_CHECKING

from sentiment.errors import UserError
from stacks.probes import ANSWER_SECONDS
from stacks.probes.http import ask, client
from stacks.stack_file import Server

if TYPE_CHECKING:
    import httpx

_handed_out: dict[tuple[str, str], str] = {}  # tokens, by address and key: a login costs the server a second

REMEDY = "Is it running? make cloud-up starts this project's server; otherwise fix SENTIMENT_ZENML_URL."


def prove_server(server: Server) -> str:
    """Reaches the server, and logs in.

    Returns:
        The proof, in words.

    Raises:
        UserError: If it does not answer, is of another version, or does not take the key.
    """
    theirs, token = log_in(server, ANSWER_SECONDS, anew=True)
    return f"answers, version {theirs}; " + ("the API key is valid" if token else "needs zenml login, or an API key")


def log_in(server: Server, seconds: float, *, anew: bool = False) -> tuple[str, str]:
    """Returns the server's version, and its token for our key; empty if there is no key.

    Args:
        server: The server.
        seconds: For each of its answers.
        anew: Whether the key is shown even if this process has done so.

    Raises:
        UserError: As ``prove_server``.
    """
    what = f"ZenML at {server.url}"
    with client(seconds, base_url=server.url) as http:
        info = ask(what, REMEDY, http.build_request("GET", "/api/v1/info"), http)
        theirs, ours = _field(info, "version"), version("zenml")
        if not theirs:
            raise UserError(f"{server.url} is no ZenML server", remedy=REMEDY)
        if theirs.split(".")[:2] != ours.split(".")[:2]:
            remedy = f"Install zenml=={theirs} here, or {ours} there."
            raise UserError(f"{what} is version {theirs}, this machine has {ours}", remedy=remedy)
        if not server.api_key:
            return theirs, ""
        known = _handed_out.get((server.url, server.api_key))
        if known and not anew:
            return theirs, known
        form = {"grant_type": "zenml-api-key", "password": server.api_key}
        login = ask(what, REMEDY, http.build_request("POST", "/api/v1/login", data=form), http)
    token = _field(login, "access_token")
    if not token:
        remedy = "Fix SENTIMENT_ZENML_API_KEY: a service account's key (zenml service-account api-key ... create)."
        raise UserError(f"{what} refuses the API key ({login.status_code})", remedy=remedy)
    _handed_out[server.url, server.api_key] = token
    return theirs, token


def _field(response: httpx.Response, name: str) -> str:
    """Returns a field of a server's answer; empty if there is none."""
    try:
        return str(response.json()[name]) if response.status_code == HTTPStatus.OK else ""
    except (ValueError, KeyError, TypeError):
        return ""
