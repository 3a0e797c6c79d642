"""A canary at SageMaker: CloudWatch counts the requests of both variants, and the usual limits judge them."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sentiment.checks import Check, CheckReport
from serving.rollouts.agreement import check_agreement
from serving.rollouts.canary import PERCENTILE, Traffic, judge
from serving.rollouts.watch import watch
from serving.sagemaker.invoke import NoAnswerError, Variant, ask_both

if TYPE_CHECKING:
    from serving.rollouts.settings import RolloutSettings
    from serving.rollouts.smoke_set import Known
    from serving.sagemaker.aws import Aws

MINUTE_S = 60  # CloudWatch has one figure a minute
METRICS = {"requests": ("Invocations", "Sum"), "failed": ("Invocation5XXErrors", "Sum"), "p95": ("ModelLatency", "p95")}


def watch_canary(
    route: Callable[[], None],
    traffic: Callable[[float], tuple[Traffic, Traffic]],
    new: Variant,
    live: Variant,
    known: Sequence[Known],
    settings: RolloutSettings,
    *,
    delay: float,
) -> CheckReport:
    """Watches a variant with a share of the traffic, until it has failed or the time is over.

    Args:
        route: Gives it that share; not called if its answers disagree too often with the live variant's.
        traffic: Reads the counters of the new and the live variant since a time, in seconds since 1970.
        new: The new variant.
        live: The live variant.
        known: Texts that are sent to both variants first.
        settings: The duration and the limits.
        delay: Seconds by which CloudWatch is behind.

    Raises:
        AwsError: If AWS refuses a call: the version is not the cause.
    """
    try:
        agreement = check_agreement(ask_both(live, new, [k.text for k in known]), settings)
    except NoAnswerError as error:
        lost = Check(name="answers", passed=False, observed=str(error), limit="all the time")
        return CheckReport(suite="canary", checks=(lost,))
    if not agreement.passed:
        return CheckReport(suite="canary", checks=(agreement,))
    route()
    since = math.ceil(time.time() / MINUTE_S) * MINUTE_S  # the minute before holds the texts that we sent
    read_at = float(since)

    def check_errors() -> tuple[bool, dict[str, float]]:
        nonlocal read_at
        if time.time() < read_at + MINUTE_S:
            return False, {}
        read_at = time.time()
        new_traffic, old_traffic = traffic(since)
        errors = judge(new_traffic, old_traffic, settings)[1]
        enough = new_traffic.requests >= max(settings.min_requests, 1)
        return enough and not errors.passed, {"error_rate": new_traffic.error_rate}

    watch("canary", settings.seconds + delay, check_errors)
    return CheckReport(suite="canary", checks=(agreement, *judge(*traffic(since), settings)))


def read_traffic(aws: Aws, endpoint: str, variants: Sequence[str], since: float) -> list[Traffic]:
    """Reads the requests, failures and latency of variants from CloudWatch.

    Args:
        aws: The region of the endpoint.
        endpoint: Its name.
        variants: Their names.
        since: Seconds since 1970.

    Returns:
        One for each variant.
    """
    period = max(MINUTE_S, math.ceil((time.time() - since) / MINUTE_S) * MINUTE_S)  # one figure for the whole time
    queries = [
        {
            "Id": f"{name}{number}",
            "MetricStat": {
                "Metric": {
                    "Namespace": "AWS/SageMaker",
                    "MetricName": metric,
                    "Dimensions": [
                        {"Name": "EndpointName", "Value": endpoint},
                        {"Name": "VariantName", "Value": variant},
                    ],
                },
                "Period": period,
                "Stat": statistic,
            },
        }
        for number, variant in enumerate(variants)
        for name, (metric, statistic) in METRICS.items()
    ]
    start, end = (datetime.fromtimestamp(seconds, UTC) for seconds in (since, since + period))
    answer = aws.call("cloudwatch", "get_metric_data", MetricDataQueries=queries, StartTime=start, EndTime=end)
    found = {result["Id"]: result["Values"] for result in answer["MetricDataResults"]}
    return [_as_traffic(found, number) for number in range(len(variants))]


def _as_traffic(found: Mapping[str, Sequence[float]], number: int) -> Traffic:
    requests, failed = (int(sum(found.get(f"{name}{number}", ()))) for name in ("requests", "failed"))
    microseconds: Any = found.get(f"p95{number}") or ()
    if not requests or not microseconds:
        return Traffic(requests, failed, ())
    # a histogram whose 95th percentile is CloudWatch's
    return Traffic(requests, failed, ((max(microseconds) / 1e6, PERCENTILE * requests), (float("inf"), requests)))
