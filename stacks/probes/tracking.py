"""Proves MLflow: the tracking server and its registry, or the database beside the artifact store."""

from __future__ import annotations

import re
from http import HTTPStatus
from importlib.metadata import version

from sentiment.errors import UserError
from stacks.probes import Unproven
from stacks.probes.credentials import resolved
from stacks.probes.http import ask, client
from stacks.stack_file import Stack

REMEDY = "Is it running? make cloud-up starts this project's server; otherwise fix tracking_uri."


def prove_tracking(stack: Stack) -> str:
    """Reaches the tracking server, is let in, and searches experiments and the registry.

    Returns:
        The proof, in words.

    Raises:
        UserError: If one of them fails.
        Unproven: If it has no server.
    """
    component = stack.components["experiment_tracker"]
    uri, ours = component.configuration.get("tracking_uri", ""), version("mlflow")
    if not uri:
        return f"MLflow {ours}, on a database beside the artifact store"
    if not uri.startswith(("http://", "https://")):
        raise Unproven(f"{uri.partition(':')[0]}: a database that no proof connects to")
    settings = resolved(component.configuration, stack)
    what = f"MLflow at {uri}"
    with client(
        base_url=uri,
        auth=_password(settings),
        headers=_token(settings),
        verify=not settings.get("tracking_insecure_tls", False),
    ) as http:
        theirs = ask(what, REMEDY, http.build_request("GET", "/version"), http)
        _check_access(what, theirs.status_code)
        if not re.fullmatch(r"\d+\.\d+\S*", theirs.text.strip()):
            raise UserError(f"{uri} is no MLflow server", remedy=REMEDY)
        if theirs.text.split(".")[0] != ours.split(".")[0]:
            remedy = f"Install mlflow=={theirs.text.strip()} here, or {ours} there."
            raise UserError(f"{what} is version {theirs.text.strip()}, this machine has {ours}", remedy=remedy)
        for search in ("experiments", "registered-models"):
            request = http.build_request("GET", f"/api/2.0/mlflow/{search}/search", params={"max_results": 1})
            answer = ask(what, REMEDY, request, http)
            _check_access(what, answer.status_code)
            if answer.status_code != HTTPStatus.OK:
                raise UserError(f"{what} cannot search {search} ({answer.status_code})", remedy="Check its log.")
    return f"version {theirs.text.strip()}, accepts our credentials; experiments and registry were searched"


def _password(settings: dict[str, str]) -> tuple[str, str] | None:
    user = settings.get("tracking_username")
    return (user, settings["tracking_password"]) if user else None


def _token(settings: dict[str, str]) -> dict[str, str]:
    token = settings.get("tracking_token")
    return {"Authorization": f"Bearer {token}"} if token else {}


def _check_access(what: str, status: int) -> None:
    if status == HTTPStatus.UNAUTHORIZED:
        raise UserError(f"{what} does not know this user and password", remedy="Fix its secret.")
    if status == HTTPStatus.FORBIDDEN:
        raise UserError(f"{what} accepts our credentials, but denies this", remedy="Give the user the permission.")
