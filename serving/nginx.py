"""The front's configuration for nginx: routing of the requests, and their limits."""

from __future__ import annotations

import os
import re
import resource
from dataclasses import dataclass
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING
from uuid import UUID

from bento.routes import canary_paths
from sentiment.errors import UserError
from stacks.addresses import SERVED_BY, Address

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
    """A service behind the front: its identifier in ZenML and its ports on loopback."""

    name: UUID
    http_port: int
    grpc_port: int


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


class _Template(Template):
    delimiter = "%"  # nginx' own variables begin with $


_MAIN = _Template("""\
# Written by serving/front.py; changes are lost at the next deployment.
daemon on;
%user
worker_processes 1;  # with several, a worker that ends hands its clients to one that is about to end
worker_rlimit_nofile %files;
worker_shutdown_timeout %drain;
pid "%folder/nginx.pid";
error_log "%folder/error.log" alert;  # refused requests are counted, not logged: a flood fills no disk

events {
    worker_connections %connections;
}

http {
    access_log off;
    server_tokens off;
    default_type application/json;
    client_body_temp_path "%folder/temp";
    proxy_temp_path "%folder/temp";
    fastcgi_temp_path "%folder/temp";
    uwsgi_temp_path "%folder/temp";
    scgi_temp_path "%folder/temp";

    client_max_body_size 1m;
    client_body_buffer_size 1m;  # in memory: a full disk stops no request
    client_header_timeout 10s;  # for all headers
    client_body_timeout 10s;  # per read only: a slow client is unbounded, hence the limits below
    send_timeout 10s;
    reset_timedout_connection on;
    keepalive_timeout 75s;
    keepalive_requests 100000;

    # A request keeps its valid identifier
    map $http_x_request_id $identifier {
        default $request_id;
        "~^[!-~]{1,128}$" $http_x_request_id;
    }
    # Requests that never end must not take all connections or all memory
    map $request_uri $watching {
        default "";
        "~^/(livez|readyz|healthz|ping|grpc\\.health)" watching;  # counted apart: health checks pass during a flood
    }
    map $content_length$http_transfer_encoding $large {
        default all;
        "" "";
        "~^[0-9]{1,4}$" "";
    }
    limit_conn_zone $binary_remote_addr$watching zone=at_work:4m;
    limit_conn_zone $large zone=large:32k;
    limit_conn_status 429;
%canary
    map $route $service {
        live %live_name;
        canary %canary_name;
    }
%limit
%upstreams
    # A prediction can be repeated safely, so a connection or worker that ends midway costs no request
    proxy_http_version 1.1;
    proxy_set_header Host $http_host;
    proxy_set_header Connection "";
    proxy_set_header X-Request-Id $identifier;
    proxy_connect_timeout 2s;
    proxy_read_timeout %answer;
    proxy_next_upstream error timeout non_idempotent;
    proxy_next_upstream_timeout 5s;
    proxy_buffer_size 16k;
    proxy_buffers 16 32k;
    proxy_max_temp_file_size 0;
    add_header X-Request-Id $identifier always;
    proxy_hide_header X-Request-Id;
    add_header %served_by $service always;

    server {
        listen %host:%http_port%ssl;
%certificate
        limit_conn at_work %caller_requests;
        limit_conn large %large_bodies;
        error_page 400 414 494 495 496 497 @invalid;
        error_page 403 404 @unknown;
        error_page 413 @too_large;
        error_page 429 @limited;
        error_page 500 502 503 =503 @unavailable;
        error_page 504 @late;

        if (-f "%folder/%closing") {
            rewrite ^ /-closing last;
        }
        location / {
            proxy_pass http://${route}_http$request_uri;
        }
        location = /-closing {
            internal;
            keepalive_timeout 0;
            proxy_pass http://${route}_http$request_uri;
        }
%shadow
        location @invalid {
            return 400 '{"error": {"code": "INVALID_ARGUMENT", "message": "not a valid HTTP request"}}';
        }
        location @unknown {
            return 404 '{"error": {"code": "NOT_FOUND", "message": "there is no such path; see /docs"}}';
        }
        location @too_large {
            return 413 '{"error": {"code": "RESOURCE_EXHAUSTED", "message": "the body has more than 1048576 bytes"}}';
        }
        location @limited {
            add_header Retry-After 1 always;
            return 429 '{"error": {"code": "RESOURCE_EXHAUSTED", "message": "too many requests: try again in 1 s"}}';
        }
        location @unavailable {
            add_header Retry-After 1 always;
            return 503 '{"error": {"code": "UNAVAILABLE", "message": "no service answers: try again in 1 s"}}';
        }
        location @late {
            return 504 '{"error": {"code": "DEADLINE_EXCEEDED", "message": "the service did not answer in time"}}';
        }
    }

    server {
        listen %host:%grpc_port http2%ssl;
%certificate
        limit_conn at_work %caller_requests;  # counts every call, also on one connection
        client_max_body_size 0;  # a stream may be long; the service bounds each message
        client_body_timeout 300s;  # a stream may pause
        grpc_read_timeout 300s;
        grpc_send_timeout 300s;
        grpc_connect_timeout 2s;
        grpc_set_header X-Request-Id $identifier;
        grpc_next_upstream error timeout non_idempotent;
        grpc_next_upstream_timeout 5s;
        error_page 429 = @limited;
        error_page 500 502 503 504 = @unavailable;

        location / {
            grpc_pass grpc://${route}_grpc;
        }
        location @limited {
            default_type application/grpc;
            add_header grpc-status 8 always;
            add_header grpc-message "too many requests: try again in 1 s" always;
            return 200;
        }
        location @unavailable {
            default_type application/grpc;
            add_header grpc-status 14 always;
            add_header grpc-message "no service answers: try again in 1 s" always;
            add_header retry-after 1 always;
            return 200;
        }
    }
}
""")

