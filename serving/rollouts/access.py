"""Access to a service directly, not through the front: its addresses and a token."""

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

TIMEOUT_S = 10.0  # the service's own limit


class _Way(TypedDict):
    ca: Path | None
    name: str | None
    proxied: bool


@dataclass(frozen=True)
class Access:
    """The addresses and credentials of a service, for calls that bypass the front.

    Attributes:
        http: Address for HTTP, with its scheme.
        grpc: Address for gRPC, host and port.
        token: Bearer token; None if the service is open.
        certificate: Its certificate if it speaks TLS itself (PEM).
        proxied: Whether to use the proxies of the environment.
    """

    http: str
    grpc: str
    token: str | None = None
    certificate: Path | None = None
    proxied: bool = True

    def http_client(self) -> HttpClient:
        """Returns an HTTP client without retries: a test must see every failure."""
        from bento.client import HttpClient

        return HttpClient(self.http, token=self.token, timeout=TIMEOUT_S, retries=0, **self._way)

    def grpc_client(self) -> GrpcClient:
        """Returns a gRPC client without retries."""
        from bento.client import GrpcClient

        return GrpcClient(self.grpc, token=self.token, timeout=TIMEOUT_S, retries=0, **self._way)

    def raw_http(self) -> httpx.Client:
        """Returns a raw HTTP client, for requests that our client refuses to send and for pages such as metrics."""
        from bento.connections import open_http

        http = open_http(self.http, token=self.token, **self._way)
        http.timeout = TIMEOUT_S
        return http

    def raw_grpc(self) -> Channel:
        """Returns a raw gRPC channel; each call passes its own metadata."""
        from bento.connections import open_grpc

        return open_grpc(self.grpc, **self._way)

    @property
    def _way(self) -> _Way:
        name = certificate_name(self.certificate) if self.certificate else None
        return {"ca": self.certificate, "name": name, "proxied": self.proxied}

    @property
    def metadata(self) -> tuple[tuple[str, str], ...]:
        """The metadata of a gRPC call."""
        return (("authorization", f"Bearer {self.token}"),) if self.token else ()


def access_to(service: BentoService) -> Access:
    """Returns the access to a service that the deployer started."""
    tokens = service.config.environment.get("SENTIMENT_TOKENS_FILE")
    token = Path(tokens).read_text(encoding="utf-8").split()[0] if tokens else None
    return Access(
        service.http_address, service.grpc_address, token, certificate=service.address.certificate, proxied=False
    )
