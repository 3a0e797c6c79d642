"""Turns reviews into a promoted model."""

from __future__ import annotations

from typing import Any

from zenml import pipeline
from zenml.client import Client
from zenml.enums import ExecutionMode

import materializers  # noqa: F401  # registers how typed artifacts are stored
from pipelines.candidates import train_candidates
from pipelines.settings import TrainSettings
from registry.versions import get_artifact
from steps.evaluation.cross_validate import FITS, cross_validate
from steps.evaluation.evaluate import evaluate
from steps.evaluation.rank import rank
from steps.monitoring.add_feedback import add_feedback
from steps.promotion.decide import decide
from steps.promotion.promote import promote
from steps.reviews.check_raw import check_raw
from steps.reviews.check_splits import check_splits
from steps.reviews.divide import divide
from steps.reviews.load import load
from steps.training.choose import choose


@pipeline(name="train", execution_mode=ExecutionMode.FAIL_FAST)  # otherwise the error of the failed step is lost
def train(
    settings: TrainSettings,
    source_fingerprint: str,
    champion: str | None,
    champion_readable: bool,
    earlier_feedback: str | None = None,
    fresh_feedback: str | None = None,
) -> None:
    """Loads, checks, splits, trains every candidate, evaluates, ranks, decides and promotes.

    Args:
        settings: The settings of the pipeline.
        source_fingerprint: Hash of the source's content, part of the cache key.
        champion: Number of the version in production; None if there is none.
        champion_readable: Whether its files exist and this code reads them: a challenger is compared with it then.
        earlier_feedback: Identifier of the artifact with the feedback that the champion was trained on, if any.
        fresh_feedback: Identifier of the artifact with newer feedback, if any.
    """
    seed = settings.seed
    reviews = load(settings.source, source_fingerprint, seed)
    feedback = {"earlier": earlier_feedback, "fresh": fresh_feedback}
    given: dict[str, Any] = {
        name: Client().get_artifact_version(identifier) for name, identifier in feedback.items() if identifier
    }
    feedback_used: dict[str, Any] = {}
    if given:
        reviews, feedback_used["feedback"] = add_feedback(reviews, **given)
    suites = settings.expectations
    review_checks = check_raw(reviews, suites.reviews)
    splits = divide(reviews, review_checks, settings.splits, seed)
    split_checks = check_splits(splits, suites.splits, settings.splits.near_duplicate_similarity)

    earlier = {name: get_artifact(settings.model, version, name) for name, version in settings.reuse.items()}
    cross_validations = _cross_validate(settings, splits, split_checks)
    candidates = train_candidates(settings, splits, split_checks, earlier)
    challenger, servable = choose(list(candidates), list(candidates.values()), splits, settings.challenger)

    evaluated = [_evaluate(settings, name, candidate, splits) for name, candidate in candidates.items()]
    evaluations, behaviours = (list(outputs) for outputs in zip(*evaluated, strict=True))
    leaderboard = rank(evaluations, behaviours, list(candidates.values()), cross_validations)
    champion_scores = {}
    if champion is not None and champion_readable:
        stored = get_artifact(settings.model, champion, "servable")
        evaluation, checks = _evaluate(settings, "champion", stored, splits)
        champion_scores = {"champion_evaluation": evaluation, "champion_behaviour": checks}
    decision = decide(
        evaluations,
        behaviours,
        [review_checks, split_checks],
        challenger,
        settings.promotion,
        seed,
        settings.model,
        champion_version=champion,
        **champion_scores,
    )
    values = settings.model_dump(mode="json")
    outcome = (decision, servable, splits, evaluations, behaviours, leaderboard)
    promote(*outcome, settings.model, values, source_fingerprint, **feedback_used)


def _cross_validate(settings: TrainSettings, splits: Any, split_checks: Any) -> list[Any]:  # noqa: ANN401  # step outputs
    """Adds the cross-validation of every candidate that is trained here and can be fitted again; none by default."""
    folds = settings.cross_validation.folds
    added = []
    for name in FITS if folds else ():
        own = getattr(settings, name)
        if own.enabled and name not in settings.reuse:
            step = cross_validate.with_options(substitutions={"candidate": name})
            values, weights = own.model_dump(mode="json"), settings.class_weights
            inputs = (splits, split_checks, name, values, folds, weights, settings.seed)
            added.append(step(*inputs, id=f"cross_validate_{name}"))
    return added


def _evaluate(settings: TrainSettings, name: str, servable: Any, splits: Any) -> Any:  # noqa: ANN401  # step outputs
    """Adds the evaluation step of a candidate or the champion; returns its evaluation and behavioural report."""
    step = evaluate.with_options(substitutions={"candidate": name})
    return step(servable, splits, name, settings.evaluation, settings.behaviour, settings.seed, id=f"evaluate_{name}")
