"""Runs the train pipeline."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any
from uuid import UUID

from rich.console import Console
from rich.markup import escape

from cli import tables
from cli.runs.caching import explain_empty_cache
from cli.runs.outcome import evaluation_facts, load_output, step_durations
from cli.runs.start import start_pipeline
from pipelines.settings import TrainSettings
from pipelines.train import train
from registry import versions
from registry.consistency import find_disagreements
from sentiment.checks import CheckReport
from sentiment.errors import UserError
from sentiment.evaluation.leaderboard import Leaderboard
from sentiment.evaluation.measure import Evaluation
from sentiment.promotion.decision import Decision
from sentiment.reviews.sources import source_fingerprint
from sentiment.reviews.table import Splits

if TYPE_CHECKING:
    from zenml.models import PipelineRunResponse

MAX_ROUNDS = 3  # of deciding again, each after another run changed the champion meanwhile
NO_COMPARISON = "no challenger can be compared with it, and only python run.py promote replaces it"
NEXT_STEPS = """
Serve it:   make deploy      test the version in production and make it live, over HTTP and gRPC
Inspect it: make dashboard   every artifact of this run, in ZenML's dashboard
            make mlflow      every number, in MLflow
            python run.py versions   every version, and why it was promoted or not
            python run.py compare --families   every candidate, with its size, speed and training time
"""


@dataclass(frozen=True)
class TrainSummary:
    """The outcome of a train run.

    Attributes:
        run: Name of the ZenML run.
        model_version: Number of the challenger's version.
        cached: Whether every training step was served from cache.
        seconds: Wall time of every step.
        splits: The reviews.
        evaluations: By the name of the candidate; the champion's too, if there was one.
        behaviours: Behavioural reports, likewise.
        gates: Reports on the reviews and splits.
        decision: The decision as it was carried out.
        overtaken: Whether the decision was to promote, but another version became champion meanwhile.
    """

    run: str
    model_version: str
    cached: bool
    seconds: dict[str, float]
    splits: Splits
    evaluations: dict[str, Evaluation]
    behaviours: dict[str, CheckReport]
    gates: tuple[CheckReport, ...]
    decision: Decision
    overtaken: bool

    def as_json(self) -> dict[str, Any]:
        """Returns the summary for ``--json``."""
        return {
            "run": self.run,
            "model_version": self.model_version,
            "promoted": self.decision.promote,
            "reason": self.decision.reason,
            "challenger": self.decision.challenger,
            "metrics": {name: evaluation_facts(e) for name, e in self.evaluations.items()},
            "rows": {count.name: count.rows for count in self.splits.row_counts},
            "durations": self.seconds,
        }


def run_train(
    settings: TrainSettings, console: Console, *, cache: bool, fresh_feedback: UUID | None = None
) -> TrainSummary:
    """Trains, evaluates, decides and promotes on the active stack.

    The feedback that the champion was trained on stays in the training data of every later run.

    Args:
        settings: The settings of the pipeline.
        console: Where progress is drawn.
        cache: Whether unchanged steps may be served from cache.
        fresh_feedback: The artifact with reviews that users have labelled since, if any.

    Raises:
        UserError: If the source or a reused candidate cannot be read, or a critical check failed.
    """
    for disagreement in find_disagreements(
        settings.model
    ):  # also proves, before hours of training, that MLflow answers
        console.print(f"[yellow]warning[/]: {escape(disagreement.what)}: python run.py status --repair")
    for name, version in settings.reuse.items():
        versions.require_candidate(settings.model, version, name)
    fingerprint = source_fingerprint(settings.source)
    if cache and (reason := explain_empty_cache("train")):
        console.print(escape(reason))
    run = partial(_run_once, settings, fingerprint, console, fresh_feedback)
    outcome = run(cache=cache)
    for _ in range(MAX_ROUNDS):
        if not outcome.overtaken:
            break
        console.print(f"{escape(outcome.decision.reason)}: deciding again, against it")
        outcome = run(cache=True)  # only the steps that depend on the champion run again
    return outcome


def _run_once(
    settings: TrainSettings, fingerprint: str, console: Console, fresh_feedback: UUID | None, *, cache: bool
) -> TrainSummary:
    champion = versions.find_production(settings.model)
    number = champion.number if champion else None
    problem = None if number is None else versions.find_problem(settings.model, number)
    if problem:
        console.print(f"[yellow]warning[/]: the files of version {number}, in production, {problem}: {NO_COMPARISON}")
    earlier = _find_earlier_feedback(settings.model, number)
    fresh = None if fresh_feedback is None else str(fresh_feedback)
    arguments = (settings, fingerprint, number, problem is None, earlier, fresh)
    return read_train_summary(start_pipeline(train, *arguments, console=console, cache=cache))


def _find_earlier_feedback(model: str, champion: str | None) -> str | None:
    """Returns the artifact of the feedback that the champion was trained on, if its files are there."""
    if champion is None or not versions.is_stored(model, champion, "feedback"):
        return None
    return str(versions.get_artifact(model, champion, "feedback").id)


def read_train_summary(run: PipelineRunResponse) -> TrainSummary:
    """Reads the outcome of a finished train run from its artifacts."""
    steps = run.steps  # once: every access is a query
    output = partial(load_output, steps)
    names = [name.removeprefix("evaluate_") for name in steps if name.startswith("evaluate_")]
    decided, outcome = output("decide", "decision"), output("promote", "outcome")
    return TrainSummary(
        run=run.name,
        model_version=output("promote", "model_version"),
        cached=all(
            s.status.value == "cached" for n, s in steps.items() if n.startswith(("train_", "build_", "reuse_"))
        ),
        seconds=step_durations(steps),
        splits=output("divide", "splits"),
        evaluations={n: output(f"evaluate_{n}", f"{n}_evaluation") for n in names},
        behaviours={n: output(f"evaluate_{n}", f"{n}_behaviour") for n in names},
        gates=(output("check_raw", "review_checks"), output("check_splits", "split_checks")),
        decision=outcome,
        overtaken=decided.promote and not outcome.promote,
    )


def read_leaderboard(run: PipelineRunResponse) -> Leaderboard:
    """Reads the leaderboard of a finished train run.

    Raises:
        UserError: If the run has none, because it is older than the leaderboard.
    """
    steps = run.steps  # once: every access is a query
    if "rank" not in steps:
        raise UserError(
            "this train run is from before there were leaderboards", where=f"run {run.name}", remedy="Train again."
        )
    leaderboard: Leaderboard = load_output(steps, "rank", "leaderboard")
    return leaderboard


def show_training(summary: TrainSummary, console: Console) -> None:
    """Prints the outcome as tables: reviews, candidates, gates, rules, the decision, and the next steps."""
    decision = summary.decision
    console.print(tables.row_counts_table(summary.splits))
    console.print(tables.splits_table(summary.splits))
    console.print(tables.candidates_table(summary.evaluations, summary.behaviours, decision.challenger))
    console.print(tables.slices_table(summary.evaluations))
    console.print(tables.checks_table([*summary.gates, summary.behaviours[decision.challenger]]))
    console.print(tables.rules_table(decision))
    if summary.cached:
        nothing = "Nothing changed since the last run: " if "identical" in decision.reason else ""
        console.print(f"{nothing}every candidate came from cache.")
    verdict = "[bold green]promoted" if decision.promote else "[bold yellow]not promoted"
    named = f"{decision.challenger}, version {summary.model_version}"
    console.print(f"\n{verdict}[/]: {named} - {escape(decision.reason)}")
    console.print(NEXT_STEPS)
