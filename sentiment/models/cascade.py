"""The cascade: the share of texts that the linear model answers alone, chosen on the validation split.

Viola and Jones 2001 (doi:10.1109/CVPR.2001.990517) on cascades of classifiers.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import Field

from sentiment.errors import UserError
from sentiment.evaluation.calibration import accuracy_of_logits, fit_temperature
from sentiment.models.classifier import Classifier, combine, is_short, route
from sentiment.models.engines.processor import instructions
from sentiment.models.plain_text import to_plain_text
from sentiment.models.servable import Manifest, Servable
from sentiment.progress import report
from sentiment.settings import Settings

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from sentiment.reviews.table import Reviews

    Floats = NDArray[np.float64]
    Labels = NDArray[np.int64]
    Mask = NDArray[np.bool_]


class CascadeSettings(Settings):
    """The cascade of the linear model and the transformer."""

    enabled: bool = Field(True, description="build this candidate (needs both others)")
    short_words: int = Field(40, ge=0, description="texts up to this many words always go to the transformer, too")
    shares: tuple[float, ...] = Field(
        (0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.7, 1.0),
        min_length=1,
        description="shares of the longer texts that may go to the transformer; the smallest sufficient one is chosen",
    )
    tolerance: float = Field(
        0.03, ge=0, le=1, description="share of the best log loss that may be given up to send less to the transformer"
    )
    most_linear: float = Field(
        0.1,
        ge=0,
        description="on short texts, the linear model's weight as a multiple of the transformer's, at most: words "
        "alone mislead where negations and contrasts decide",
    )


@dataclass(frozen=True)
class Candidate:
    """One way to run the cascade on longer texts, with its accuracy and log loss (nats) on the validation split."""

    share: float
    band: float
    weights: tuple[float, float]
    accuracy: float
    log_loss: float


def fit_cascade(
    linear: Servable,
    transformer: Servable,
    validation: Reviews,
    settings: CascadeSettings,
    out: Path,
    *,
    git_commit: str,
) -> list[Candidate]:
    """Chooses band and weights on validation reviews and writes the cascade as a servable into ``out``.

    The rule: at least the transformer's accuracy, at the least cost. Among the shares of longer texts whose accuracy
    is at least the transformer's, the smallest whose log loss is within ``tolerance`` of the best share's is taken:
    log loss distinguishes shares to which a few thousand reviews give the same accuracy.

    Args:
        linear: The linear servable, calibrated.
        transformer: The transformer servable, calibrated.
        validation: Cleaned reviews that neither was trained on.
        settings: Shares to choose from.
        out: The new servable's directory.
        git_commit: For the manifest.

    Returns:
        The candidates that were tried.

    Raises:
        UserError: If the two were trained on different data.
    """
    from joblib import cpu_count

    if linear.manifest.data_fingerprint != transformer.manifest.data_fingerprint:
        raise UserError("the linear model and the transformer were trained on different data", remedy="Train again.")
    texts = [to_plain_text(text) for text in validation.frame["text"]]  # words are counted as the service counts them
    labels = validation.frame["label"].to_numpy()
    report("fit cascade", 0, 2)
    first = Classifier.load(linear.path).calibrated_logits(texts)
    encoder = Classifier.load(transformer.path, threads=cpu_count())
    second = encoder.calibrated_logits(texts)
    report("fit cascade", 1, 2)
    short = is_short(texts, settings.short_words)
    candidates = [_candidate(first[~short], second[~short], labels[~short], share) for share in settings.shares]
    floor = 0.0 if short.all() else accuracy_of_logits(second[~short], labels[~short])
    chosen = choose(candidates, floor=floor, tolerance=settings.tolerance)
    weights = {
        "short": _weights(first[short], second[short], labels[short], settings.most_linear),
        "long": chosen.weights,
    }
    logits = first.copy()
    for name, mask in (("short", short), ("long", ~short & route(first, short, chosen.band))):
        logits[mask] = combine(first[mask], second[mask], weights[name])
    out.mkdir(parents=True, exist_ok=True)
    for name, part in (("linear", linear), ("transformer", transformer)):
        shutil.copytree(part.path, out / name, dirs_exist_ok=True)
    Manifest(
        kind="cascade",
        settings={"band": chosen.band, "short_words": settings.short_words, "weights": weights},
        temperature=fit_temperature(logits, labels),
        validation_accuracy=accuracy_of_logits(logits, labels),
        data_fingerprint=linear.manifest.data_fingerprint,
        versions={**linear.manifest.versions, **transformer.manifest.versions},
        git_commit=git_commit,
        engine=encoder.engine,
        instructions=instructions(),
    ).write(out)
    report("fit cascade", 2, 2)
    return candidates


def choose(candidates: list[Candidate], *, floor: float, tolerance: float) -> Candidate:
    """Chooses the cheapest candidate that is at least as accurate as ``floor`` and whose log loss is nearly the best.

    If none reaches the floor, it chooses the most accurate one.
    """
    able = [c for c in candidates if c.accuracy >= floor]
    if not able:
        return max(candidates, key=lambda c: (c.accuracy, -c.share))
    limit = (1 + tolerance) * min(c.log_loss for c in able)
    return min((c for c in able if c.log_loss <= limit), key=lambda c: c.share)


def _candidate(first: Floats, second: Floats, labels: Labels, share: float) -> Candidate:
    import numpy as np

    if not len(labels):  # only short texts: no choice to make
        return Candidate(share, 0.0, (1.0, 1.0), accuracy=1.0, log_loss=0.0)
    band = float("inf") if share >= 1 else float(np.quantile(np.abs(first), share))
    band = min(band, 1e9)  # JSON knows no infinity
    routed = np.abs(first) < band
    weights = _weights(first[routed], second[routed], labels[routed])
    logits = np.where(routed, combine(first, second, weights), first)
    log_loss = float(np.logaddexp(0, np.where(labels == 1, -logits, logits)).mean())
    return Candidate(share, band, weights, accuracy_of_logits(logits, labels), log_loss)


def _weights(first: Floats, second: Floats, labels: Labels, most_linear: float = float("inf")) -> tuple[float, float]:
    """Fits the weights of two log-odds by logistic regression without intercept.

    The first weight is at most ``most_linear`` times the second. No weight is negative: that would penalise a model for
    being right more often than by chance, which only the noise of small splits does.
    """
    import numpy as np

    if len(set(labels.tolist())) < 2:  # too few texts to fit: equal weights
        return min(0.5, 0.5 * most_linear), 0.5
    a, b = np.clip(_regression(np.stack([first, second], axis=1), labels), 0.0, None).tolist()
    if a + b == 0:  # neither model is better than chance
        a, b = 0.5, 0.5
    if a <= most_linear * b or most_linear == float("inf"):
        return a, b
    scale = max(_regression((most_linear * first + second)[:, None], labels)[0], 0.01)
    return scale * most_linear, scale


def _regression(features: Floats, labels: Labels) -> Floats:
    from sklearn.linear_model import LogisticRegression

    coefficients: Floats = LogisticRegression(fit_intercept=False, C=1.0).fit(features, labels).coef_[0]
    return coefficients
