"""Decision to version: registered in ZenML and MLflow, and in production if so decided."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import asdict
from functools import partial
from typing import Annotated, Any

from zenml import get_step_context, step

from registry import champion, mlflow_registry, versions
from registry.locks import alone
from registry.versions import Version
from sentiment.checks import CheckReport
from sentiment.evaluation.measure import Evaluation
from sentiment.models.servable import Servable
from sentiment.pages.checks import check_report_page
from sentiment.pages.decision import decision_page
from sentiment.pages.evaluation import evaluation_page
from sentiment.pages.servable import model_card
from sentiment.promotion.decision import Decision
from sentiment.reviews.table import SPLITS, Reviews, Splits

LINKED = ("servable", "splits", "evaluations", "behaviours", "feedback")  # inputs that a version leads to

MOST_NAMED = 100  # characters of a user's name within a key of MLflow's, which has 250 at most
CITATIONS = {
    "imdb": "Maas et al. 2011, https://aclanthology.org/P11-1015",
    "rotten_tomatoes": "Pang and Lee 2005, doi:10.3115/1219840.1219855",
}


@step(enable_cache=False, experiment_tracker=True)
def promote(
    decision: Decision,
    servable: Servable,
    splits: Splits,
    evaluations: list[Evaluation],
    behaviours: list[CheckReport],
    model: str,
    settings: dict[str, Any],
    feedback: Reviews | None = None,
) -> tuple[Annotated[str, "model_version"], Annotated[Decision, "outcome"]]:
    """Registers the challenger as a version and, if so decided, makes it the champion: the very last thing.

    A servable that is registered already keeps its version, which then leads to what was measured last: that is what
    the code of today makes of it, and what a deployment must show.

    Args:
        decision: The decision on the challenger.
        servable: The challenger.
        splits: What it was trained and tested on, for the model card.
        evaluations: Of every candidate.
        behaviours: Of the same candidates, in the same order.
        model: Name of the model.
        settings: The run's settings, logged to MLflow.
        feedback: What of the training data came from users; the next training has it, too.

    Returns:
        The number of the challenger's version, and what came of the decision: it does not hold where another version
        became champion meanwhile.
    """
    names = [evaluation.candidate for evaluation in evaluations]
    index = names.index(decision.challenger)
    card = partial(
        model_card, evaluations[index], behaviours[index], manifest=asdict(servable.manifest), data=_data(splits)
    )
    _log(decision, evaluations, behaviours, card(decision), settings)
    known = versions.find(model, servable.fingerprint)
    version = known or _register(decision, servable, evaluations[index], model, card(decision))
    inputs = get_step_context().inputs
    versions.link(model, version.number, [response for name in LINKED for response in inputs.get(name, ())])
    outcome = _carried_out(decision, model, version)
    if outcome.promote or not (version.promoted or version.taken_back):  # what is on record of these stays
        _record(outcome, model, version, card(outcome))
    champion.follow(model)  # where an earlier run died on the way
    return version.number, outcome  # ZenML sees two outputs only where a tuple is written out


def _data(splits: Splits) -> dict[str, str]:
    """Rows of every split, and of every source in the training split with whom to cite for it."""
    facts = {str(name): f"{len(getattr(splits, name)):,} reviews" for name in SPLITS}
    for source, rows in splits.train.frame["source"].value_counts().items():
        cited = CITATIONS.get(str(source))
        facts[f"train, {source}"] = f"{rows:,} reviews" + (f" ({cited})" if cited else "")
    return facts


def _register(decision: Decision, servable: Servable, evaluation: Evaluation, model: str, card: str) -> Version:
    """In MLflow first: what a run that dies in between leaves there, the next one finds."""
    import mlflow

    context, run = get_step_context(), mlflow.active_run()
    held = mlflow_registry.find(model, servable.fingerprint) or mlflow_registry.register(model, servable, card)
    with alone(model):
        version = versions.find(model, servable.fingerprint) or versions.create(
            model,
            {
                "kind": decision.challenger,
                "fingerprint": servable.fingerprint,
                "data_fingerprint": servable.manifest.data_fingerprint,
                "git_commit": servable.manifest.git_commit,
                "promoted": False,
                "reason": "its run ended before it was done",
                "pipeline_run": context.pipeline_run.name,
                "mlflow_run": run.info.run_id if run else "",
                **{k: round(getattr(evaluation.overall, k).value, 5) for k in ("accuracy", "macro_f1", "ece")},
            },
            card,
        )
    mlflow_registry.tag_number(model, held, version.number)
    return version


def _carried_out(decision: Decision, model: str, version: Version) -> Decision:
    if decision.promote:
        try:
            champion.set_champion(model, version.number, decision=decision)
        except champion.OvertakenError as overtaken:
            return decision.model_copy(update={"promote": False, "reason": str(overtaken)})
    return decision


def _record(outcome: Decision, model: str, version: Version, card: str) -> None:
    """On the version, on MLflow's version of it, and on MLflow's run."""
    import mlflow

    versions.record_decision(model, version.number, promoted=outcome.promote, reason=outcome.reason)
    versions.describe(model, version.number, card)
    mlflow_registry.describe(model, champion.in_mlflow(model, version), card)
    mlflow.set_tags({"promoted": outcome.promote, "reason": outcome.reason})


def _log(
    decision: Decision,
    evaluations: list[Evaluation],
    behaviours: list[CheckReport],
    card: str,
    settings: dict[str, Any],
) -> None:
    import mlflow

    mlflow.log_params(dict(_flat(settings)))
    mlflow.set_tags({"promoted": decision.promote, "reason": decision.reason, "challenger": decision.challenger})
    for evaluation, behaviour in zip(evaluations, behaviours, strict=True):
        mlflow.log_metrics(dict(_metrics(evaluation, behaviour)))
        mlflow.log_text(evaluation_page(evaluation), f"{evaluation.candidate}/evaluation.html")
        mlflow.log_text(check_report_page(behaviour), f"{evaluation.candidate}/behaviour.html")
    mlflow.log_text(decision_page(decision), "decision.html")
    mlflow.log_text(card, "model_card.md")


def _metrics(evaluation: Evaluation, behaviour: CheckReport) -> Iterator[tuple[str, float]]:
    name = evaluation.candidate
    for where, metrics in (("", evaluation.overall), *((f".{s}", m) for s, m in evaluation.slices.items())):
        for metric in ("accuracy", "macro_f1", "roc_auc", "ece", "brier"):
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


def _key(name: str) -> str:
    """What MLflow takes as part of a name; sources are called what users call them."""
    return re.sub(r"[^\w.-]+", "_", name)[:MOST_NAMED]


def _flat(values: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    for key, value in values.items():
        if isinstance(value, dict) and all(map(str.isidentifier, value)):  # others, such as of labels, are data
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", str(value)[:500]
