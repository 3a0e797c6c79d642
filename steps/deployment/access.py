"""Ways to a service that is on trial, or behind the front: where it answers, and with which token."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import httpx
    from grpc import Channel

    from bento.client import GrpcClient, HttpClient
    from stacks.bento_service import BentoService

TIMEOUT = 10.0  # seconds; the service's own limit


@dataclass(frozen=True)
class Access:
    """How a service is called itself, on loopback.

    Attributes:
        http: Address for HTTP, with its scheme.
        grpc: Address for gRPC, host and port.
        token: Bearer token; None where everyone may call.
    """

    http: str
    grpc: str
    token: str | None = None

    def http_client(self) -> HttpClient:
        """A client for HTTP that tries once: a test must see every failure."""
        from bento.client import HttpClient

        return HttpClient(self.http, token=self.token, timeout=TIMEOUT, retries=0)

    def grpc_client(self) -> GrpcClient:
        """The same for gRPC."""
        from bento.client import GrpcClient

        return GrpcClient(self.grpc, token=self.token, timeout=TIMEOUT, retries=0)

    def raw_http(self) -> httpx.Client:
        """HTTP for requests that the client would not send, and for pages that are not for clients."""
        import httpx

        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        return httpx.Client(base_url=self.http, headers=headers, timeout=TIMEOUT)

    def raw_grpc(self) -> Channel:
        """The same for gRPC; a call brings its own metadata."""
        import grpc

        return grpc.insecure_channel(self.grpc)

    @property
    def metadata(self) -> tuple[tuple[str, str], ...]:
        """What a gRPC call must carry."""
        return (("authorization", f"Bearer {self.token}"),) if self.token else ()


def access_to(service: BentoService) -> Access:
    """The way to a service that the deployer started."""
    tokens = service.config.environment.get("SENTIMENT_TOKENS_FILE")
    token = Path(tokens).read_text(encoding="utf-8").split()[0] if tokens else None
    return Access(service.http_address, service.grpc_address, token)
