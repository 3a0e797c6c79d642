"""Decision to version: registered in ZenML and MLflow, and promoted if the decision says so."""

from __future__ import annotations

from dataclasses import asdict
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

from zenml import get_step_context, step

from registry import approval, champion, mlflow_registry, versions
from registry.locks import version_lock
from registry.trackers.copy import copy_run
from registry.tracking import log_training
from sentiment.checks import CheckReport
from sentiment.deployment import Version
from sentiment.evaluation.leaderboard import Leaderboard
from sentiment.evaluation.measure import Evaluation
from sentiment.models.servable import Servable
from sentiment.pages.servable import model_card
from sentiment.promotion.approval import APPROVED, REJECTED
from sentiment.promotion.decision import Decision
from sentiment.reviews.table import SPLITS, Reviews, Splits

if TYPE_CHECKING:
    from zenml.models import ArtifactVersionResponse

LINKED = ("servable", "splits", "evaluations", "behaviours", "leaderboard", "feedback")  # inputs linked to the version

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
    leaderboard: Leaderboard,
    model: str,
    settings: dict[str, Any],
    source_version: str,
    feedback: Reviews | None = None,
) -> tuple[Annotated[str, "model_version"], Annotated[Decision, "outcome"]]:
    """Registers the challenger as a version and promotes it if the decision says so; always the last step.

    A servable that is already registered keeps its version, which then links to the latest measurements: a deployment
    must reproduce the scores of today's code.

    Args:
        decision: The decision on the challenger.
        servable: The challenger.
        splits: The splits that it was trained and tested on, for the model card.
        evaluations: Of every candidate.
        behaviours: Of the same candidates, in the same order.
        leaderboard: Of the same candidates.
        model: Name of the model.
        settings: The run's settings, logged to MLflow.
        source_version: Identity of the source's content, for the model card.
        feedback: The training reviews that came from users; the next training uses them, too.

    Returns:
        The number of the challenger's version, and the outcome: the decision, unless another version became champion
        meanwhile.
    """
    names = [evaluation.candidate for evaluation in evaluations]
    index = names.index(decision.challenger)
    facts = _data_facts(splits, source_version)
    card = partial(model_card, evaluations[index], behaviours[index], manifest=asdict(servable.manifest), data=facts)
    log_training(decision, evaluations, behaviours, leaderboard, card(decision), settings)
    known = versions.find_version(model, servable.fingerprint)
    version = known or _register(decision, servable, evaluations[index], model, card(decision))
    inputs = get_step_context().inputs
    linked = [artifact for name in LINKED for artifact in inputs.get(name, ())]
    versions.link_artifacts(model, version.number, [*linked, *_find_candidates()])
    outcome = _carry_out(decision, model, version)
    if not outcome.waits:
        version = approval.stop_waiting(model, version)
    decided = version.promoted or version.rolled_back or version.approval in (APPROVED, REJECTED)
    if outcome.promote or not decided:  # otherwise the recorded reason and the approval in the model card stay
        _record(outcome, model, version, card(outcome))
    if outcome.waits:
        approval.ask_for_approval(model, version.number, outcome.champion)
    champion.follow(model)  # an earlier run may have died before it moved the alias
    copy_run()
    return version.number, outcome  # ZenML sees two outputs only if a tuple is written out


def _find_candidates() -> list[ArtifactVersionResponse]:
    """Finds the servable of every candidate of this run, so that a later run can reuse it."""
    from zenml.client import Client

    run = Client().get_pipeline_run(get_step_context().pipeline_run.id)
    return list(run.steps["choose"].inputs["servables"])


def _data_facts(splits: Splits, source_version: str) -> dict[str, str]:
    """Names the source's version; counts the rows of every split, and of every source of the training split."""
    facts = {"source version": source_version}
    facts |= {str(name): f"{len(getattr(splits, name)):,} reviews" for name in SPLITS}
    for source, rows in splits.train.frame["source"].value_counts().items():
        citation = CITATIONS.get(str(source))
        facts[f"train, {source}"] = f"{rows:,} reviews" + (f" ({citation})" if citation else "")
    return facts


def _register(decision: Decision, servable: Servable, evaluation: Evaluation, model: str, card: str) -> Version:
    """Registers the servable in MLflow first: if this run dies before ZenML has it, the next run finds it there."""
    import mlflow

    context, run = get_step_context(), mlflow.active_run()
    registered = mlflow_registry.find_registered(model, servable.fingerprint)
    registered = registered or mlflow_registry.register(model, servable, card)
    with version_lock(model):
        version = versions.find_version(model, servable.fingerprint) or versions.create_version(
            model,
            {
                "kind": decision.challenger,
                "stages": " ".join(servable.manifest.stages),
                "fingerprint": servable.fingerprint,
                "data_fingerprint": servable.manifest.data_fingerprint,
                "git_commit": servable.manifest.git_commit,
                "promoted": False,
                "reason": "its run did not finish",
                "pipeline_run": context.pipeline_run.name,
                "mlflow_run": run.info.run_id if run else "",
                **{k: round(getattr(evaluation.overall, k).value, 5) for k in ("accuracy", "macro_f1", "ece")},
            },
            card,
        )
    mlflow_registry.tag_number(model, registered, version.number)
    return version


def _carry_out(decision: Decision, model: str, version: Version) -> Decision:
    if decision.promote:
        try:
            champion.set_champion(model, version.number, decision=decision)
        except champion.OvertakenError as overtaken:
            return decision.model_copy(update={"promote": False, "reason": str(overtaken)})
    return decision


def _record(outcome: Decision, model: str, version: Version, card: str) -> None:
    """Records the outcome on the version, on MLflow's version of it, and on MLflow's run."""
    import mlflow

    versions.record_decision(model, version.number, promoted=outcome.promote, reason=outcome.reason)
    versions.update_card(model, version.number, card)
    mlflow_registry.update_description(model, champion.ensure_registered(model, version), card)
    mlflow.set_tags({"promoted": outcome.promote, "reason": outcome.reason})
