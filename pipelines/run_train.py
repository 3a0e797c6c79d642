"""Runs the train pipeline under the eyes of a person."""

from __future__ import annotations

from datetime import UTC, datetime

from rich.console import Console
from zenml.client import Client

from pipelines.live import StageView
from pipelines.settings import TrainSettings
from pipelines.summary import TrainSummary, read_train_summary
from pipelines.train import train
from sentiment.reviews.sources import source_fingerprint
from steps.promotion import registry


def run_train(settings: TrainSettings, console: Console, *, cache: bool) -> TrainSummary:
    """Trains, evaluates, decides and promotes on the active stack.

    Args:
        settings: Everything a user may change.
        console: Where progress is drawn.
        cache: Whether unchanged steps may be served from cache.

    Raises:
        UserError: If the source cannot be read, or a critical check failed.
    """
    champion = registry.production(settings.model)
    name = f"train-{datetime.now(UTC):%Y-%m-%d-%H-%M-%S-%f}"
    configured = train.with_options(run_name=name, enable_cache=None if cache else False)
    fingerprint = source_fingerprint(settings.source)
    with StageView(console, name).watching():
        configured(settings, fingerprint, champion.number if champion else None)
    return read_train_summary(Client().get_pipeline_run(name))
