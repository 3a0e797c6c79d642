"""The model deployer's configuration: ``configuration`` of ``model_deployer`` in a stack file."""

from __future__ import annotations

from ipaddress import IPv4Address
from typing import Any, Literal

from pydantic import Field, field_validator, model_validator
from zenml.model_deployers.base_model_deployer import BaseModelDeployerConfig

from bento.options import ServiceOptions
from stacks.addresses import Address
from stacks.files import required_file


class BentoDeployerConfig(BaseModelDeployerConfig, ServiceOptions):
    """Configures how Bentos are served: the options of the service, and those of its live address."""

    http_port: int = Field(3000, ge=1, le=65535, description="port of the live address for HTTP")
    grpc_port: int = Field(3001, ge=1, le=65535, description="port of the live address for gRPC")
    host: str = Field("127.0.0.1", description="IPv4 address that the live address listens on; 0.0.0.0: all")
    front: Literal["auto", "nginx", "none"] = Field(
        "auto",
        description="nginx at the live address: if installed, always, or never (a switch then takes seconds)",
    )
    tls_certificate: str | None = Field(None, description="certificate chain of the live address (PEM)")
    tls_key: str | None = Field(None, description="its private key (PEM)")
    requests_per_second: int = Field(
        0, ge=0, description="requests of one client address at the front; above that, answer 429. 0: no limit"
    )
    drain_seconds: int = Field(20, ge=1, le=3600, description="time that a stopping service has to finish its requests")
    start_timeout: int = Field(60, ge=1, le=3600, description="time that a new service has until it must answer")

    @model_validator(mode="before")
    @classmethod
    def _drop_push_bentos(cls, given: Any) -> Any:  # noqa: ANN401  # any input, before validation
        """Accepts the key of older stack files as long as it asked for nothing."""
        if isinstance(given, dict) and "push_bentos" in given:
            if str(given["push_bentos"]).lower() == "true":
                raise ValueError("push_bentos is gone: every machine builds a Bento in seconds. Remove the key")
            return {key: value for key, value in given.items() if key != "push_bentos"}
        return given

    @field_validator("host")
    @classmethod
    def _is_address(cls, host: str) -> str:
        return str(IPv4Address(host))

    @model_validator(mode="after")
    def _fits(self) -> BentoDeployerConfig:
        if self.http_port == self.grpc_port:
            raise ValueError("http_port and grpc_port must differ")
        if bool(self.tls_certificate) != bool(self.tls_key):
            raise ValueError("tls_certificate and tls_key go together")
        return self

    @property
    def is_local(self) -> bool:
        """Whether it runs on this machine, for ZenML."""
        return True

    @property
    def live_address(self) -> Address:
        """The address that callers use."""
        return Address(
            self.host, self.http_port, self.grpc_port, required_file(self.tls_certificate, "tls_certificate")
        )
