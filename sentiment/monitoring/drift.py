"""Drift: whether the requests of a service still resemble the reviews of its model's reference.

No single test sees everything (Rabanser, Guennemann and Lipton 2019, "Failing Loudly", arXiv 1810.11953): other words
move the sketches, other forms of text the lengths, another mixture of opinions the scores. Each test keeps a level so
low that a report of all of them rarely raises a false alarm.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from sentiment.checks import Check
from sentiment.evaluation.bootstrap import Interval
from sentiment.monitoring.sketch import DIMENSIONS, unsketch
from sentiment.reviews.table import LABELS, POSITIVE

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from sentiment.evaluation.bootstrap import Floats
    from sentiment.monitoring.reference import Reference
    from sentiment.monitoring.settings import DriftSettings
    from sentiment.monitoring.window import Window

    Vectors = NDArray[np.float32]

_MOST_ROWS = 2000  # of a window in the kernel test, whose cost grows with the square
_BANDWIDTH_ROWS = 500
_PERMUTATIONS = 250  # at once
_FOLDS = 5
_DISTINGUISHABLE = 0.05  # if the mean scores of both classes are nearer, they do not determine the mixture


def drift_checks(window: Window, reference: Reference, settings: DriftSettings, *, seed: int) -> Iterator[Check]:
    """Every comparison of a window with its reference that needs no labels.

    Args:
        window: With at least some hundreds of predictions.
        reference: Of the same model version.
        settings: Levels and limits.
        seed: Of permutations, folds and samples.

    Yields:
        Checks named ``input_drift: ...``, ``score_drift``, ``label_shift`` and ``abstention``.
    """
    ours, theirs = vectors(window.sample), vectors(reference.predictions)
    yield words_mmd(ours, theirs, settings, seed=seed)
    yield words_classifier(ours, theirs, settings, seed=seed)
    yield _same_distribution(
        "input_drift: length", "words", window.sample["words"], reference.predictions["words"], settings
    )
    yield _same_distribution(
        "score_drift", "P(positive)", window.sample["positive"], reference.predictions["positive"], settings
    )
    yield label_shift(window, reference, settings)
    yield abstention(window, reference, settings)


def vectors(predictions: pd.DataFrame) -> Vectors:
    """The sketches of n predictions, shape (n, ``DIMENSIONS``), each of length 1 or 0."""
    found = [unsketch(stored) for stored in predictions["sketch"]]
    return np.stack(found) if found else np.zeros((0, DIMENSIONS), np.float32)


def words_mmd(window: Vectors, reference: Vectors, settings: DriftSettings, *, seed: int) -> Check:
    """Two-sample test of the words by maximum mean discrepancy.

    A Gaussian kernel with the median distance as its width (Gretton et al. 2012, "A Kernel Two-Sample Test", JMLR 13);
    the limit is a quantile over random divisions of both samples' rows, exact under "no drift".
    """
    rng = np.random.default_rng(seed)
    window = window[np.sort(rng.permutation(len(window))[:_MOST_ROWS])]
    kernel = _gaussian(np.vstack([window, reference]), rng)
    observed = np.zeros((len(kernel), 1), np.float32)
    observed[: len(window)] = 1
    (discrepancy,) = _discrepancies(kernel, observed)
    divided = []
    for start in range(0, settings.resamples, _PERMUTATIONS):
        size = min(_PERMUTATIONS, settings.resamples - start)
        divided.append(_discrepancies(kernel, rng.permuted(np.repeat(observed, size, axis=1), axis=0)))
    drawn = np.concatenate(divided)
    limit = float(np.quantile(drawn, 1 - settings.significance))
    return Check(
        name="input_drift: words (MMD)",
        passed=bool(discrepancy <= limit),
        observed=f"squared discrepancy {discrepancy:.2e}, {discrepancy / drawn.mean():.2f} times that of chance",
        limit=f"at most {limit:.2e} ({settings.resamples:,} random divisions, level {settings.significance:g})",
        score=float(discrepancy),
        count=len(window),
    )


def words_classifier(window: Vectors, reference: Vectors, settings: DriftSettings, *, seed: int) -> Check:
    """Checks whether a classifier can distinguish the window's words from the reference's.

    A logistic regression, cross-validated (Lopez-Paz and Oquab 2017, "Revisiting Classifier Two-Sample Tests",
    arXiv 1610.06545); the limit is ``max_auc``, or the AUC that chance allows for few rows (Mann and Whitney 1947).
    """
    from scipy.stats import norm
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import roc_auc_score
    from sklearn.model_selection import StratifiedKFold, cross_val_predict

    rows = np.vstack([window, reference])
    origin = np.arange(len(rows)) < len(window)
    folds = StratifiedKFold(_FOLDS, shuffle=True, random_state=seed)
    model = LogisticRegression(class_weight="balanced", solver="newton-cholesky")
    auc = roc_auc_score(origin, cross_val_predict(model, rows, origin, cv=folds, method="decision_function"))
    deviation = np.sqrt((len(rows) + 1) / (12 * len(window) * len(reference)))
    limit = max(settings.max_auc, 0.5 + float(norm.isf(settings.significance) * deviation))
    return Check(
        name="input_drift: words (classifier)",
        passed=bool(auc <= limit),
        observed=f"distinguishes window and reference with AUC {auc:.3f}",
        limit=f"at most {limit:.3f}",
        score=float(auc),
        count=len(window),
    )


def label_shift(window: Window, reference: Reference, settings: DriftSettings) -> Check:
    """Whether the share of positive texts has moved, estimated from the scores.

    Black-box shift estimation with soft predictions (Lipton, Wang and Smola 2018, arXiv 1802.03916): the window's mean
    score is a mixture of the mean scores of both classes, which the reference knows. The interval is by the delta
    method, and counts the chance in both samples.
    """
    from scipy.stats import norm

    share, deviation = positive_share(window.sample["positive"].to_numpy(), reference)
    expected = float(reference.labels.mean())
    limit = f"surely within {settings.max_label_shift:g} of {expected:.3f}, if the texts of each class are as they were"
    if np.isnan(share):
        observed = "cannot be estimated: the model's scores do not separate the classes"
        return Check(name="label_shift", severity="warning", passed=True, observed=observed, limit=limit)
    spread = float(norm.isf(settings.significance / 2)) * deviation
    interval = Interval(value=share, low=max(share - spread, 0.0), high=min(share + spread, 1.0))
    moved = max(interval.low - expected, expected - interval.high)
    return Check(
        name="label_shift",
        passed=bool(moved <= settings.max_label_shift),
        observed=f"share of {LABELS[POSITIVE]} texts {interval}",
        limit=limit,
        score=share,
        count=len(window.sample),
    )


def positive_share(positive: Floats, reference: Reference) -> tuple[float, float]:
    """Estimates the share of positive texts from the scores of a window, with its standard error; NaN if not possible.

    Args:
        positive: P(positive) of the window's predictions, shape (n,).
        reference: Of the same model version.
    """
    groups = [reference.positive[reference.labels == label] for label in (0, 1)]
    low, high = (float(group.mean()) for group in groups)
    if high - low < _DISTINGUISHABLE:
        return float("nan"), float("nan")
    share = float(np.clip((positive.mean() - low) / (high - low), 0, 1))
    of_groups = [float(group.var() / len(group)) for group in groups]
    variance = positive.var() / len(positive) + (1 - share) ** 2 * of_groups[0] + share**2 * of_groups[1]
    return share, float(np.sqrt(variance) / (high - low))


def abstention(window: Window, reference: Reference, settings: DriftSettings) -> Check:
    """Whether the service abstains more often than it would have on the reference.

    It abstains below a score that its settings name; the window itself shows which.
    """
    from scipy.stats import norm

    rows = window.sample
    score = reference.scores
    below = rows.loc[rows["abstained"], "score"].max()  # NaN where it never abstained
    expected = float((score <= below).mean())
    rate = float(rows["abstained"].mean())
    variance = rate * (1 - rate) / len(rows) + expected * (1 - expected) / len(score)
    risen = rate - expected - float(norm.isf(settings.significance)) * np.sqrt(variance)
    return Check(
        name="abstention",
        passed=bool(risen <= settings.max_abstention_rise),
        observed=f"{100 * rate:.1f}% of {len(rows):,} answers abstain",
        limit=f"significantly at most {100 * settings.max_abstention_rise:g} points above {100 * expected:.1f}%",
        score=rate,
        count=len(rows),
    )


def _same_distribution(
    name: str, what: str, window: pd.Series[float], reference: pd.Series[float], settings: DriftSettings
) -> Check:
    """The two-sample test of Kolmogorov and Smirnov."""
    from scipy.stats import ks_2samp

    result = ks_2samp(window.to_numpy(), reference.to_numpy())
    return Check(
        name=name,
        passed=bool(result.pvalue >= settings.significance),
        observed=f"p {result.pvalue:.2g}; median {what} {window.median():.4g}, reference {reference.median():.4g}",
        limit=f"p at least {settings.significance:g} (Kolmogorov-Smirnov)",
        score=float(result.pvalue),
        count=len(window),
    )


def _gaussian(rows: Vectors, rng: np.random.Generator) -> Vectors:
    """Kernel of every pair of n rows, shape (n, n), less its mean: the discrepancy stays, rounding errors shrink."""
    some = rows[rng.permutation(len(rows))[:_BANDWIDTH_ROWS]]
    width = float(np.median(_squared_distances(some, some)[np.triu_indices(len(some), 1)])) or 1.0
    kernel = _squared_distances(rows, rows)
    kernel *= -1 / width
    np.exp(kernel, out=kernel)
    kernel -= kernel.mean(dtype=np.float64)
    return kernel


def _squared_distances(first: Vectors, second: Vectors) -> Vectors:
    distances = first @ (-2 * second.T)
    distances += np.square(first).sum(axis=1)[:, None]
    distances += np.square(second).sum(axis=1)
    return np.asarray(np.maximum(distances, 0, out=distances))


def _discrepancies(kernel: Vectors, chosen: Vectors) -> Floats:
    """Squared maximum mean discrepancies of the chosen rows and the others, for every column of ``chosen`` (n, k)."""
    sizes = chosen.sum(axis=0, dtype=np.float64)
    others = len(kernel) - sizes
    products = kernel @ chosen
    within = np.einsum("ij,ij->j", chosen, products, dtype=np.float64)
    of_chosen = products.sum(axis=0, dtype=np.float64)  # of pairs whose one row is chosen
    total = float(kernel.sum(dtype=np.float64))
    across = of_chosen - within
    return np.asarray(within / sizes**2 + (total - 2 * of_chosen + within) / others**2 - 2 * across / (sizes * others))
