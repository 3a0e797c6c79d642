"""The routes of the service: the only table of them, over both protocols.

The HTTP guard, the gRPC server, the metrics' labels, and the canary's share and comparison derive from it.
"""

from __future__ import annotations

from dataclasses import dataclass

SERVICE = "sentiment.v1.Sentiment"
BENTO_SERVICE = "bentoml.grpc.v1.BentoService"


@dataclass(frozen=True)
class Route:
    """The treatment of a route.

    Attributes:
        guarded: Whether callers need a token, if the service has tokens.
        counted: Whether requests count in the metrics and in the limit of concurrent requests.
        canary: Whether a canary gets its share of the requests.
        predicts: Whether a canary's latency and errors are compared on it.
    """

    guarded: bool = True
    counted: bool = True
    canary: bool = False
    predicts: bool = False


HTTP_ROUTES = {
    "/v1/predict": Route(canary=True, predicts=True),
    "/v1/explain": Route(canary=True),
    "/v1/feedback": Route(canary=True),
    "/v1/info": Route(),
    "/invocations": Route(canary=True, predicts=True),
    "/ping": Route(guarded=False, counted=False),
    "/metrics": Route(guarded=False, counted=False),
    "/": Route(guarded=False, counted=False),  # the page to try the model
    "/docs": Route(guarded=False, counted=False),
    "/docs/swagger-ui-bundle.js": Route(guarded=False, counted=False),
    "/docs/swagger-ui.css": Route(guarded=False, counted=False),
    "/docs/favicon.png": Route(guarded=False, counted=False),
    "/openapi.json": Route(guarded=False, counted=False),
}
GRPC_ROUTES = {
    f"{SERVICE}/Predict": Route(canary=True, predicts=True),
    f"{SERVICE}/PredictStream": Route(canary=True, predicts=True),
    f"{SERVICE}/Feedback": Route(canary=True),
    f"{SERVICE}/Info": Route(),
    f"{BENTO_SERVICE}/Call": Route(canary=True, predicts=True),
    f"{BENTO_SERVICE}/ServiceMetadata": Route(),
}


def metric_method(route: str) -> str:
    """Returns a route's label ``method`` in the metrics: the path over HTTP, the method's name over gRPC."""
    return route if route.startswith("/") else route.rpartition("/")[2]


def compared_methods() -> frozenset[str]:
    """Returns the labels of the routes on which a canary is compared with the live service."""
    routes = {**HTTP_ROUTES, **GRPC_ROUTES}
    return frozenset(metric_method(name) for name, route in routes.items() if route.predicts)


def canary_paths() -> tuple[str, ...]:
    """Returns the URL paths whose requests a canary gets a share of, over both protocols."""
    grpc = [f"/{name}" for name, route in GRPC_ROUTES.items() if route.canary]
    return (*(name for name, route in HTTP_ROUTES.items() if route.canary), *grpc)
