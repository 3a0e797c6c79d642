"""The service's settings from its environment: variables with the prefix ``SENTIMENT_``."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Self

from pydantic import Field, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from bento.options import PREFIX, ServiceOptions
from sentiment.errors import UserError


def _state() -> Path:
    return Path(tempfile.gettempdir()) / f"sentiment-{os.getppid()}"  # the workers' common parent


class ServiceSettings(BaseSettings, ServiceOptions):
    """How one service runs; all workers of it read the same."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, env_ignore_empty=True)

    host: str = Field("127.0.0.1", description="address that gRPC listens on")
    grpc_port: int = Field(3001, ge=1, le=65535, description="port that gRPC listens on")
    state: Path = Field(default_factory=_state, description="folder of this service alone: its metrics")
    log: Path | None = Field(None, description="folder of the prediction log; none: predictions are not logged")
    tokens: str = Field("", description="bearer tokens, separated by commas; none: open to every caller")
    tls_certificate: Path | None = Field(None, description="certificate chain for gRPC (PEM)")
    tls_key: Path | None = Field(None, description="private key for gRPC (PEM)")

    @model_validator(mode="after")
    def _tls_is_whole(self) -> Self:
        if bool(self.tls_certificate) != bool(self.tls_key):  # half of it must not fall back to plain text
            raise UserError(
                "one is set without the other",
                where=f"{PREFIX}TLS_CERTIFICATE, {PREFIX}TLS_KEY",
                remedy="Set both for TLS, or none.",
            )
        return self

    def accepted_tokens(self) -> tuple[str, ...]:
        """Returns all bearer tokens; empty if the service is open.

        Raises:
            UserError: If the file cannot be read, or holds no token: that must not open the service.
        """
        tokens = [t.strip() for t in self.tokens.split(",") if t.strip()]
        if self.tokens and not tokens:  # such as two empty variables joined by a comma
            raise UserError("holds no token", where=f"{PREFIX}TOKENS", remedy="Write some, or do not set it.")
        if self.tokens_file is not None:
            try:
                lines = Path(self.tokens_file).read_text(encoding="utf-8").split()
            except (OSError, UnicodeDecodeError) as error:
                raise UserError(
                    "cannot be read", where=f"{PREFIX}TOKENS_FILE", remedy="Give a text file, one token a line."
                ) from error
            if not lines:
                raise UserError("holds no token", where=f"{PREFIX}TOKENS_FILE", remedy="Write one a line.")
            tokens += lines
        return tuple(tokens)


def read_service_settings() -> ServiceSettings:
    """Reads the settings from the environment.

    Raises:
        UserError: If a variable has a wrong value.
    """
    try:
        return ServiceSettings()
    except ValidationError as error:
        problem = error.errors(include_url=False, include_input=False)[0]
        name = PREFIX + "_".join(str(part) for part in problem["loc"]).upper()
        raise UserError(problem["msg"], where=f"environment variable {name}", remedy="Fix its value.") from error
