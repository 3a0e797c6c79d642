"""The front's configuration: who gets which requests, and what no request may do."""

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

CLOSING = "closing"  # while a file of this name exists, connections end with their next answer
CONNECTIONS = 8192
CALLER_REQUESTS = 256  # at work at once for one client address, health checks apart: room for many behind one proxy
SHADOWED_REQUESTS = CONNECTIONS // 4  # during a shadow: a request is at work until the shadow has answered, too
LARGE_BODIES = 512  # on their way at once, of all callers: they wait in memory, at most 512 MiB of it
ANSWER_SECONDS = 5  # more than the service's own limit: its answer is the clearer one


@dataclass(frozen=True)
class Backend:
    """A service behind the front: its identifier in ZenML and its ports on loopback."""

    name: UUID
    http_port: int
    grpc_port: int


@dataclass(frozen=True)
class Route:
    """Who gets the requests.

    Attributes:
        live: Who gets them.
        canary: Who gets a share of the requests for predictions.
        share: That share in percent, 1 to 99.
        shadow: Who gets copies of ``POST /v1/predict``, and whose answers nobody waits for.
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
worker_processes 1;  # of several, one that ends hands its callers to one that is about to end
worker_rlimit_nofile %files;
worker_shutdown_timeout %drain;
pid "%folder/nginx.pid";
error_log "%folder/error.log" alert;  # what is refused or unreachable is counted, not written: a flood fills no disk

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
    client_body_buffer_size 1m;  # in memory: a full disk stops nobody
    client_header_timeout 10s;  # for all headers
    client_body_timeout 10s;  # between two packets: who drips takes as long as he likes, hence the limits below
    send_timeout 10s;
    reset_timedout_connection on;
    keepalive_timeout 75s;
    keepalive_requests 100000;

    # A request keeps its identifier, where that is one
    map $http_x_request_id $identifier {
        default $request_id;
        "~^[!-~]{1,128}$" $http_x_request_id;
    }
    # Nobody takes all connections or all memory by requests that never end
    map $request_uri $watching {
        default "";
        "~^/(livez|readyz|healthz|ping|grpc\\.health)" watching;  # counted apart: a flood hides no service
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
    # Predictions may be asked twice, so a connection or a worker that ends at the wrong moment costs no request
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
            return 400 '{"error": {"code": "INVALID_ARGUMENT", "message": "not a request as HTTP knows them"}}';
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
        limit_conn at_work %caller_requests;  # every call counts, also of one connection
        client_max_body_size 0;  # a stream may be long; a message may not, says the service
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
        "~^/(livez|readyz|healthz|ping|grpc\\.health)" "";  # whoever watches over the service
    }
    limit_req_zone $caller zone=callers:4m rate=%{rate}r/s;
    limit_req zone=callers burst=%rate nodelay;
    limit_req_status 429;
""")

# Twice the same server: a second try, also where its connection was new
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
            keepalive_timeout 0;  # the next request on the connection would wait for the shadow's answer
            mirror /-shadow;
            proxy_pass http://${route}_http$request_uri;
        }
        location = /-shadow {
            internal;
            proxy_pass http://shadow_http$request_uri;
        }
""")


def render(folder: Path, config: BentoDeployerConfig, route: Route) -> str:
    """The text of nginx' configuration.

    Args:
        folder: Everything that nginx writes is in it.
        config: Of the deployer.
        route: Who gets the requests.

    Raises:
        UserError: If a path has signs that nginx would take for its own.
    """
    address = config.live_address
    other = route.canary or route.live
    return _MAIN.substitute(
        user=f"user {_user()};" if os.geteuid() == 0 else "",
        files=min(2 * CONNECTIONS, resource.getrlimit(resource.RLIMIT_NOFILE)[1]),
        connections=min(CONNECTIONS, resource.getrlimit(resource.RLIMIT_NOFILE)[1]),
        drain=f"{config.drain_seconds}s",
        caller_requests=CALLER_REQUESTS,
        large_bodies=LARGE_BODIES,
        folder=_plain(folder),
        canary=_CANARY.substitute(share=route.share, paths=_canary_rules()) if route.canary else _ALL_LIVE,
        live_name=route.live.name,
        canary_name=other.name,
        limit=_LIMIT.substitute(rate=config.requests_per_second) if config.requests_per_second else "",
        upstreams="".join(_upstreams(route)),
        answer=f"{1000 * (config.timeout + ANSWER_SECONDS):.0f}ms",
        served_by=SERVED_BY,
        host=address.host,
        http_port=address.http_port,
        grpc_port=address.grpc_port,
        ssl=" ssl" if address.certificate else "",
        certificate=_certificate(address, config.tls_key),
        closing=CLOSING,
        shadow=_SHADOW.substitute(shadowed_requests=SHADOWED_REQUESTS, large_bodies=LARGE_BODIES)
        if route.shadow
        else "",
    )


def _canary_rules() -> str:
    """Gives a canary its share of the routes that take part in one; a query may follow the path."""
    return "\n".join(f'        "~^{re.escape(path)}([?]|$)" $drawn;' for path in canary_paths())


def _upstreams(route: Route) -> list[str]:
    """Of the live service, of the canary with the live one to help out, and of the shadow."""
    found = []
    for protocol, idle in (("http", "4s"), ("grpc", "60s")):  # the service ends an idle HTTP connection after 5 s
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
        f'ssl_certificate "{_plain(address.certificate)}";',
        f'ssl_certificate_key "{_plain(Path(key))}";',
        "ssl_protocols TLSv1.2 TLSv1.3;",
        "ssl_session_cache shared:tls:2m;",
    )
    return "\n".join(f"        {line}" for line in lines)


def _user() -> str:
    """Root's own workers: anybody else's could not read the folder. As a user, nginx keeps to that user."""
    import pwd

    return pwd.getpwuid(0).pw_name


def _plain(path: Path) -> str:
    text = str(path.expanduser().resolve())
    if set(text) & set('"\\$\n'):
        raise UserError(
            'nginx cannot use a path with ", \\, $ or a line feed', where=text, remedy="Use another folder."
        )
    return text