_CANARY = _Template("""
    split_clients $request_id $drawn {
        %share%% canary;
        * live;
    }
    map $request_uri $route {
        default live;
%paths
    }
""")

_ALL_LIVE = """
    map $request_uri $route {
        default live;
    }
"""

_LIMIT = _Template("""
    map $request_uri $caller {
        default $binary_remote_addr;
        "~^/(livez|readyz|healthz|ping|grpc\\.health)" "";  # health checks
    }
    limit_req_zone $caller zone=callers:4m rate=%{rate}r/s;
    limit_req zone=callers burst=%rate nodelay;
    limit_req_status 429;
""")

# The same server twice: nginx retries even if the first connection was new
_UPSTREAM = _Template("""\
    upstream %name {
        server 127.0.0.1:%port max_fails=0;
        server 127.0.0.1:%{otherwise};
        keepalive 64;
        keepalive_timeout %idle;
    }
""")

_SHADOW = _Template("""
        location = /v1/predict {
            limit_conn at_work %shadowed_requests;
            limit_conn large %large_bodies;
            keepalive_timeout 0;  # otherwise the next request on the connection would wait for the shadow
            mirror /-shadow;
            proxy_pass http://${route}_http$request_uri;
        }
        location = /-shadow {
            internal;
            proxy_pass http://shadow_http$request_uri;
        }
""")


def render(folder: Path, config: BentoDeployerConfig, route: Route) -> str:
    """Renders nginx's configuration.

    Args:
        folder: The folder of all files that nginx writes.
        config: The deployer's configuration.
        route: The routing of the requests.

    Raises:
        UserError: If a path has characters that nginx would interpret.
    """
    address = config.live_address
    other = route.canary or route.live
    return _MAIN.substitute(
        user=f"user {_user()};" if os.geteuid() == 0 else "",
        files=min(2 * MAX_CONNECTIONS, resource.getrlimit(resource.RLIMIT_NOFILE)[1]),
        connections=min(MAX_CONNECTIONS, resource.getrlimit(resource.RLIMIT_NOFILE)[1]),
        drain=f"{config.drain_seconds}s",
        caller_requests=MAX_CLIENT_REQUESTS,
        large_bodies=MAX_LARGE_BODIES,
        folder=_quote(folder),
        canary=_CANARY.substitute(share=route.share, paths=_canary_rules()) if route.canary else _ALL_LIVE,
        live_name=route.live.name,
        canary_name=other.name,
        limit=_LIMIT.substitute(rate=config.requests_per_second) if config.requests_per_second else "",
        upstreams="".join(_upstreams(route)),
        answer=f"{1000 * (config.timeout + EXTRA_TIMEOUT_S):.0f}ms",
        served_by=SERVED_BY,
        host=address.host,
        http_port=address.http_port,
        grpc_port=address.grpc_port,
        ssl=" ssl" if address.certificate else "",
        certificate=_certificate(address, config.tls_key),
        closing=CLOSING,
        shadow=_SHADOW.substitute(shadowed_requests=MAX_SHADOWED_REQUESTS, large_bodies=MAX_LARGE_BODIES)
        if route.shadow
        else "",
    )


def _canary_rules() -> str:
    """Gives a canary its share of the routes that take part in one; a query may follow the path."""
    return "\n".join(f'        "~^{re.escape(path)}([?]|$)" $drawn;' for path in canary_paths())


def _upstreams(route: Route) -> list[str]:
    """Renders the upstreams: live, canary (with the live service as backup), and shadow."""
    found = []
    for protocol, idle in (("http", "4s"), ("grpc", "60s")):  # the service closes an idle HTTP connection after 5 s
        backends = {"live": route.live, "canary": route.canary, "shadow": route.shadow if protocol == "http" else None}
        live = getattr(route.live, f"{protocol}_port")
        for name, backend in backends.items():
            if backend is not None:
                port = getattr(backend, f"{protocol}_port")
                otherwise = f"{live} backup" if name == "canary" else f"{port} max_fails=0"
                found.append(_UPSTREAM.substitute(name=f"{name}_{protocol}", port=port, otherwise=otherwise, idle=idle))
    return found


def _certificate(address: Address, key: str | None) -> str:
    if address.certificate is None or key is None:
        return ""
    lines = (
        f'ssl_certificate "{_quote(address.certificate)}";',
        f'ssl_certificate_key "{_quote(Path(key))}";',
        "ssl_protocols TLSv1.2 TLSv1.3;",
        "ssl_session_cache shared:tls:2m;",
    )
    return "\n".join(f"        {line}" for line in lines)


def _user() -> str:
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
