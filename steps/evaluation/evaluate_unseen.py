"""Servable and unseen reviews to an evaluation and a behavioural report."""

from __future__ import annotations

from typing import Annotated

from zenml import step

from sentiment.behaviour.checks import BehaviourSettings
from sentiment.checks import CheckReport
from sentiment.evaluation.measure import Evaluation, EvaluationSettings
from sentiment.models.servable import Servable
from sentiment.reviews.table import Reviews
from steps.caching import depends_on_imports
from steps.evaluation.evaluate import measure


@step(cache_policy=depends_on_imports(__name__))
def evaluate_unseen(
    servable: Servable, reviews: Reviews, settings: EvaluationSettings, behaviour: BehaviourSettings, seed: int
) -> tuple[Annotated[Evaluation, "evaluation"], Annotated[CheckReport, "behaviour"]]:
    """Measures a servable on reviews of any source."""
    evaluation, report = measure(servable, reviews, servable.manifest.kind, settings, behaviour, seed)
    return evaluation, report  # ZenML sees two outputs only where a tuple is written out
