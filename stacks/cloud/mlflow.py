"""MLflow's tracking server and registry, with users, a database and artifacts in the bucket."""

from __future__ import annotations

import sys
from http import HTTPStatus
from pathlib import Path

from stacks.cloud.keys import BUCKET, HOST, PRIVATE, USER, Keys
from stacks.cloud.postgresql import PostgreSQL
from stacks.cloud.server import Server, http_status
from stacks.files import write_whole

# One worker: with several, a changed password would reach only one of them.
USERS = """\
[mlflow]
default_permission = READ
database_uri = {database}
authorization_function = mlflow.server.auth:authenticate_request_basic_auth
auth_cache_ttl_seconds = 300
"""


class MLflow(Server):
    """MLflow behind basic authentication; clients send it their artifacts and need no key of the bucket."""

    name = "mlflow"
    title = "MLflow"

    def __init__(self, root: Path, keys: Keys) -> None:
        super().__init__(root, keys)
        here = f"sqlite:///{self.data / 'mlflow.db'}"
        self._database = PostgreSQL(root, keys).uri if keys.database == "postgresql" else here

    def start(self) -> None:
        """See ``Server``."""
        self.folder.mkdir(parents=True, exist_ok=True)
        write_whole(self._users, USERS.format(database=self._database), mode=PRIVATE)
        super().start()

    def command(self) -> list[str]:
        """See ``Server``."""
        command = [sys.executable, "-m", "mlflow", "server", "--app-name", "basic-auth", "--workers", "1"]
        command += ["--host", HOST, "--port", str(self.port), "--artifacts-destination", f"s3://{BUCKET}/mlflow"]
        return [*command, "--uvicorn-opts", "--log-level warning --timeout-graceful-shutdown 5"]

    def environment(self) -> dict[str, str]:
        """See ``Server``."""
        return {
            "MLFLOW_BACKEND_STORE_URI": self._database,
            "MLFLOW_AUTH_CONFIG_PATH": str(self._users),
            "MLFLOW_AUTH_ADMIN_USERNAME": USER,
            "MLFLOW_AUTH_ADMIN_PASSWORD": self.keys.mlflow_password,
            "MLFLOW_FLASK_SERVER_SECRET_KEY": self.keys.mlflow_forms_key,
            "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",  # extra processes for unused features
            "MLFLOW_DISABLE_TELEMETRY": "true",
            "MLFLOW_LOGGING_LEVEL": "WARNING",
            "MLFLOW_S3_ENDPOINT_URL": self.keys.address("s3"),
            "AWS_ACCESS_KEY_ID": self.keys.s3_access_key,
            "AWS_SECRET_ACCESS_KEY": self.keys.s3_secret_key,
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def problem(self) -> str:
        """See ``Server``."""
        status = http_status(f"{self.address}/health")
        return "" if status == HTTPStatus.OK else f"/health: {status}"

    @property
    def _users(self) -> Path:
        return self.folder / "users.ini"
