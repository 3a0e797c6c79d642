"""How a new service is tested, and how traffic moves to it: ``smoke`` and ``rollout`` in ``configs/deploy.yaml``."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from sentiment.settings import Settings


class SmokeSettings(Settings):
    """The smoke test of a new service, before it gets any traffic."""

    reviews: int = Field(48, ge=4, le=1000, description="test reviews that are sent one by one over each protocol")
    tolerance: float = Field(
        0.02,
        gt=0,
        le=0.5,
        description="largest difference of P(positive) from the recorded evaluation, on the engine that computed it",
    )
    other_engine_difference: float = Field(
        0.05, gt=0, le=0.5, description="mean difference of P(positive) on any other engine, at most"
    )
    other_engine_agreement: float = Field(
        0.9, ge=0, le=1, description="share of reviews with the recorded label on any other engine, at least"
    )
    p95_ms: float = Field(150, gt=0, description="largest 95th percentile of their latency in milliseconds")
    seed: int = Field(13, ge=0, description="seed of the choice of reviews")


class RolloutSettings(Settings):
    """How traffic moves to a service that passed the smoke test."""

    mode: Literal["switch", "canary", "shadow"] = Field(
        "switch",
        description="switch: all at once. canary: a share of it first. shadow: copies of it, compared, never switched",
    )
    share: int = Field(10, ge=1, le=99, description="percent of the traffic that a canary gets")
    seconds: float = Field(60, gt=0, le=86_400, description="how long a canary or a shadow is watched")
    min_requests: int = Field(
        50, ge=0, description="requests it must have seen to be judged by them; 0: no traffic is fine"
    )
    max_error_rate: float = Field(
        0.01, ge=0, le=1, description="share of failed requests by which a canary may exceed the live one"
    )
    max_latency_ratio: float = Field(1.5, gt=0, description="p95 of a canary, times that of the live one, at most")
    min_agreement: float = Field(
        0.8, ge=0, le=1, description="share of texts on which the new one gives the live one's label, at least"
    )
