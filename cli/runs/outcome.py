"""Reads the outcome of a run, and turns it into plain values for ``--json``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from sentiment.checks import CheckReport
from sentiment.evaluation.measure import Evaluation, Metrics
from sentiment.evaluation.metrics import METRIC_NAMES

if TYPE_CHECKING:
    from zenml.models import StepRunResponse


def load_output(steps: Mapping[str, StepRunResponse], step: str, name: str) -> Any:  # noqa: ANN401  # as the step returned
    """Loads an output of a step."""
    return steps[step].regular_outputs[name].load()


def step_durations(steps: Mapping[str, StepRunResponse]) -> dict[str, float]:
    """Returns the seconds of every step."""
    return {
        name: round((step.end_time - step.start_time).total_seconds(), 1) if step.end_time and step.start_time else 0.0
        for name, step in steps.items()
    }


def check_facts(report: CheckReport) -> dict[str, Any]:
    """Returns the result of every check."""
    return {c.name: c.model_dump(include={"passed", "observed", "limit"}) for c in report.checks}


def evaluation_facts(evaluation: Evaluation) -> dict[str, Any]:
    """Returns the metrics of an evaluation and of its slices."""
    slices = {name: _metric_values(metrics) for name, metrics in evaluation.slices.items()}
    return {**_metric_values(evaluation.overall), "slices": slices}


def _metric_values(metrics: Metrics) -> dict[str, float | None]:
    found = {name: getattr(metrics, name) for name in METRIC_NAMES}
    return {"count": metrics.count, **{name: None if v is None else round(v.value, 6) for name, v in found.items()}}
