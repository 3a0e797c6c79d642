"""The health of the live service: from Prometheus if one is configured, otherwise from its own counters."""

from __future__ import annotations

from typing import Any

from sentiment.errors import UserError
from sentiment.monitoring.checks import Health
from sentiment.monitoring.settings import HealthSettings
from serving.active import find_deployer
from serving.rollouts.canary import FAILURES, PERCENTILE, PREDICTING

SECONDS = 5.0  # that Prometheus has to answer
NO_SERVICE = "there is no live service on this machine, and no Prometheus is configured"


def read_health(settings: HealthSettings, *, hours: float) -> tuple[Health | None, str]:
    """Requests, their error rate and their 95th percentile; or None, and why.

    Args:
        settings: Which Prometheus, if any.
        hours: The window in Prometheus; the live service's own counters start when it starts.
    """
    import httpx

    try:
        if settings.prometheus:
            return _by_prometheus(settings.prometheus, hours), ""
        return _by_itself()
    except UserError as error:
        return None, str(error)
    except (httpx.HTTPError, httpx.InvalidURL, ValueError, KeyError, TypeError) as error:
        asked = f"Prometheus at {settings.prometheus}" if settings.prometheus else "the live service"
        return None, f"{asked} does not answer: {type(error).__name__}: {error}"


def _by_itself() -> tuple[Health | None, str]:
    import httpx

    deployer = find_deployer()
    live = deployer.live() if deployer else None
    if deployer is None or live is None:
        return None, NO_SERVICE
    try:
        return deployer.read_health(live), ""
    except httpx.HTTPError:  # this one request has failed, and so does every other one
        return Health(requests=1, error_rate=1.0, p95_ms=None), ""


def _by_prometheus(address: str, hours: float) -> Health:
    """By the metrics of bento/metrics.py, as deploy/alerts.yml reads them."""
    import httpx

    period = f"[{max(round(60 * hours), 1)}m]"
    methods = "|".join(sorted(PREDICTING))
    failed = "|".join(["5..", *sorted(FAILURES)])
    counted = f'sum(increase(sentiment_requests_total{{method=~"{methods}"}}{period}))'
    failures = f'sum(increase(sentiment_requests_total{{method=~"{methods}",code=~"{failed}"}}{period}))'
    buckets = f'sum by (le) (increase(sentiment_request_seconds_bucket{{method=~"{methods}"}}{period}))'
    with httpx.Client(base_url=address, timeout=SECONDS) as http:
        requests = _value(http, counted) or 0.0
        wrong = _value(http, failures) or 0.0
        p95 = _value(http, f"histogram_quantile({PERCENTILE}, {buckets})")
    return Health(round(requests), wrong / requests if requests else 0.0, None if p95 is None else 1000 * p95)


def _value(http: Any, query: str) -> float | None:  # noqa: ANN401  # httpx is imported late
    """Returns the value of a query with one series; None if there is none, such as before the first request."""
    answer = http.get("/api/v1/query", params={"query": query}).raise_for_status().json()
    found = answer["data"]["result"]
    value = float(found[0]["value"][1]) if found else float("nan")
    return None if value != value else value  # noqa: PLR0124 - NaN
