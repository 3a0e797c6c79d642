"""Runs the evaluate pipeline."""

from __future__ import annotations

from rich.console import Console

from cli import tables
from cli.grammar import Summary
from cli.runs.outcome import evaluation_facts, load_output
from cli.runs.start import start_pipeline
from pipelines.evaluate import evaluate
from pipelines.settings import EvaluateSettings
from registry import versions
from sentiment.reviews.sources import source_fingerprint


def run_evaluate(settings: EvaluateSettings, console: Console, *, cache: bool) -> Summary:
    """Scores a version on the active stack, prints the figures, and returns them for ``--json``.

    Raises:
        UserError: If there is no such version, or the source cannot be read.
    """
    version = versions.choose_version(settings.model, settings.version).number
    for artifact in ("servable", "splits"):
        versions.require_stored(settings.model, version, artifact)
    fingerprint = source_fingerprint(settings.source)
    run = start_pipeline(evaluate, settings, fingerprint, version, console=console, cache=cache)
    steps = run.steps
    evaluation = load_output(steps, "evaluate_unseen", "evaluation")
    behaviour = load_output(steps, "evaluate_unseen", "behaviour")
    kind = evaluation.candidate
    title = "reviews that it was not trained on"
    console.print(tables.candidates_table({kind: evaluation}, {kind: behaviour}, reviews=title))
    console.print(tables.slices_table({kind: evaluation}))
    console.print(tables.checks_table([behaviour]))
    return {
        "run": run.name,
        "model_version": version,
        "source": settings.source.source,
        "metrics": evaluation_facts(evaluation),
        "behaviour": {check.name: check.score for check in behaviour.checks},
    }
