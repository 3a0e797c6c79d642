"""Servable and splits to an evaluation and a behavioural report."""

from __future__ import annotations

from typing import Annotated

from zenml import ArtifactConfig, step

from sentiment.behaviour.checks import BehaviourSettings, check_behaviour
from sentiment.checks import CheckReport
from sentiment.evaluation import measure as metrics
from sentiment.evaluation.operating_points import read_points
from sentiment.models import Classifier
from sentiment.models.servable import OPERATING_POINTS, Servable
from sentiment.reviews.table import Reviews, Splits
from steps.caching import depends_on_imports


@step(cache_policy=depends_on_imports(__name__))
def evaluate(
    servable: Servable,
    splits: Splits,
    candidate: str,
    settings: metrics.EvaluationSettings,
    behaviour: BehaviourSettings,
    seed: int,
) -> tuple[
    Annotated[metrics.Evaluation, ArtifactConfig(name="{candidate}_evaluation")],
    Annotated[CheckReport, ArtifactConfig(name="{candidate}_behaviour")],
]:
    """Measures a servable on the untouched test split, and its behaviour on generated cases.

    Args:
        servable: The servable.
        splits: The splits.
        candidate: Name of the candidate, or ``champion``.
        settings: How metrics are computed.
        behaviour: Capabilities and their limits.
        seed: Seed of bootstrap and generated cases.
    """
    evaluation, report = measure(servable, splits.test, candidate, settings, behaviour, seed)
    return evaluation, report  # ZenML sees two outputs only where a tuple is written out


def measure(
    servable: Servable,
    reviews: Reviews,
    candidate: str,
    settings: metrics.EvaluationSettings,
    behaviour: BehaviourSettings,
    seed: int,
) -> tuple[metrics.Evaluation, CheckReport]:
    """Loads the servable as the service does, and measures it on the reviews."""
    from joblib import cpu_count  # unlike os.cpu_count, it knows affinity and the limits of a container

    classifier = Classifier.load(servable.path, threads=cpu_count())
    classifier.warm_up()
    evaluation = metrics.evaluate(
        classifier.predict_proba,
        reviews,
        candidate=candidate,
        engine=classifier.engine,
        servable_fingerprint=servable.fingerprint,
        size_mb=servable.size_mb,
        settings=settings,
        seed=seed,
        operating_points=read_points(servable.path / OPERATING_POINTS),
        threshold=servable.manifest.threshold,
    )
    threshold = servable.manifest.threshold
    return evaluation, check_behaviour(classifier.predict_proba, reviews, behaviour, seed=seed, threshold=threshold)
