"""Connections to a service over HTTP and gRPC."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import grpc
    import httpx


def open_http(address: str, *, token: str | None, ca: Path | None, name: str | None, proxied: bool) -> httpx.Client:
    """Connections for HTTP; see :class:`HttpClient`."""
    import ssl

    import httpx

    verify: ssl.SSLContext | bool = True
    if address.startswith("http://"):
        verify = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # an empty trust store: reading all authorities takes 30 ms
    elif ca:
        verify = ssl.create_default_context(cafile=str(ca))
        verify.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN  # also the service's own certificate

    def expect_name(request: httpx.Request) -> None:
        if name:
            request.extensions = {**request.extensions, "sni_hostname": name}

    return httpx.Client(
        base_url=address,
        headers={"Authorization": f"Bearer {token}"} if token else {},
        verify=verify,
        trust_env=proxied,
        event_hooks={"request": [expect_name]},
    )


def open_grpc(address: str, *, ca: Path | None, name: str | None, proxied: bool) -> grpc.Channel:
    """Opens a separate gRPC connection; see :class:`GrpcClient`."""
    import grpc

    options: list[tuple[str, str | int]] = [("grpc.use_local_subchannel_pool", 1)]
    # reconnect quickly: by default gRPC waits a second, during which every retry fails at once
    options += [("grpc.initial_reconnect_backoff_ms", 100), ("grpc.max_reconnect_backoff_ms", 2000)]
    options += [] if proxied else [("grpc.enable_http_proxy", 0)]
    if ca is None:
        return grpc.insecure_channel(address, options)
    options += [("grpc.ssl_target_name_override", name)] if name else []
    return grpc.secure_channel(address, grpc.ssl_channel_credentials(ca.read_bytes()), options)


def trace_headers() -> dict[str, str]:
    """Returns ``traceparent`` and ``tracestate`` of the caller's OpenTelemetry span; nothing if there is none."""
    headers: dict[str, str] = {}
    if "opentelemetry.trace" in sys.modules:  # other programs do not pay for its import
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        TraceContextTextMapPropagator().inject(headers)
    return headers
