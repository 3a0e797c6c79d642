"""What a train run came to: one summary for machines, tables for people."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from sentiment.checks import CheckReport
from sentiment.evaluation.measure import Evaluation, Interval, Metrics
from sentiment.promotion.decision import Decision
from sentiment.reviews.table import SPLITS, Splits

if TYPE_CHECKING:
    from zenml.models import PipelineRunResponse, StepRunResponse


@dataclass(frozen=True)
class TrainSummary:
    """The outcome of a train run.

    Attributes:
        run: Name of the ZenML run.
        model_version: The challenger's version.
        cached: Whether every training step was served from cache.
        seconds: Wall time of every step.
        splits: The data.
        evaluations: Of every candidate, by name; the champion's too where there was one.
        behaviours: Likewise.
        gates: Reports on the data.
        decision: What came of the decision.
        overtaken: Whether it did not hold, as another version became champion meanwhile.
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
        """For ``--json``."""
        return {
            "run": self.run,
            "model_version": self.model_version,
            "promoted": self.decision.promote,
            "reason": self.decision.reason,
            "challenger": self.decision.challenger,
            "metrics": {name: numbers(e) for name, e in self.evaluations.items()},
            "durations": self.seconds,
        }


def numbers(evaluation: Evaluation) -> dict[str, Any]:
    """The figures of an evaluation and of its slices, for ``--json``."""
    return {**_numbers(evaluation.overall), "slices": {s: _numbers(m) for s, m in evaluation.slices.items()}}


def _numbers(metrics: Metrics) -> dict[str, float | None]:
    found = {name: getattr(metrics, name) for name in ("accuracy", "macro_f1", "roc_auc", "ece", "brier")}
    return {"count": metrics.count, **{name: None if v is None else round(v.value, 6) for name, v in found.items()}}


def read_train_summary(run: PipelineRunResponse) -> TrainSummary:
    """Collects the outcome of a finished train run from its artifacts."""
    steps = run.steps  # asked for once: each time is a query
    names = [name.removeprefix("evaluate_") for name in steps if name.startswith("evaluate_")]
    decided, outcome = _output(steps, "decide", "decision"), _output(steps, "promote", "outcome")
    return TrainSummary(
        run=run.name,
        model_version=_output(steps, "promote", "model_version"),
        cached=all(s.status.value == "cached" for n, s in steps.items() if n.startswith(("train_", "build_"))),
        seconds=durations(steps),
        splits=_output(steps, "divide", "splits"),
        evaluations={n: _output(steps, f"evaluate_{n}", f"{n}_evaluation") for n in names},
        behaviours={n: _output(steps, f"evaluate_{n}", f"{n}_behaviour") for n in names},
        gates=(_output(steps, "check_raw", "review_checks"), _output(steps, "check_splits", "split_checks")),
        decision=outcome,
        overtaken=decided.promote and not outcome.promote,
    )  # fmt: skip


def durations(steps: dict[str, StepRunResponse]) -> dict[str, float]:
    """Seconds that every step took."""
    return {
        name: round((step.end_time - step.start_time).total_seconds(), 1) if step.end_time and step.start_time else 0.0
        for name, step in steps.items()
    }


def _output(steps: dict[str, StepRunResponse], step: str, name: str) -> Any:  # noqa: ANN401  # what the step returned
    return steps[step].regular_outputs[name].load()


