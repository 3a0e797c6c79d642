"""Reviews to a promoted model."""

from __future__ import annotations

from typing import Any

from zenml import pipeline
from zenml.client import Client
from zenml.enums import ExecutionMode

import materializers  # noqa: F401  # registers how typed artifacts are stored
from pipelines.settings import TrainSettings
from registry.versions import linked_artifact
from sentiment.models.weights import find_model, fingerprint
from steps.evaluation.evaluate import evaluate
from steps.monitoring.add_feedback import add_feedback
from steps.promotion.decide import decide
from steps.promotion.promote import promote
from steps.reviews.check_raw import check_raw
from steps.reviews.check_splits import check_splits
from steps.reviews.divide import divide
from steps.reviews.load import load
from steps.training.build_cascade import build_cascade
from steps.training.choose import choose
from steps.training.export import export
from steps.training.train_linear import train_linear
from steps.training.train_transformer import train_transformer


@pipeline(name="train", execution_mode=ExecutionMode.FAIL_FAST)  # else the error that stopped it is lost
def train(
    settings: TrainSettings,
    source_fingerprint: str,
    champion: str | None,
    champion_stored: bool,
    earlier_feedback: str | None = None,
    fresh_feedback: str | None = None,
) -> None:
    """Loads, checks, splits, trains every candidate, evaluates, decides and promotes.

    Args:
        settings: Everything a user may change.
        source_fingerprint: Identity of the source's content, for caching.
        champion: Number of the version in production; None if there is none.
        champion_stored: Whether its files are there, so that it can be compared with.
        earlier_feedback: Identifier of the artifact with the feedback that the champion was trained on, if any.
        fresh_feedback: Likewise, of what has come back since.
    """
    seed = settings.seed
    reviews = load(settings.source, source_fingerprint, seed)
    feedback = {"earlier": earlier_feedback, "fresh": fresh_feedback}
    given: dict[str, Any] = {
        name: Client().get_artifact_version(identifier) for name, identifier in feedback.items() if identifier
    }
    learnt: dict[str, Any] = {}
    if given:
        reviews, learnt["feedback"] = add_feedback(reviews, **given)
    suites = settings.expectations
    review_checks = check_raw(reviews, suites.reviews)
    splits = divide(reviews, review_checks, settings.splits, seed)
    split_checks = check_splits(splits, suites.splits, settings.splits.near_duplicate_similarity)

    candidates = {}
    if settings.linear.enabled:
        candidates["linear"] = train_linear(splits, split_checks, settings.linear, seed)
    if settings.transformer.enabled:
        weights = fingerprint(find_model(settings.transformer.model))
        checkpoint = train_transformer(splits, split_checks, settings.transformer, weights, settings.augmentation, seed)
        candidates["transformer"] = export(checkpoint, splits, settings.export, seed)
    if settings.cascade.enabled:
        candidates["cascade"] = build_cascade(candidates["linear"], candidates["transformer"], splits, settings.cascade)
    # A tie goes to the first: the cascade costs less than the transformer, the linear model least.
    cheapest_first = [candidates[name] for name in ("linear", "cascade", "transformer") if name in candidates]
    challenger, servable = choose(cheapest_first)

    measured = {
        name: evaluate.with_options(substitutions={"candidate": name})(
            candidate, splits, name, settings.evaluation, settings.behaviour, seed, id=f"evaluate_{name}"
        )
        for name, candidate in candidates.items()
    }
    evaluations, behaviours = (list(outputs) for outputs in zip(*measured.values(), strict=True))
    champion_scores = {}
    if champion is not None and champion_stored:
        evaluation, checks = evaluate.with_options(substitutions={"candidate": "champion"})(
            linked_artifact(settings.model, champion, "servable"),
            splits,
            "champion",
            settings.evaluation,
            settings.behaviour,
            seed,
            id="evaluate_champion",
        )
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
    promote(decision, servable, splits, evaluations, behaviours, settings.model, values, **learnt)
