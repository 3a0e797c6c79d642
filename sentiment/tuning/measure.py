"""The figures that judge a trial."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from sentiment.models.classifier import Classifier
from sentiment.reviews.table import LABELS

if TYPE_CHECKING:
    from sentiment.models.servable import Servable
    from sentiment.reviews.table import Reviews

MAX_TIMED_REVIEWS = 500


def measure_trial(
    servable: Servable, validation: Reviews, *, seed: int
) -> tuple[dict[str, float], dict[str, list[float]]]:
    """Measures a servable on validation reviews.

    The servable was calibrated on them, which flatters every trial alike.

    Args:
        servable: The servable.
        validation: Reviews that it was not trained on.
        seed: Seed of the reviews that are timed.

    Returns:
        ``log_loss`` in nats, ``accuracy`` in [0, 1], and ``cpu_ms``: processor time of a review in milliseconds, when
        many are given at once and one thread computes. And for each review, in order, its ``log_loss``, and its
        ``accuracy``, 1 or 0: two models are compared review by review.
    """
    import numpy as np
    from joblib import cpu_count

    from sentiment.models.batches import stratified

    labels = validation.frame["label"].to_numpy()
    classifier = Classifier.load(servable.path, threads=cpu_count())
    classifier.warm_up()
    texts = validation.frame["text"].tolist()
    predictions = classifier.predict(texts)
    p = np.clip([prediction.positive for prediction in predictions], 1e-12, 1 - 1e-12)
    losses = -np.log(np.where(labels == 1, p, 1 - p))
    right = np.array([prediction.label == LABELS[label] for prediction, label in zip(predictions, labels, strict=True)])
    timed = stratified(validation, MAX_TIMED_REVIEWS, seed=seed).frame["text"].tolist()
    alone = Classifier.load(servable.path, threads=1)
    alone.warm_up()
    started = time.process_time()
    alone.predict_proba(timed)
    cpu_ms = 1000 * (time.process_time() - started) / len(timed)
    values = {"log_loss": float(losses.mean()), "accuracy": float(right.mean()), "cpu_ms": cpu_ms}
    return values, {"log_loss": losses.tolist(), "accuracy": right.astype(float).tolist()}
