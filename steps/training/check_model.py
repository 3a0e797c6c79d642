"""Checks the encoder against the settings, before it trains."""

from __future__ import annotations

from zenml import step

from sentiment.models import encoder
from sentiment.models.checkpoint import TransformerSettings
from steps.caching import depends_on_imports


@step(cache_policy=depends_on_imports(__name__))
def check_model(
    settings: TransformerSettings,
    weights: str,  # part of the cache key: the initial weights
    serving_length: int | None,
) -> None:
    """Checks that the encoder can be read, and that it reads texts of the lengths in training and in service."""
    encoder.check_model(settings, serving_length)
