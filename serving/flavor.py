"""The flavor ``sentiment_bento`` of ZenML's model deployers, and what a stack file may say of it.

ZenML's own BentoML deployer takes the services of BentoML 1.4 for those of 1.1, fails, and reports success.
"""

from __future__ import annotations

from ipaddress import IPv4Address
from typing import TYPE_CHECKING, Literal

from pydantic import Field, field_validator, model_validator
from zenml.model_deployers import BaseModelDeployerFlavor
from zenml.model_deployers.base_model_deployer import BaseModelDeployerConfig

from stacks.addresses import Address
from stacks.files import required_file

if TYPE_CHECKING:
    from serving.deployer import BentoDeployer


class BentoDeployerConfig(BaseModelDeployerConfig):
    """How Bentos are served; ``configuration`` of the model deployer in a stack file."""

    http_port: int = Field(3000, ge=1, le=65535, description="port of the live address for HTTP")
    grpc_port: int = Field(3001, ge=1, le=65535, description="port of the live address for gRPC")
    host: str = Field("127.0.0.1", description="IPv4 address that the live address listens on; 0.0.0.0: all")
    front: Literal["auto", "nginx", "none"] = Field(
        "auto", description="nginx as the live address: if it is installed, always, or never (a switch takes seconds)"
    )
    workers: int | None = Field(None, ge=1, description="processes of a service; none: one for every core")
    tokens_file: str | None = Field(None, description="file with one bearer token a line; none: open to everyone")
    tls_certificate: str | None = Field(None, description="certificate chain of the live address (PEM)")
    tls_key: str | None = Field(None, description="its private key (PEM)")
    abstain_below: float = Field(0.6, ge=0.5, le=1, description="score below which an answer is marked abstained")
    log_text: bool = Field(False, description="keep the texts in the prediction log")
    log_max_mb: float = Field(100, gt=0, description="bound of the prediction log in MB (10^6 bytes)")
    max_queue: int = Field(256, ge=1, description="texts that may wait in a worker; more are answered 503")
    timeout: float = Field(
        10,
        gt=0,
        le=3600,
        description="seconds that a request may take, its body included; nginx in front counts from when the body is "
        "there, which may pause for 10 s at a time",
    )
    requests_per_second: int = Field(
        0, ge=0, description="of one client address, at the front; more are answered 429. 0: no limit"
    )
    drain_seconds: int = Field(20, ge=1, le=3600, description="for a service that ends to answer what it has begun")
    start_timeout: int = Field(60, ge=1, le=3600, description="seconds until a new service must answer")
    push_bentos: bool = Field(
        False, description="keep every Bento in the artifact store, too: other machines take it from there"
    )

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
        """Where callers are answered."""
        return Address(
            self.host, self.http_port, self.grpc_port, required_file(self.tls_certificate, "tls_certificate")
        )


class BentoDeployerFlavor(BaseModelDeployerFlavor):
    """The flavor ``sentiment_bento``."""

    @property
    def name(self) -> str:
        """As stack files name it."""
        return "sentiment_bento"

    @property
    def config_class(self) -> type[BentoDeployerConfig]:
        """Its configuration."""
        return BentoDeployerConfig

    @property
    def implementation_class(self) -> type[BentoDeployer]:
        """Its class."""
        from serving.deployer import BentoDeployer

        return BentoDeployer
