"""The configuration for nginx: routing of the requests, and their limits.

One template serves the front of a local deployment and nginx in ``deploy/compose.yaml``; this writes the latter:
``python -m serving.nginx``.
"""

from __future__ import annotations

import os
import re
import resource
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from bento.routes import canary_paths
from sentiment.errors import UserError
from stacks.addresses import SERVED_BY

if TYPE_CHECKING:
    from serving.deployer_config import BentoDeployerConfig

CLOSING = "closing"  # while a file of this name exists, connections close with their next response
MAX_CONNECTIONS = 8192
MAX_CLIENT_REQUESTS = 256  # in flight from one client address, health checks apart; many clients may share a proxy
MAX_SHADOWED_REQUESTS = MAX_CONNECTIONS // 4  # during a shadow, a request is in flight until the shadow has answered
MAX_LARGE_BODIES = 512  # in flight from all clients: they are buffered in at most 512 MiB of memory
EXTRA_TIMEOUT_S = 5  # beyond the service's own time limit, whose error is clearer


@dataclass(frozen=True)
class Backend:
    """A service behind nginx: its name and its addresses, as ``host:port``."""

    name: str
    http: str
    grpc: str


@dataclass(frozen=True)
class Route:
    """The routing of the requests.

    Attributes:
        live: The service that gets the requests.
        canary: The service that gets a share of the prediction requests.
        share: The canary's share in percent, 1 to 99.
        shadow: The service that gets copies of ``POST /v1/predict``; its answers are discarded.
    """

    live: Backend
    canary: Backend | None = None
    share: int = 0
    shadow: Backend | None = None


@dataclass(frozen=True)
class Upstream:
    """The addresses of a service for one protocol; nginx tries the second if the first fails."""

    name: str
    address: str
    backup: str
    idle: str


_TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).parent),
    autoescape=False,  # not HTML
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
)


def render(folder: Path, config: BentoDeployerConfig, route: Route) -> str:
    """Renders the configuration of the front.

    Args:
        folder: The folder of all files that nginx writes.
        config: The deployer's configuration.
        route: The routing of the requests.

    Raises:
        UserError: If a path has characters that nginx would interpret.
    """
    most_files = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    written = _quote(folder)
    return _render(
        config,
        route,
        compose=False,
        user=_root_user() if os.geteuid() == 0 else "",
        files=min(2 * MAX_CONNECTIONS, most_files),
        connections=min(MAX_CONNECTIONS, most_files),
        folder=written,
        error_log=f'"{written}/error.log"',
        large_bodies=MAX_LARGE_BODIES,
    )


def render_for_compose() -> str:
    """Renders ``deploy/nginx.conf``."""
    from serving.deployer_config import BentoDeployerConfig

    return _render(
        BentoDeployerConfig(host="0.0.0.0", requests_per_second=200, drain_seconds=30),  # in a container
        Route(live=Backend("sentiment", "sentiment:3000", "sentiment:3001")),
        compose=True,
        user="",
        files=2 * MAX_CONNECTIONS,
        connections=MAX_CONNECTIONS,
        folder="/tmp",  # a tmpfs of the container's own
        error_log="stderr",
        large_bodies=64,  # the container has 128 MB
    )


def _render(config: BentoDeployerConfig, route: Route, **of_machine: Any) -> str:  # noqa: ANN401  # of a template
    address = config.live_address
    certified = address.certificate is not None and config.tls_key is not None
    return _TEMPLATES.get_template("nginx.conf.j2").render(
        of_machine,
        route=route,
        canary_paths=[re.escape(path) for path in canary_paths()],
        upstreams=list(_upstreams(route)),
        address=address,
        certificate=_quote(address.certificate) if address.certificate and certified else "",
        certificate_key=_quote(Path(config.tls_key)) if config.tls_key and certified else "",
        requests_per_second=config.requests_per_second,
        answer_ms=round(1000 * (config.timeout + EXTRA_TIMEOUT_S)),
        drain_seconds=config.drain_seconds,
        caller_requests=MAX_CLIENT_REQUESTS,
        shadowed_requests=MAX_SHADOWED_REQUESTS,
        served_by=SERVED_BY,
        closing=CLOSING,
    )


def _upstreams(route: Route) -> Iterator[Upstream]:
    """Yields the upstreams: live, canary (with the live service as backup), and shadow."""
    for protocol, idle in (("http", "4s"), ("grpc", "60s")):  # the service closes an idle HTTP connection after 5 s
        backends = {"live": route.live, "canary": route.canary, "shadow": route.shadow if protocol == "http" else None}
        live = getattr(route.live, protocol)
        for name, backend in backends.items():
            if backend is not None:
                address = getattr(backend, protocol)
                backup = f"{live} backup" if name == "canary" else f"{address} max_fails=0"
                yield Upstream(f"{name}_{protocol}", address, backup, idle)


def _root_user() -> str:
    """Returns root's name: workers of another user could not read the folder. As a user, nginx keeps that user."""
    import pwd

    return pwd.getpwuid(0).pw_name


def _quote(path: Path) -> str:
    text = str(path.expanduser().resolve())
    if set(text) & set('"\\$\n'):
        raise UserError(
            'nginx cannot use a path with ", \\, $ or a line feed', where=text, remedy="Use another folder."
        )
    return text


if __name__ == "__main__":
    (Path(__file__).resolve().parents[1] / "deploy" / "nginx.conf").write_text(render_for_compose(), encoding="utf-8")
