"""Evaluations and check reports to a decision."""

from __future__ import annotations

from typing import Annotated

from zenml import step

from registry import versions
from sentiment.checks import CheckReport
from sentiment.evaluation.measure import Evaluation
from sentiment.promotion import decision as comparison


@step(enable_cache=False)
def decide(
    evaluations: list[Evaluation],
    behaviours: list[CheckReport],
    gates: list[CheckReport],
    challenger: str,
    settings: comparison.PromotionSettings,
    seed: int,
    model: str,
    champion_version: str | None = None,
    champion_evaluation: Evaluation | None = None,
    champion_behaviour: CheckReport | None = None,
) -> Annotated[comparison.Decision, "decision"]:
    """Decides whether the challenger becomes the champion; never cached, as the champion may have changed.

    Args:
        evaluations: Of every candidate of this run.
        behaviours: Of the same candidates, in the same order.
        gates: Reports on the data.
        challenger: Name of the candidate that is up for promotion.
        settings: Floors, margins and gains.
        seed: Seed of the paired bootstrap.
        model: Name of the model, among whose versions the challenger may be already.
        champion_version: Number of the production version; None if there is none.
        champion_evaluation: The production model on this run's test split; None if its files are gone.
        champion_behaviour: The production model on this run's behavioural cases.
    """
    champion = None
    if champion_version and champion_evaluation and champion_behaviour:
        champion = comparison.ChampionScores(champion_version, champion_evaluation, champion_behaviour)
    names = [evaluation.candidate for evaluation in evaluations]
    known = versions.find(model, evaluations[names.index(challenger)].servable_fingerprint)
    return comparison.decide(
        dict(zip(names, evaluations, strict=True)),
        dict(zip(names, behaviours, strict=True)),
        gates,
        challenger=challenger,
        champion=champion,
        settings=settings,
        seed=seed,
        lost=None if champion else champion_version,
        taken_back=f"version {known.number}, {known.taken_back[:10]}" if known and known.taken_back else None,
    )
