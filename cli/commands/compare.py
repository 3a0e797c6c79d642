"""Compares a train run with the champion of its time, or its candidates with each other."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from cli.arguments import ModelArguments, user_path
from cli.grammar import Command, Context, Summary, flag, option
from sentiment.errors import UserError

if TYPE_CHECKING:
    from rich.console import Console
    from zenml.models import PipelineRunResponse

    from cli.runs.train import TrainSummary

MAX_RUNS = 50  # the latest train runs, of all models, to find the last one of this model among


@dataclass(frozen=True)
class Arguments(ModelArguments):
    """The arguments of ``compare``."""

    run: str | None = option("NAME", "name of the train run (default: the last one)")
    families: bool = flag("show the leaderboard: every candidate of the run, without the champion")
    markdown: Path | None = option(
        "FILE", "write the comparison or the leaderboard into a file, for a pull request", type=user_path
    )


def run(arguments: Arguments, context: Context) -> Summary:
    """Shows or writes the comparison or the leaderboard; the summary holds the differences or the rows."""
    with context.session():
        from cli.runs.train import read_train_summary
        from sentiment.pages.comparison import differences

        found = find_train_run(arguments.model, arguments.run)
        if arguments.families:
            return _compare_families(found, arguments.markdown, context.console)
        outcome = read_train_summary(found)
        if arguments.markdown:
            _write(outcome, arguments.markdown, context.console)
        else:
            _show(outcome, context.console)
        decision, champion = outcome.decision, outcome.evaluations.get("champion")
        challenger = outcome.evaluations[decision.challenger]
        return {
            "run": outcome.run,
            "model_version": outcome.model_version,
            "champion": decision.champion,
            "promoted": decision.promote,
            "reason": decision.reason,
            "differences": differences(challenger, champion) if champion else None,
        }


def find_train_run(model: str, name: str | None) -> PipelineRunResponse:
    """Returns the train run with this name, or the last one of the model that came to a decision.

    Raises:
        UserError: If there is none.
    """
    from zenml.client import Client

    runs = Client().list_pipeline_runs(
        pipeline="train",
        status="completed",
        name=name,
        sort_by="desc:created",
        size=1 if name else MAX_RUNS,
        hydrate=True,
    )
    for found in runs.items:
        settings = found.config.parameters.get("settings") if found.config.parameters else None
        if name or (isinstance(settings, dict) and settings.get("model") == model):
            return found
    where = f"--run {name}" if name else f"model {model}"
    raise UserError("no such train run came to a decision", where=where, remedy="Run make train first.")


def _compare_families(run: PipelineRunResponse, markdown: Path | None, console: Console) -> Summary:
    from cli.runs.train import read_leaderboard

    leaderboard = read_leaderboard(run)
    if markdown:
        from rich.markup import escape

        from sentiment.pages.leaderboard import leaderboard_markdown

        markdown.write_text(leaderboard_markdown(leaderboard, run.name), encoding="utf-8")
        console.print(f"Leaderboard: {escape(str(markdown))}", soft_wrap=True, highlight=False)
    else:
        from cli import tables

        console.print(tables.leaderboard_table(leaderboard))
    return {"run": run.name, **leaderboard.model_dump(mode="json")}


def _write(outcome: TrainSummary, path: Path, console: Console) -> None:
    from rich.markup import escape

    from sentiment.pages.comparison import comparison_comment

    text = comparison_comment(
        outcome.decision, outcome.model_version, outcome.run, outcome.evaluations, outcome.behaviours
    )
    path.write_text(text, encoding="utf-8")
    console.print(f"Comparison: {escape(str(path))}", soft_wrap=True, highlight=False)


def _show(outcome: TrainSummary, console: Console) -> None:
    from rich.markup import escape

    from cli import tables

    decision = outcome.decision
    console.print(tables.candidates_table(outcome.evaluations, outcome.behaviours, decision.challenger))
    console.print(tables.slices_table(outcome.evaluations))
    console.print(tables.rules_table(decision))
    verdict = "promoted" if decision.promote else "not promoted"
    console.print(f"{verdict}: {escape(decision.reason)}", highlight=False)


COMMAND = Command(
    "compare", "compare a train run with the champion of its time, or its candidates with each other", run, Arguments
)
