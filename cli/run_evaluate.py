"""Runs the evaluate pipeline under the eyes of a person."""

from __future__ import annotations

from datetime import UTC, datetime

from rich.console import Console
from zenml.client import Client

from cli import summary
from cli.caching import only_what_is_stored
from cli.live import StageView
from cli.on_stack import stack_options
from pipelines.evaluate import evaluate
from pipelines.settings import EvaluateSettings
from registry import versions
from sentiment.errors import UserError
from sentiment.reviews.sources import source_fingerprint


def run_evaluate(settings: EvaluateSettings, console: Console, *, cache: bool) -> dict[str, object]:
    """Scores a version on the active stack, prints the figures, and returns them for ``--json``.

    Raises:
        UserError: If there is no such version, or the source cannot be read.
    """
    champion = versions.production(settings.model)
    version = settings.version or (champion.number if champion else None)
    if version is None:
        raise UserError("no version is in production", where=f"model {settings.model}", remedy="Run make train first.")
    for artifact in ("servable", "splits"):
        versions.require_stored(settings.model, version, artifact)
    fingerprint = source_fingerprint(settings.source)
    name = f"evaluate-{datetime.now(UTC):%Y-%m-%d-%H-%M-%S-%f}"
    with only_what_is_stored(console), StageView(console, name).watching():
        configured = evaluate.with_options(run_name=name, enable_cache=None if cache else False, **stack_options())
        configured(settings, fingerprint, version)
    outputs = Client().get_pipeline_run(name).steps["evaluate_unseen"].regular_outputs
    evaluation, behaviour = outputs["evaluation"].load(), outputs["behaviour"].load()
    kind, unseen = evaluation.candidate, "reviews it was not trained on"
    console.print(summary.candidates_table({kind: evaluation}, {kind: behaviour}, reviews=unseen))
    console.print(summary.slices_table({evaluation.candidate: evaluation}))
    console.print(summary.checks_table([behaviour]))
    return {
        "run": name,
        "model_version": version,
        "source": settings.source.source,
        "metrics": summary.numbers(evaluation),
        "behaviour": {check.name: check.score for check in behaviour.checks},
    }
