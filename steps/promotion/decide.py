"""Evaluations and check reports to a decision."""

from __future__ import annotations

from typing import Annotated

from zenml import step

from registry import versions
from sentiment.checks import CheckReport
from sentiment.deployment import Version
from sentiment.evaluation.measure import Evaluation
from sentiment.promotion import decision
from sentiment.promotion.approval import REJECTED
from sentiment.promotion.champion import ChampionScores
from sentiment.promotion.settings import PromotionSettings


@step(enable_cache=False)
def decide(
    evaluations: list[Evaluation],
    behaviours: list[CheckReport],
    gates: list[CheckReport],
    challenger: str,
    settings: PromotionSettings,
    seed: int,
    model: str,
    champion_version: str | None = None,
    champion_evaluation: Evaluation | None = None,
    champion_behaviour: CheckReport | None = None,
) -> Annotated[decision.Decision, "decision"]:
    """Decides whether the challenger becomes the champion; never cached, because the champion may have changed.

    Args:
        evaluations: Of every candidate of this run.
        behaviours: Of the same candidates, in the same order.
        gates: Reports on the data.
        challenger: Name of the candidate that is up for promotion.
        settings: Floors, margins and gains.
        seed: Seed of the paired bootstrap.
        model: Name of the model; the challenger may already be one of its versions.
        champion_version: Number of the production version; None if there is none.
        champion_evaluation: The production model on this run's test split; None if its files cannot be read.
        champion_behaviour: The production model on this run's behavioural cases.
    """
    champion = None
    if champion_version and champion_evaluation and champion_behaviour:
        champion = ChampionScores(champion_version, champion_evaluation, champion_behaviour)
    names = [evaluation.candidate for evaluation in evaluations]
    known = versions.find_version(model, evaluations[names.index(challenger)].servable_fingerprint)
    return decision.decide(
        dict(zip(names, evaluations, strict=True)),
        dict(zip(names, behaviours, strict=True)),
        gates,
        challenger=challenger,
        champion=champion,
        settings=settings,
        seed=seed,
        lost=None if champion else champion_version,
        rolled_back=f"version {known.number}, {known.rolled_back[:10]}" if known and known.rolled_back else None,
        rejected=_describe_rejection(known) if known and known.approval == REJECTED else None,
    )


def _describe_rejection(version: Version) -> str:
    return f"version {version.number}" + (f": {version.approval_reason}" if version.approval_reason else "")