def show(summary: TrainSummary, console: Console) -> None:
    """Prints the outcome as tables: data, candidates, gates and rules, the decision, where to look next."""
    console.print(_data(summary.splits))
    console.print(candidates_table(summary.evaluations, summary.behaviours, summary.decision.challenger))
    console.print(slices_table(summary.evaluations))
    console.print(checks_table([*summary.gates, summary.behaviours[summary.decision.challenger]]))
    console.print(rules_table(summary.decision))
    if summary.cached:
        nothing = "Nothing changed since the last run: " if "identical" in summary.decision.reason else ""
        console.print(f"{nothing}every candidate came from cache.")
    verdict = "[bold green]promoted" if summary.decision.promote else "[bold yellow]not promoted"
    reason = escape(summary.decision.reason)
    console.print(f"\n{verdict}[/]: {summary.decision.challenger}, version {summary.model_version} - {reason}")
    console.print(
        "\nServe it:    make deploy      the version in production, over HTTP and gRPC, once it passes its tests"
    )
    console.print("Look at it:  make dashboard   every artifact of this run, in ZenML's dashboard")
    console.print("             make mlflow      every number, in MLflow")
    console.print("             python run.py versions   every version and why it was promoted or not\n")


def _data(splits: Splits) -> Table:
    sources = sorted(set(splits.train.frame["source"]))
    table = Table("data", *map(escape, sources), "all", title="Reviews", title_justify="left")
    for name in SPLITS:
        frame = getattr(splits, name).frame
        counts = [int((frame["source"] == source).sum()) for source in sources]
        table.add_row(name, *(f"{c:,}" for c in [*counts, len(frame)]))
    return table


def _interval(interval: Interval | None) -> str:
    return "-" if interval is None else f"{interval.value:.3f} [dim]{interval.low:.3f}-{interval.high:.3f}"


def candidates_table(
    evaluations: dict[str, Evaluation],
    behaviours: dict[str, CheckReport],
    challenger: str = "",
    *,
    reviews: str = "the test split",
) -> Table:
    """The headline figures of every candidate on ``reviews``; the challenger's name in bold."""
    table = Table(
        "candidate", "accuracy", "macro F1", "ECE", "p95 ms", "reviews/s", "MB", "behaviour failed",
        title=f"Candidates on {reviews}, with 95 % intervals", title_justify="left",
    )  # fmt: skip
    for name, e in evaluations.items():
        checks = behaviours[name].checks
        failed, cases = sum((c.score or 0) * c.count for c in checks), sum(c.count for c in checks)
        table.add_row(
            f"[bold]{name}" if name == challenger else name,
            *map(_interval, (e.overall.accuracy, e.overall.macro_f1, e.overall.ece)),
            f"{e.latency_ms.p95:.1f}", f"{e.reviews_per_second:,.0f}", f"{e.size_mb:.1f}",
            f"{100 * failed / max(cases, 1):.1f} % of {cases:,}",
        )  # fmt: skip
    return table


def slices_table(evaluations: dict[str, Evaluation]) -> Table:
    """Accuracy on every slice."""
    table = Table("slice", "reviews", *evaluations, title="Accuracy by slice", title_justify="left")
    first = next(iter(evaluations.values()))
    for name, metrics in first.slices.items():
        values = [e.slices[name].accuracy for e in evaluations.values()]
        table.add_row(escape(name), f"{metrics.count:,}", *map(_interval, values))
    return table


def checks_table(reports: list[CheckReport]) -> Table:
    """Every check of the reports against its limit."""
    table = Table("gate", "check", "", "observed", "limit", title="Gates", title_justify="left")
    for report in reports:
        for check in report.checks:
            sign = "[green]✓" if check.passed else ("[red]✗" if check.severity == "critical" else "[yellow]!")
            suite, name, observed, limit = map(escape, (report.suite, check.name, check.observed, check.limit))
            table.add_row(suite, name, sign, observed, limit)
    return table


def rules_table(decision: Decision) -> Table:
    """Every rule of a decision with its numbers."""
    table = Table("rule", "", "observed", "limit", "detail", title="Decision, rule by rule", title_justify="left")
    for rule in decision.rules:
        sign = "[green]✓" if rule.passed else ("[red]✗" if rule.blocks else "[dim]-")
        name, *words = map(escape, (rule.name, rule.observed, rule.limit, rule.detail))
        table.add_row(name, sign, *words)
    return table
