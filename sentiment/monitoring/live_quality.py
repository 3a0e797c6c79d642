"""Live quality: how often the answers are right, from the labels that come back, or from the scores where few do."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from sentiment.checks import Check
from sentiment.evaluation.bootstrap import Interval, percentile_interval, resample_counts
from sentiment.evaluation.calibration import confidence_bins

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from sentiment.evaluation.bootstrap import Floats
    from sentiment.monitoring.reference import Reference
    from sentiment.monitoring.settings import FeedbackSettings
    from sentiment.monitoring.window import Window

    Mask = NDArray[np.bool_]

_BIAS = "users choose what they report: weighted to all scores, otherwise unweighted"
_EDGES = (0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95, 0.98)
_MOST_RESAMPLED = 2000  # labels in a bootstrap


def quality_checks(
    window: Window,
    labelled: pd.DataFrame,
    reference: Reference,
    settings: FeedbackSettings,
    *,
    min_predictions: int,
    resamples: int,
    seed: int,
) -> Iterator[Check]:
    """Accuracy and calibration from the labels that came back; with too few, accuracy estimated from the scores.

    Args:
        window: The window.
        labelled: The rows of ``window.labelled`` that are believed.
        reference: Of the same model version.
        settings: How many labels are enough, and the margins.
        min_predictions: With fewer answers nothing is estimated from their scores, or weighted to them.
        resamples: Of every bootstrap.
        seed: Of the resamples.

    Yields:
        Checks named ``accuracy`` and ``calibration``; with too few labels ``accuracy``, which reports that, and
        ``estimated_accuracy``.
    """
    if len(labelled) < settings.min_labels:
        yield Check(
            name="accuracy",
            severity="warning",
            passed=True,
            observed=f"not enough labels: {len(labelled):,} of {settings.min_labels:,}",
            limit=f"at most {settings.accuracy_margin:g} below the held-out {reference.accuracy:.3f}",
            count=len(labelled),
        )
        if len(window.sample) >= min_predictions:
            yield estimated_accuracy(window, reference, settings, resamples=resamples, seed=seed)
        return
    answered = window.sample["score"].to_numpy()
    spread = answered if len(answered) >= min_predictions else reference.scores
    yield live_accuracy(spread, labelled, reference, settings)
    yield live_calibration(labelled, reference, settings, resamples=resamples, seed=seed)


def live_accuracy(spread: Floats, labelled: pd.DataFrame, reference: Reference, settings: FeedbackSettings) -> Check:
    """Whether live accuracy is below the held-out one by more than a margin, and surely below it.

    Labelled answers are weighted so that their scores are spread as ``spread``: those of the window, or of the held-out
    reviews where the window has few (post-stratification). The interval is Wilson's (1927,
    doi:10.1080/01621459.1927.10502953) for as many rows as the weighted ones are worth (Kish 1965); that of the
    difference is Newcombe's (1998, doi:10.1002/(sici)1097-0258(19980430)17:8<873).
    """
    correct = labelled["correct"].to_numpy(dtype=bool)
    weights = stratum_weights(spread, labelled["score"].to_numpy(), settings.strata)
    live = wilson(float((weights * correct).sum() / weights.sum()), effective_size(weights), settings.confidence)
    held = wilson(reference.accuracy, len(reference.predictions), settings.confidence)
    lower = live.value - held.value
    surely_lower = lower + float(np.hypot(live.high - live.value, held.value - held.low)) < 0
    return Check(
        name="accuracy",
        passed=not (surely_lower and lower < -settings.accuracy_margin),
        observed=f"{live} from {len(labelled):,} labels",
        limit=f"not surely more than {settings.accuracy_margin:g} below the held-out {held.value:.3f}; {_BIAS}",
        score=live.value,
        count=len(labelled),
        examples=_confident_errors(labelled),
    )


def live_calibration(
    labelled: pd.DataFrame, reference: Reference, settings: FeedbackSettings, *, resamples: int, seed: int
) -> Check:
    """Checks whether scores equal the share of right answers.

    A calibration error grows with fewer and less confident rows, so the limit is the error of as many held-out rows by
    chance (Broecker and Smith 2007, doi:10.1175/WAF993.1, draw such consistency bars), and a margin. These rows are
    drawn with the scores' distribution of the labels: a model whose less confident answers are known to be a little
    off has not changed because users label just these.
    """
    rows = labelled.iloc[:_MOST_RESAMPLED]
    score, correct = rows["score"].to_numpy(), rows["correct"].to_numpy(dtype=bool)
    gaps = _gap_features(score, correct, settings.ece_bins)
    value = float(np.abs(gaps.sum(axis=0)).sum() / len(rows))
    drawn = np.concatenate(
        [np.abs(counts @ gaps).sum(axis=1) / len(rows) for counts in resample_counts(len(rows), resamples, seed)]
    )
    interval = percentile_interval(value, np.maximum(drawn - (drawn.mean() - value), 0), settings.confidence)
    held_score = reference.scores
    held = _gap_features(held_score, reference.correct, settings.ece_bins)
    rng = np.random.default_rng(seed)
    weights = stratum_weights(score, held_score, settings.strata)
    drawn_rows = rng.choice(len(held), (resamples, len(rows)), p=weights / weights.sum())
    chance = [np.abs(held[chosen].sum(axis=0)).sum() / len(rows) for chosen in drawn_rows]
    limit = float(np.quantile(chance, settings.confidence)) + settings.ece_margin
    return Check(
        name="calibration",
        passed=value <= limit,
        observed=f"calibration error {interval} from {len(rows):,} labels",
        limit=f"at most {limit:.3f}: the error of as many, equally confident held-out answers by chance, and "
        f"{settings.ece_margin:g}",
        score=value,
        count=len(rows),
    )


def estimated_accuracy(
    window: Window, reference: Reference, settings: FeedbackSettings, *, resamples: int, seed: int
) -> Check:
    """Accuracy where there are no labels: how much less sure the model is than on held-out reviews.

    Held-out accuracy less the difference of mean scores (Guillory et al. 2021, "Predicting with Confidence on Unseen
    Distributions", arXiv 2107.03315). A model that is surely wrong is not seen: an estimate, no evidence.
    """
    score = window.sample["score"].to_numpy()
    held = reference.scores
    value = float(np.clip(reference.accuracy + score.mean() - held.mean(), 0, 1))
    drawn = _means(score, resamples, seed) + _means(reference.correct - held, resamples, seed + 1)
    interval = percentile_interval(value, np.clip(drawn, 0, 1), settings.confidence)
    return Check(
        name="estimated_accuracy",
        severity="warning",
        passed=interval.high >= reference.accuracy - settings.accuracy_margin,
        observed=f"{interval}, estimated from the scores of {len(score):,} answers without labels",
        limit=f"at most {settings.accuracy_margin:g} below the held-out {reference.accuracy:.3f}; an estimate only",
        score=value,
        count=len(score),
    )


def stratum_weights(wanted: Floats, given: Floats, strata: int) -> Floats:
    """Weights of predictions that spread their scores as others are (post-stratification), shape (n,), with mean 1.

    The method: Little 1993, "Post-Stratification: A Modeler's Perspective" (doi:10.1080/01621459.1993.10476368). Most
    scores are high, and users label low ones: fixed edges divide these finely. Quantiles divide scores that lie close
    together; they are of the distinct scores, as those of all are one value where most are equal.

    Args:
        wanted: Scores that are spread as it should be, shape (m,), m > 0.
        given: Scores of the predictions that get weights, shape (n,).
        strata: Quantiles at which strata end, besides ``_EDGES``; strata without given scores join the next.
    """
    edges = np.union1d(_EDGES, np.quantile(np.unique(wanted), np.linspace(0, 1, strata + 1)[1:-1]))
    of_wanted, of_given = np.searchsorted(edges, wanted), np.searchsorted(edges, given)
    shares = np.bincount(of_wanted, minlength=len(edges) + 1) / len(wanted)
    counts = np.bincount(of_given, minlength=len(edges) + 1)
    filled = np.flatnonzero(counts)
    nearest = filled[np.abs(np.arange(len(counts))[:, None] - filled).argmin(axis=1)]
    joined = np.bincount(nearest, weights=shares, minlength=len(counts))
    return np.asarray(joined[of_given] / counts[of_given] * len(given))


def effective_size(weights: Floats) -> float:
    """Returns the effective sample size of weighted rows (Kish 1965, "Survey Sampling")."""
    return float(weights.sum() ** 2 / np.square(weights).sum())


def wilson(share: float, rows: float, confidence: float) -> Interval:
    """Wilson's score interval of a share."""
    from scipy.stats import norm

    z = float(norm.isf((1 - confidence) / 2))
    middle = (share + z**2 / (2 * rows)) / (1 + z**2 / rows)
    spread = z / (1 + z**2 / rows) * np.sqrt(share * (1 - share) / rows + z**2 / (4 * rows**2))
    return Interval(value=share, low=max(float(middle - spread), 0.0), high=min(float(middle + spread), 1.0))


def _gap_features(score: Floats, correct: Mask, bins: int) -> Floats:
    """Confidence less correctness of each answer in the column of its bin, shape (n, bins)."""
    return np.asarray(np.eye(bins)[confidence_bins(score, bins)] * (score - correct)[:, None])


def _means(values: Floats, resamples: int, seed: int) -> Floats:
    """Means of resamples, shape (resamples,)."""
    return np.concatenate([counts @ values for counts in resample_counts(len(values), resamples, seed)]) / len(values)


def _confident_errors(labelled: pd.DataFrame) -> tuple[str, ...]:
    wrong = labelled[~labelled["correct"]].nlargest(5, "score")
    return tuple(
        f"{row.id}: {row.label} with score {row.score:.2f}, labelled {row.feedback} ({row.words} words)"
        for row in wrong.itertuples()
    )
