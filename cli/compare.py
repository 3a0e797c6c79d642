"""A train run beside the champion of its time: tables for people, Markdown for a pull request, JSON for machines."""

from __future__ import annotations

from argparse import Namespace
from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape

from cli import summary
from sentiment.errors import UserError
from sentiment.pages.comparison import comparison_comment, differences

if TYPE_CHECKING:
    from zenml.models import PipelineRunResponse

LATEST = 50  # train runs among which the last one of the model is looked for


def run(options: Namespace, console: Console) -> dict[str, object]:
    """Compares; returns the differences for ``--json``."""
    outcome = summary.read_train_summary(_train_run(options.model, options.run))
    decision, evaluations = outcome.decision, outcome.evaluations
    if options.markdown:
        words = comparison_comment(decision, outcome.model_version, outcome.run, evaluations, outcome.behaviours)
        options.markdown.write_text(words, encoding="utf-8")
        console.print(f"Comparison: {escape(str(options.markdown))}", soft_wrap=True, highlight=False)
    else:
        console.print(summary.candidates_table(evaluations, outcome.behaviours, decision.challenger))
        console.print(summary.slices_table(evaluations))
        console.print(summary.rules_table(decision))
        verdict = "promoted" if decision.promote else "not promoted"
        console.print(f"{verdict}: {escape(decision.reason)}", highlight=False)
    champion = evaluations.get("champion")
    return {
        "run": outcome.run,
        "model_version": outcome.model_version,
        "champion": decision.champion,
        "promoted": decision.promote,
        "reason": decision.reason,
        "differences": differences(evaluations[decision.challenger], champion) if champion else None,
    }


def _train_run(model: str, name: str | None) -> PipelineRunResponse:
    """The run with this name, or the last one of the model that came to a decision.

    Raises:
        UserError: If there is none.
    """
    from zenml.client import Client

    runs = Client().list_pipeline_runs(
        pipeline="train",
        status="completed",
        name=name,
        sort_by="desc:created",
        size=1 if name else LATEST,
        hydrate=True,
    )
    for found in runs.items:
        settings = found.config.parameters.get("settings") if found.config.parameters else None
        if name or (isinstance(settings, dict) and settings.get("model") == model):
            return found
    where = f"--run {name}" if name else f"model {model}"
    raise UserError("no such train run came to a decision", where=where, remedy="Run make train first.")
