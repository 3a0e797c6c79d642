"""Bento to the live service: all of it, or nothing."""

from __future__ import annotations

from typing import Annotated

from zenml import get_step_context, save_artifact, step

from bento.predictor import MAX_CHARACTERS
from sentiment.checks import CheckReport
from sentiment.deployment import Bento, Deployment
from sentiment.errors import UserError
from sentiment.evaluation.measure import Evaluation
from sentiment.reviews.table import Splits
from serving.active import model_deployer
from serving.rollouts.settings import RolloutSettings, SmokeSettings
from serving.rollouts.smoke_set import Known, smoke_set


@step(enable_cache=False)
def roll_out(
    bento: Bento, splits: Splits, evaluation: Evaluation, smoke: SmokeSettings, rollout: RolloutSettings
) -> Annotated[Deployment, "deployment"]:
    """Starts the Bento beside the live one, tests it, and only then moves the traffic.

    If anything fails before the switch, also by an interrupt, the new service is stopped and the live service stays.
    Every report is stored immediately, so that a failed run shows it, too. If the same Bento is live with other
    settings than the stack file's, the one with the new settings takes over: there is nothing to compare.

    Args:
        bento: The Bento to serve.
        splits: Of the version.
        evaluation: The version's evaluation, whose scores it must reproduce.
        smoke: How the new service is tested.
        rollout: How traffic moves.

    Returns:
        The live deployment.

    Raises:
        UserError: If there is no deployer, or the new service fails.
    """
    deployer = model_deployer()
    live = deployer.live()
    up_to_date, same = live and deployer.is_up_to_date(live), live and live.bento.tag == bento.tag
    if live and live.healthy and same and up_to_date:
        return live  # nothing to do
    known = _known(bento, splits, evaluation, smoke)
    mode = "switch" if same else rollout.mode
    former = live if live and live.healthy else None
    if former and mode != "switch" and not up_to_date:  # the two would differ in more than the model
        raise UserError(
            f"version {former.bento.version} was started with other settings than those of today",
            where="live service",
            remedy=f"Give it these first: python run.py --pipeline deploy --set version={former.bento.version}",
        )
    if mode == "shadow" and former is None:
        raise UserError(
            "there is no live service to compare with", where="rollout.mode shadow", remedy="Deploy by switch first."
        )
    service = deployer.start(bento)
    try:
        _keep(deployer.test(service, known, smoke, engine=evaluation.engine, threshold=evaluation.threshold))
        if former and mode != "switch":  # without a live service there is nothing to compare a canary with
            _keep(deployer.compare(service, former, known, rollout))
        if live is None or mode != "shadow":
            return deployer.switch(service, run=get_step_context().pipeline_run.name)
    except BaseException:
        if not deployer.is_live(service):
            deployer.discard(service)
        raise
    deployer.discard(service)
    return live


def _known(bento: Bento, splits: Splits, evaluation: Evaluation, settings: SmokeSettings) -> list[Known]:
    if evaluation.servable_fingerprint != bento.labels["fingerprint"]:
        raise UserError(
            "is of another servable than the one that is packaged", where="evaluation", remedy="Train it again."
        )
    return smoke_set(
        splits.test, evaluation, reviews=settings.reviews, max_characters=MAX_CHARACTERS, seed=settings.seed
    )


def _keep(report: CheckReport) -> None:
    """Stores the report, whether it is good or bad; raises if it is bad."""
    save_artifact(report, f"{report.suite}_checks")
    report.require_passed(remedy="The previous version is still live: see python run.py status.")
