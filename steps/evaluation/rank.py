"""Evaluations and servables of every candidate to the leaderboard."""

from __future__ import annotations

from typing import Annotated

from zenml import step

from sentiment.checks import CheckReport
from sentiment.evaluation.cross_validation import CrossValidation
from sentiment.evaluation.leaderboard import Leaderboard, build_leaderboard
from sentiment.evaluation.measure import Evaluation
from sentiment.models.servable import Servable
from steps.caching import depends_on_imports


@step(cache_policy=depends_on_imports(__name__))
def rank(
    evaluations: list[Evaluation],
    behaviours: list[CheckReport],
    servables: list[Servable],
    cross_validations: list[CrossValidation],  # ZenML loads no list that may also be None
) -> Annotated[Leaderboard, "leaderboard"]:
    """Ranks the candidates of this run on the test split; the champion is not among them.

    The table is for readers: the challenger was chosen on the validation split.

    Args:
        evaluations: Of every candidate.
        behaviours: Of the same candidates, in the same order.
        servables: Likewise.
        cross_validations: Of those that were cross-validated, which may be none.
    """
    manifests = [servable.manifest for servable in servables]
    return build_leaderboard(evaluations, behaviours, manifests, cross_validations)
