"""The options of the service that users may set: in a stack file, or as environment variables of the served process."""

from __future__ import annotations

import re
from typing import Literal

from pydantic import BaseModel, Field, field_validator

PREFIX = "SENTIMENT_"


class ServiceOptions(BaseModel):
    """Declares the options once; the model deployer's configuration and the service's settings extend it."""

    workers: int | None = Field(None, ge=1, description="processes of the service; null: one for every core")
    engine: Literal["auto", "openvino-bf16", "openvino-int8", "openvino-f32", "onnxruntime"] = Field(
        "auto", description="library and precision that compute the transformer; auto: the fastest that the machine has"
    )
    tokens_file: str | None = Field(None, description="file with one bearer token a line; null: open to every caller")
    abstain_below: float = Field(0.6, ge=0.5, le=1, description="score below which an answer is marked abstained")
    log_text: bool = Field(False, description="keep the texts in the prediction log")
    log_max_mb: float = Field(100, gt=0, description="bound of the prediction log in MB (10^6 bytes)")
    max_queue: int = Field(256, ge=1, description="texts that may wait in a worker; above that, answer 503")
    max_requests: int = Field(128, ge=1, description="requests in flight in a worker; above that, answer 503")
    origins: str = Field(
        "", description="origins whose pages may call from a browser, separated by commas, or *; empty: none (CORS)"
    )
    page: bool = Field(True, description="serve a page to try the model at /; false: answer 404 there")
    timeout: float = Field(
        10,
        gt=0,
        le=3600,
        description="seconds that a request may take, its body included; nginx in front starts counting when the body "
        "is complete, and allows it pauses of 10 s",
    )

    @field_validator("origins")
    @classmethod
    def _are_origins(cls, origins: str) -> str:
        wrong = next((o for o in split_origins(origins) if not re.fullmatch(r"\*|https?://[^/\s*]+", o)), None)
        if wrong is not None:
            raise ValueError(f"{wrong!r} is no origin such as https://shop.example or http://localhost:8080")
        return origins

    def as_environment(self) -> dict[str, str]:
        """Returns the options as environment variables of the service; an empty value means the default."""
        values = {name: getattr(self, name) for name in ServiceOptions.model_fields}
        return {f"{PREFIX}{name}".upper(): "" if value is None else str(value) for name, value in values.items()}


def split_origins(origins: str) -> list[str]:
    """Returns the origins of a comma-separated list."""
    return [origin.strip() for origin in origins.split(",") if origin.strip()]
