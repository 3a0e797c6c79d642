"""ZenML's server: the metadata that everyone on the stack shares."""

from __future__ import annotations

import sys
from http import HTTPStatus
from typing import Any

from stacks.cloud.keys import HOST, USER
from stacks.cloud.server import Server, http_status

ACCOUNT = "ci"


class ZenML(Server):
    """ZenML with users, on sqlite; for a team use MySQL (deploy/compose.cloud.yaml)."""

    name = "zenml"
    title = "ZenML"

    def command(self) -> list[str]:
        """See ``Server``."""
        command = [sys.executable, "-m", "uvicorn", "zenml.zen_server.zen_server_api:app", "--log-level", "warning"]
        return [*command, "--host", HOST, "--port", str(self.port), "--timeout-graceful-shutdown", "5"]

    def environment(self) -> dict[str, str]:
        """See ``Server``."""
        return {
            "ZENML_SERVER": "true",
            "ZENML_CONFIG_PATH": str(self.data),
            "ZENML_STORE_TYPE": "sql",
            "ZENML_STORE_URL": f"sqlite:///{self.data / 'zenml.db'}",
            "ZENML_SECRETS_STORE_TYPE": "sql",
            "ZENML_SECRETS_STORE_ENCRYPTION_KEY": self.keys.zenml_secrets_key,
            "ZENML_SERVER_AUTH_SCHEME": "OAUTH2_PASSWORD_BEARER",
            "ZENML_SERVER_JWT_SECRET_KEY": self.keys.zenml_tokens_key,
            "ZENML_SERVER_AUTO_ACTIVATE": "true",  # with this user, before the first request
            "ZENML_DEFAULT_USER_NAME": USER,
            "ZENML_DEFAULT_USER_PASSWORD": self.keys.zenml_password,
            "ZENML_SERVER_DISPLAY_ANNOUNCEMENTS": "false",
            "ZENML_SERVER_DISPLAY_UPDATES": "false",
            "ZENML_ANALYTICS_OPT_IN": "false",
            "ZENML_LOGGING_COLORS_DISABLED": "true",
        }

    def problem(self) -> str:
        """See ``Server``."""
        status = http_status(f"{self.address}/health")
        return "" if status == HTTPStatus.OK else f"/health: {status}"

    def make_api_key(self) -> str:
        """A key of the service account, which is made if it is not there; keys from before stay valid.

        Raises:
            UserError: If it cannot be made.
        """
        import httpx

        try:
            return self._make_api_key()
        except httpx.HTTPError as error:
            raise self.failed(f"made no key: {error}") from error

    def _make_api_key(self) -> str:
        from datetime import UTC, datetime

        import httpx

        with httpx.Client(base_url=f"{self.address}/api/v1", trust_env=False, timeout=30) as api:
            form = {"grant_type": "password", "username": USER, "password": self.keys.zenml_password}
            token = _json(api.post("/login", data=form))["access_token"]
            api.headers["Authorization"] = f"Bearer {token}"
            found = _json(api.get("/service_accounts", params={"name": ACCOUNT}))["items"]
            account = {"name": ACCOUNT, "active": True}
            identifier = (found[0] if found else _json(api.post("/service_accounts", json=account)))["id"]
            name = f"{datetime.now(UTC):%Y-%m-%d-%H-%M-%S-%f}"
            made = _json(api.post(f"/service_accounts/{identifier}/api_keys", json={"name": name}))
        return str(made["body"]["key"])


def _json(response: Any) -> Any:  # noqa: ANN401  # httpx is not imported before it is needed
    return response.raise_for_status().json()
