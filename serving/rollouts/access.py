"""Ways to a service that is on trial, or behind the front: where it answers, and with which token."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict

from stacks.addresses import certificate_name

if TYPE_CHECKING:
    import httpx
    from grpc import Channel

    from bento.client import GrpcClient, HttpClient
    from serving.service import BentoService

TIMEOUT = 10.0  # seconds; the service's own limit


class _Way(TypedDict):
    ca: Path | None
    name: str | None
    proxied: bool


@dataclass(frozen=True)
class Access:
    """How a service is called itself, not by way of the front.

    Attributes:
        http: Address for HTTP, with its scheme.
        grpc: Address for gRPC, host and port.
        token: Bearer token; None where everyone may call.
        certificate: What it shows where it speaks TLS itself (PEM).
        proxied: Whether the proxies of the environment stand before it.
    """

    http: str
    grpc: str
    token: str | None = None
    certificate: Path | None = None
    proxied: bool = True

    def http_client(self) -> HttpClient:
        """A client for HTTP that tries once: a test must see every failure."""
        from bento.client import HttpClient

        return HttpClient(self.http, token=self.token, timeout=TIMEOUT, retries=0, **self._way)

    def grpc_client(self) -> GrpcClient:
        """The same for gRPC."""
        from bento.client import GrpcClient

        return GrpcClient(self.grpc, token=self.token, timeout=TIMEOUT, retries=0, **self._way)

    def raw_http(self) -> httpx.Client:
        """HTTP for requests that the client would not send, and for pages that are not for clients."""
        from bento.client import open_http

        http = open_http(self.http, token=self.token, **self._way)
        http.timeout = TIMEOUT
        return http

    def raw_grpc(self) -> Channel:
        """The same for gRPC; a call brings its own metadata."""
        from bento.client import open_grpc

        return open_grpc(self.grpc, **self._way)

    @property
    def _way(self) -> _Way:
        name = certificate_name(self.certificate) if self.certificate else None
        return {"ca": self.certificate, "name": name, "proxied": self.proxied}

    @property
    def metadata(self) -> tuple[tuple[str, str], ...]:
        """What a gRPC call must carry."""
        return (("authorization", f"Bearer {self.token}"),) if self.token else ()


def access_to(service: BentoService) -> Access:
    """The way to a service that the deployer started."""
    tokens = service.config.environment.get("SENTIMENT_TOKENS_FILE")
    token = Path(tokens).read_text(encoding="utf-8").split()[0] if tokens else None
    return Access(
        service.http_address, service.grpc_address, token, certificate=service.address.certificate, proxied=False
    )
