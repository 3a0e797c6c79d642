"""Proves the experiment trackers after MLflow."""

from __future__ import annotations

from http import HTTPStatus
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from sentiment.errors import UserError
from stacks.probes import Unproven
from stacks.probes.credentials import resolved
from stacks.probes.http import ask, client
from stacks.stack_file import Stack


def prove_further_tracker(key: str, stack: Stack) -> str:
    """Checks that the tracker's package is installed, and that a server accepts its key.

    Args:
        key: The component's key in ``Stack.components``.
        stack: The stack.

    Raises:
        UserError: If one of them fails; a training would run, and this tracker would have no copy.
        Unproven: If the key is one that only ZenML knows, or the server is the one that W&B's package names.
    """
    component = stack.components[key]
    package = component.flavor.removeprefix("sentiment_")
    try:
        words = f"{package} {version(package)}"
    except PackageNotFoundError as error:
        raise UserError(f"the package {package} is missing", remedy="Run make trackers.") from error
    settings = resolved(component.configuration, stack)
    folder = settings.get("folder", "ZenML's local store")
    if settings.get("mode") == "online":
        return f"{words}, {_prove_key(settings)}"
    return f"{words}, files in {folder}; no account is needed"


def _prove_key(settings: dict[str, Any]) -> str:
    server, key = settings.get("base_url", "").rstrip("/"), settings.get("api_key")
    if not key:
        raise UserError("online needs a key", remedy="Export WANDB_API_KEY, or WANDB_MODE=offline.")
    if not server:  # importing the package, which knows the address, takes seconds
        raise Unproven("online: the first run shows whether W&B accepts the key")
    what, remedy = f"W&B at {server}", "Check the network, or export WANDB_MODE=offline."
    with client(base_url=server, auth=("api", key)) as http:
        request = http.build_request("POST", "/graphql", json={"query": "query Viewer { viewer { username } }"})
        answer = ask(what, remedy, request, http)
    known = answer.status_code == HTTPStatus.OK and (answer.json().get("data") or {}).get("viewer")
    if not known:
        raise UserError(f"{what} does not accept the key", remedy="Fix WANDB_API_KEY.")
    return f"{what} accepts the key"
