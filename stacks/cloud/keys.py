"""Ports, passwords and keys of the servers: generated once and kept."""

from __future__ import annotations

from pathlib import Path
from secrets import token_hex
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from sentiment.errors import UserError
from stacks.addresses import free_port
from stacks.files import write_whole

HOST = "127.0.0.1"
BUCKET = "sentiment"
USER = "admin"  # of MLflow and of ZenML
PRIVATE = 0o600
SERVERS = ("s3", "postgresql", "mlflow", "zenml")


def _secret(characters: int = 40) -> Any:  # noqa: ANN401  # the type of a pydantic field
    return Field(default_factory=lambda: token_hex(characters // 2), repr=False)


def _free_ports() -> dict[str, int]:
    ports: dict[str, int] = {}
    for name in SERVERS:
        ports[name] = free_port(set(ports.values()))
    return ports


class Keys(BaseModel):
    """Generated at the first start; never on a command line or in a log.

    Attributes:
        database: Where MLflow keeps its data. It stays: a later start elsewhere would find none.
        ports: Of the servers on the loopback address, by name.
        s3_access_key: Access key of the bucket.
        s3_secret_key: Its secret.
        database_password: Of PostgreSQL's user.
        mlflow_password: Of MLflow's user ``admin``.
        mlflow_forms_key: Signs the forms on MLflow's pages.
        zenml_password: Of ZenML's user ``admin``.
        zenml_tokens_key: Signs ZenML's login tokens.
        zenml_secrets_key: Encrypts ZenML's secrets in its database.
        zenml_api_key: Of ZenML's service account ``ci``; none until the server runs.
    """

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    database: Literal["postgresql", "sqlite"]
    ports: dict[str, int] = Field(default_factory=_free_ports)
    s3_access_key: str = _secret(20)
    s3_secret_key: str = _secret()
    database_password: str = _secret()
    mlflow_password: str = _secret()
    mlflow_forms_key: str = _secret()
    zenml_password: str = _secret()
    zenml_tokens_key: str = _secret(64)
    zenml_secrets_key: str = _secret(64)
    zenml_api_key: str | None = Field(None, repr=False)

    @classmethod
    def read(cls, path: Path) -> Keys | None:
        """Reads the file of ``write``; None if there is none.

        Raises:
            UserError: If it is damaged.
        """
        try:
            return cls.model_validate_json(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        except (ValidationError, UnicodeDecodeError) as error:
            remedy = "Put it back, or remove the folder with all its data, then make cloud-up."
            raise UserError("is damaged", where=str(path), remedy=remedy) from error

    def write(self, path: Path) -> None:
        """Keeps it where only its owner may read it."""
        write_whole(path, self.model_dump_json(indent=2), mode=PRIVATE)

    def address(self, server: str) -> str:
        """Where a server answers HTTP."""
        return f"http://{HOST}:{self.ports[server]}"

    def environment(self) -> dict[str, str]:
        """Returns the variables of the stack file ``cloud.yaml``, and the login of ZenML's dashboard."""
        return {
            "SENTIMENT_S3_ENDPOINT": self.address("s3"),
            "SENTIMENT_S3_BUCKET": BUCKET,
            "SENTIMENT_S3_ACCESS_KEY": self.s3_access_key,
            "SENTIMENT_S3_SECRET_KEY": self.s3_secret_key,
            "SENTIMENT_MLFLOW_URI": self.address("mlflow"),
            "SENTIMENT_MLFLOW_USERNAME": USER,
            "SENTIMENT_MLFLOW_PASSWORD": self.mlflow_password,
            "SENTIMENT_ZENML_URL": self.address("zenml"),
            "SENTIMENT_ZENML_API_KEY": self.zenml_api_key or "",
            "SENTIMENT_ZENML_USERNAME": USER,
            "SENTIMENT_ZENML_PASSWORD": self.zenml_password,
        }
