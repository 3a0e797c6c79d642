"""Runs the train pipeline under the eyes of a person."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from uuid import UUID

from rich.console import Console
from rich.markup import escape
from zenml.client import Client

from cli.caching import only_what_is_stored, why_nothing_is_cached
from cli.live import StageView
from cli.on_stack import stack_options
from cli.summary import TrainSummary, read_train_summary
from pipelines.settings import TrainSettings
from pipelines.train import train
from registry import versions
from registry.consistency import disagreements
from sentiment.reviews.sources import source_fingerprint

ROUNDS = 3  # of deciding again, where another run's version became champion meanwhile
NO_COMPARISON = "nothing is compared with it, and nothing replaces it but python run.py promote"


def run_train(
    settings: TrainSettings, console: Console, *, cache: bool, fresh_feedback: UUID | None = None
) -> TrainSummary:
    """Trains, evaluates, decides and promotes on the active stack.

    Feedback that the champion was trained on belongs to the training data from then on, whoever starts the training.

    Args:
        settings: Everything a user may change.
        console: Where progress is drawn.
        cache: Whether unchanged steps may be served from cache.
        fresh_feedback: The artifact with reviews that users have labelled since, if any.

    Raises:
        UserError: If the source cannot be read, or a critical check failed.
    """
    for disagreement in disagreements(settings.model):  # before hours of training: MLflow answers
        console.print(f"[yellow]warning[/]: {escape(disagreement.what)}: python run.py status --repair")
    fingerprint = source_fingerprint(settings.source)
    if cache and (why := why_nothing_is_cached("train")):
        console.print(escape(why))
    run = partial(_run, settings, fingerprint, console, fresh_feedback)
    outcome = run(cache=cache)
    for _ in range(ROUNDS):
        if not outcome.overtaken:
            break
        console.print(f"{escape(outcome.decision.reason)}: deciding again, against it")
        outcome = run(cache=True)  # only what depends on the champion runs again
    return outcome


def _run(
    settings: TrainSettings, fingerprint: str, console: Console, fresh_feedback: UUID | None, *, cache: bool
) -> TrainSummary:
    champion = versions.production(settings.model)
    number = champion.number if champion else None
    stored = number is None or versions.stored(settings.model, number, "servable")
    if not stored:
        console.print(f"[yellow]warning[/]: the files of version {number}, in production, are gone: {NO_COMPARISON}")
    earlier = _earlier_feedback(settings.model, number)
    fresh = None if fresh_feedback is None else str(fresh_feedback)
    name = f"train-{datetime.now(UTC):%Y-%m-%d-%H-%M-%S-%f}"
    configured = train.with_options(run_name=name, enable_cache=None if cache else False, **stack_options())
    with only_what_is_stored(console), StageView(console, name).watching():
        configured(settings, fingerprint, number, stored, earlier, fresh)
    return read_train_summary(Client().get_pipeline_run(name))


def _earlier_feedback(model: str, champion: str | None) -> str | None:
    """What the champion was trained on besides the source, as long as its files are there."""
    if champion is None or not versions.stored(model, champion, "feedback"):
        return None
    return str(versions.linked_artifact(model, champion, "feedback").id)
