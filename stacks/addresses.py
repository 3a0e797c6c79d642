"""Whether a service answers, over both protocols, and which one it is."""

from __future__ import annotations

import socket
import ssl
from contextlib import closing
from dataclasses import dataclass
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from pathlib import Path

SECONDS = 2.0  # for an answer
SERVED_BY = "x-served-by"  # header in which the front names the service that answered


@dataclass(frozen=True)
class Address:
    """Where a service answers.

    Attributes:
        host: IPv4 address that it listens on; ``0.0.0.0`` is called by loopback.
        http_port: Port for HTTP.
        grpc_port: Port for gRPC.
        certificate: Its certificate (PEM) if both speak TLS.
    """

    host: str
    http_port: int
    grpc_port: int
    certificate: Path | None = None

    @property
    def http(self) -> str:
        """As HTTP clients want it."""
        return f"http{'s' if self.certificate else ''}://{self._client_host}:{self.http_port}"

    @property
    def grpc(self) -> str:
        """As gRPC clients want it."""
        return f"{self._client_host}:{self.grpc_port}"

    @property
    def _client_host(self) -> str:
        return "127.0.0.1" if self.host == "0.0.0.0" else self.host

    def problem(self) -> str:
        """Why it does not answer over both protocols; empty if it does."""
        return self._http_problem() or self._grpc_problem()

    def served_by(self) -> str | None:
        """Identifier of the service that answers behind a front; None if none does."""
        try:
            return self._ask_ready().headers[SERVED_BY]
        except (OSError, HTTPException):
            return None

    def used_port(self) -> int | None:
        """Returns the first of its ports that is in use; None if both are free."""
        for port in (self.http_port, self.grpc_port):
            with socket.socket() as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # connections that end take no port
                try:
                    probe.bind((self.host, port))
                except OSError:
                    return port
        return None

    def _http_problem(self) -> str:
        try:
            status = self._ask_ready().status
        except (OSError, HTTPException) as error:
            return f"HTTP: {error}"
        return "" if status == HTTPStatus.OK else f"HTTP: /readyz answers {status}"

    def _ask_ready(self) -> HTTPResponse:
        if self.certificate is None:
            connection = HTTPConnection(self._client_host, self.http_port, timeout=SECONDS)
        else:  # its name may be another one; the caller knows whose process it is
            context = ssl.create_default_context()
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            connection = HTTPSConnection(self._client_host, self.http_port, timeout=SECONDS, context=context)
        with closing(connection):
            connection.request("GET", "/readyz")
            return connection.getresponse()

    def _grpc_problem(self) -> str:
        import grpc
        from grpc_health.v1 import health_pb2

        options: list[tuple[str, str | int]] = [("grpc.use_local_subchannel_pool", 1), ("grpc.enable_http_proxy", 0)]
        try:
            if self.certificate:
                options.append(("grpc.ssl_target_name_override", certificate_name(self.certificate)))
                credentials = grpc.ssl_channel_credentials(self.certificate.read_bytes())
                channel = grpc.secure_channel(self.grpc, credentials, options)
            else:
                channel = grpc.insecure_channel(self.grpc, options)
            with channel:
                check = channel.unary_unary(
                    "/grpc.health.v1.Health/Check",
                    health_pb2.HealthCheckRequest.SerializeToString,
                    health_pb2.HealthCheckResponse.FromString,
                )
                status = check(health_pb2.HealthCheckRequest(), timeout=SECONDS).status
        except grpc.RpcError as error:
            return f"gRPC: {error.code().name}"
        except OSError as error:
            return f"gRPC: {error}"
        return "" if status == health_pb2.HealthCheckResponse.SERVING else "gRPC: not serving"


def certificate_name(certificate: Path) -> str:
    """A name that the first certificate of a file (PEM) is for."""
    from cryptography import x509

    found = x509.load_pem_x509_certificates(certificate.read_bytes())[0]
    try:
        names = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return "localhost"
    return next((str(name.value).replace("*", "any") for name in names), "localhost")


def free_port(taken: set[int]) -> int:
    """A loopback port below those that the system gives to outgoing connections, not among those ``taken``."""
    import random

    for port in random.SystemRandom().sample(range(20_000, 32_000), 200):  # a training seeds the others alike
        if port not in taken and Address("127.0.0.1", port, port).used_port() is None:
            return port
    raise OSError("no free port from 20000 to 32000")
