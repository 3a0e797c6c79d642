"""The record of a training in its MLflow run: settings, metrics, pages and the model card."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from sentiment.checks import CheckReport
from sentiment.evaluation.leaderboard import Leaderboard
from sentiment.evaluation.measure import Evaluation
from sentiment.evaluation.metrics import METRIC_NAMES
from sentiment.pages.checks import check_report_page
from sentiment.pages.decision import decision_page
from sentiment.pages.evaluation import evaluation_page
from sentiment.pages.leaderboard import leaderboard_page
from sentiment.promotion.decision import Decision

MAX_NAME_CHARACTERS = 100  # of a user's name within a key of MLflow's, which may have 250
MAX_PARAMETER_CHARACTERS = 500
INCLUDED = {"behaviour", "expectations", "promotion"}  # whole files: in settings.json, too long for parameters


def log_training(
    decision: Decision,
    evaluations: list[Evaluation],
    behaviours: list[CheckReport],
    leaderboard: Leaderboard,
    card: str,
    settings: dict[str, Any],
) -> None:
    """Logs a training to the active MLflow run.

    Args:
        decision: The decision on the challenger.
        evaluations: Of every candidate.
        behaviours: Of the same candidates, in the same order.
        leaderboard: Of the same candidates.
        card: The challenger's model card, Markdown.
        settings: The run's settings with the files that they include; whole in the artifact ``settings.json``.
    """
    import mlflow

    mlflow.log_params(dict(_flatten({name: value for name, value in settings.items() if name not in INCLUDED})))
    mlflow.log_dict(settings, "settings.json")
    mlflow.set_tags({"promoted": decision.promote, "reason": decision.reason, "challenger": decision.challenger})
    for evaluation, behaviour in zip(evaluations, behaviours, strict=True):
        mlflow.log_metrics(dict(_metrics(evaluation, behaviour)))
        mlflow.log_text(evaluation_page(evaluation), f"{evaluation.candidate}/evaluation.html")
        mlflow.log_text(check_report_page(behaviour), f"{evaluation.candidate}/behaviour.html")
    mlflow.log_metrics(dict(_training_facts(leaderboard)))
    mlflow.log_text(leaderboard_page(leaderboard), "leaderboard.html")
    mlflow.log_text(decision_page(decision), "decision.html")
    mlflow.log_text(card, "model_card.md")


def _metrics(evaluation: Evaluation, behaviour: CheckReport) -> Iterator[tuple[str, float]]:
    name = evaluation.candidate
    for where, metrics in (("", evaluation.overall), *((f".{s}", m) for s, m in evaluation.slices.items())):
        for metric in METRIC_NAMES:
            interval = getattr(metrics, metric)
            if interval is not None:
                yield f"{name}{_key(where)}.{metric}", interval.value
    yield f"{name}.latency_p50_ms", evaluation.latency_ms.p50
    yield f"{name}.latency_p95_ms", evaluation.latency_ms.p95
    yield f"{name}.reviews_per_second", evaluation.reviews_per_second
    yield f"{name}.size_mb", evaluation.size_mb
    for check in behaviour.checks:
        if check.score is not None:
            yield f"{name}.behaviour.{_key(check.name)}", check.score


def _training_facts(leaderboard: Leaderboard) -> Iterator[tuple[str, float]]:
    """Yields what the evaluations do not hold: the time of training, and the cross-validation."""
    for row in leaderboard.rows:
        if row.training_seconds is not None:
            yield f"{row.candidate}.training_seconds", row.training_seconds
        if row.cross_validation is not None:
            yield f"{row.candidate}.cross_validation.accuracy_mean", row.cross_validation.mean
            yield f"{row.candidate}.cross_validation.accuracy_deviation", row.cross_validation.deviation


def _key(name: str) -> str:
    """Replaces characters that MLflow refuses: the names of sources are the user's."""
    return re.sub(r"[^\w.-]+", "_", name)[:MAX_NAME_CHARACTERS]


def _flatten(values: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    for key, value in values.items():
        if isinstance(value, dict) and all(map(str.isidentifier, value)):  # other keys, such as labels, are data
            yield from _flatten(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", str(value)[:MAX_PARAMETER_CHARACTERS]
