"""A canary: the new service gets a share of the traffic and is compared with the live one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bento.routes import compared_methods
from sentiment.checks import Check, CheckReport
from serving.rollouts.agreement import Pair, check_agreement
from serving.rollouts.watch import watch

if TYPE_CHECKING:
    from serving.rollouts.access import Access
    from serving.rollouts.settings import RolloutSettings
    from serving.rollouts.smoke_set import Known

PREDICTING = compared_methods()  # labels of the routes that are compared
FAILURES = {"UNKNOWN", "INTERNAL", "UNAVAILABLE", "DEADLINE_EXCEEDED"}  # gRPC; over HTTP, status 500 and above
PERCENTILE = 0.95


@dataclass(frozen=True)
class Traffic:
    """The counters of a service over both protocols.

    Attributes:
        requests: Prediction requests.
        failed: Requests that failed by the service's fault.
        seconds: Upper bound of a bucket of the latency histogram in seconds, and requests up to it; in order.
    """

    requests: int
    failed: int
    seconds: tuple[tuple[float, float], ...]

    def since(self, earlier: Traffic) -> Traffic:
        """Returns the difference to an earlier state."""
        before = dict(earlier.seconds)
        return Traffic(
            self.requests - earlier.requests,
            self.failed - earlier.failed,
            tuple((bound, count - before.get(bound, 0)) for bound, count in self.seconds),
        )

    @property
    def error_rate(self) -> float:
        """Share of failed requests, in [0, 1]."""
        return self.failed / self.requests if self.requests else 0.0

    @property
    def p95(self) -> float | None:
        """95th percentile in seconds, interpolated in its bucket as Prometheus does; None without requests."""
        total = self.seconds[-1][1] if self.seconds else 0
        lower = below = 0.0
        for bound, count in self.seconds:
            if total and count >= PERCENTILE * total:
                if bound == float("inf"):
                    return lower
                return lower + (bound - lower) * (PERCENTILE * total - below) / (count - below)
            lower, below = bound, count
        return None


def read_traffic(page: str) -> Traffic:
    """Sums the counters of a service's /metrics page."""
    from prometheus_client.parser import text_string_to_metric_families

    requests = failed = 0.0
    seconds: dict[float, float] = {}
    for family in text_string_to_metric_families(page):
        for sample in family.samples:
            labels = sample.labels
            if labels.get("method") not in PREDICTING:
                continue
            if sample.name == "sentiment_requests_total":
                requests += sample.value
                failed += sample.value if _failed(labels["code"]) else 0
            elif sample.name == "sentiment_request_seconds_bucket":
                bound = float(labels["le"])
                seconds[bound] = seconds.get(bound, 0) + sample.value
    return Traffic(int(requests), int(failed), tuple(sorted(seconds.items())))


def _failed(code: str) -> bool:
    return code in FAILURES or (code.isdigit() and int(code) >= 500)


def watch_canary(
    route: Callable[[], None], canary: Access, live: Access, known: Sequence[Known], settings: RolloutSettings
) -> CheckReport:
    """Watches a service with a share of the traffic, until it has failed or the time is over.

    Args:
        route: Gives it that share; not called if its answers disagree too often with the live service's.
        canary: The new service.
        live: The live service.
        known: Texts that are sent to both services first.
        settings: The duration and the limits.
    """
    import httpx

    from bento.client import ServiceError

    try:
        agreement = check_agreement(_ask_both(canary, live, [k.text for k in known]), settings)
        if not agreement.passed:
            return CheckReport(suite="canary", checks=(agreement,))
        start = _traffic(canary), _traffic(live)
        route()

        def seen() -> tuple[Traffic, Traffic]:
            return _traffic(canary).since(start[0]), _traffic(live).since(start[1])

        def look() -> tuple[bool, dict[str, float]]:
            new, old = seen()
            failed = new.requests >= max(settings.min_requests, 1) and not _errors(new, old, settings).passed
            return failed, {"error_rate": new.error_rate}

        watch("canary", settings.seconds, look)
        return CheckReport(suite="canary", checks=(agreement, *judge(*seen(), settings)))
    except (ServiceError, httpx.HTTPError) as error:
        lost = Check(name="answers", passed=False, observed=f"{type(error).__name__}: {error}", limit="all the time")
        return CheckReport(suite="canary", checks=(lost,))


def judge(canary: Traffic, live: Traffic, settings: RolloutSettings) -> tuple[Check, ...]:
    """Checks a canary's traffic against the live service's.

    Args:
        canary: Its counters while it was watched.
        live: The live service's counters over the same time.
        settings: The limits.
    """
    enough = Check(
        name="requests",
        passed=canary.requests >= settings.min_requests,
        observed=f"{canary.requests:,}",
        limit=f"at least {settings.min_requests:,}: fewer are not conclusive",
        score=canary.requests,
    )
    return enough, _errors(canary, live, settings), _latency(canary, live, settings)


def _errors(canary: Traffic, live: Traffic, settings: RolloutSettings) -> Check:
    limit = live.error_rate + settings.max_error_rate
    return Check(
        name="errors",
        passed=canary.error_rate <= limit,
        observed=f"{100 * canary.error_rate:.1f}% of {canary.requests:,} requests",
        limit=f"at most {100 * limit:.1f}%: {100 * settings.max_error_rate:g} points above the live one",
        score=canary.error_rate,
        count=canary.requests,
    )


def _latency(canary: Traffic, live: Traffic, settings: RolloutSettings) -> Check:
    limit = f"at most {settings.max_latency_ratio:g} times the live one's"
    if canary.p95 is None or live.p95 is None:
        without = "the live one" if canary.p95 else "the canary"
        return Check(
            name="latency", passed=not settings.min_requests, observed=f"{without} had no requests", limit=limit
        )
    return Check(
        name="latency",
        passed=canary.p95 <= settings.max_latency_ratio * live.p95,
        observed=f"p95 {1000 * canary.p95:.1f} ms, live {1000 * live.p95:.1f} ms",
        limit=limit,
        score=canary.p95 / live.p95,
        count=canary.requests,
    )


def _ask_both(canary: Access, live: Access, texts: Sequence[str]) -> list[Pair]:
    from serving.rollouts.probes import positive

    with canary.http_client() as new, live.http_client() as old:
        answers = [[client.predict([text]).predictions[0] for client in (old, new)] for text in texts]
    return [Pair(positive(a.label, a.score), positive(b.label, b.score), a.label == b.label) for a, b in answers]


def _traffic(access: Access) -> Traffic:
    with access.raw_http() as http:
        return read_traffic(http.get("/metrics").raise_for_status().text)
