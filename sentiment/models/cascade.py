"""The cascade: stages from cheap to costly, each of which passes on the texts that it is unsure of.

Which ones is chosen on the validation split. Viola and Jones 2001 (doi:10.1109/CVPR.2001.990517) on cascades of
classifiers.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import Field, field_validator, model_validator

from sentiment.errors import UserError
from sentiment.evaluation.calibration import accuracy_of_logits, calibrate
from sentiment.evaluation.operating_points import Length, OperatingPoint, write_points
from sentiment.models.classifier import KINDS, LENGTHS, Classifier, combine, join_engines, measure_lengths
from sentiment.models.engines.processor import instructions
from sentiment.models.plain_text import to_plain_text
from sentiment.models.servable import OPERATING_POINTS, Manifest, Servable
from sentiment.progress import report
from sentiment.settings import Settings

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from sentiment.reviews.table import Reviews

    Floats = NDArray[np.float64]
    Labels = NDArray[np.int64]
    Mask = NDArray[np.bool_]

MAX_BAND = 1e9  # every text goes on; JSON knows no infinity


class CascadeSettings(Settings):
    """The cascade of other candidates."""

    enabled: bool = Field(True, description="build this candidate (needs its stages)")
    stages: tuple[str, ...] = Field(
        ("linear", "transformer"),
        min_length=1,
        description="candidates from cheap to costly: each passes the texts that it is unsure of to the next one",
    )
    brief_words: int = Field(15, ge=0, description="a text of at most this many words is brief: see most_linear")
    short_words: int = Field(40, ge=0, description="texts up to this many words always pass the linear model")
    shares: tuple[float, ...] = Field(
        (0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.7, 1.0),
        min_length=1,
        description="shares of the texts of one stage that may go to the next one; the cheapest sufficient ones are "
        "chosen",
    )
    accuracy_tolerance: float = Field(
        0.0, ge=0, le=1, description="accuracy of the best single stage that may be given up for speed"
    )
    tolerance: float = Field(0.03, ge=0, le=1, description="share of the best log loss that may be given up for speed")
    most_linear: float = Field(
        0.1,
        ge=0,
        description="on brief texts, the linear model's weight as a multiple of the next stage's, at most: words "
        "alone mislead where negations and contrasts decide; longer texts have more of them",
    )

    @model_validator(mode="after")
    def _bounds_in_order(self) -> CascadeSettings:
        if self.brief_words > self.short_words:
            raise ValueError("brief_words must not be above short_words")
        return self

    @field_validator("shares")
    @classmethod
    def _are_shares(cls, shares: tuple[float, ...]) -> tuple[float, ...]:
        if not all(0 < share <= 1 for share in shares):
            raise ValueError("a share is above 0 and at most 1")
        return shares

    @field_validator("stages")
    @classmethod
    def _each_once(cls, stages: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(stages)) < len(stages):
            raise ValueError("a stage is named twice")
        if "cascade" in stages:
            raise ValueError("a cascade cannot be a stage of itself")
        return stages


@dataclass(frozen=True)
class Join:
    """How a stage joins in: on texts whose log-odds so far lie within ``band`` of 0, with these weights.

    Attributes:
        band: Absolute log-odds below which the stages before are unsure, at least 0.
        weights: Of the log-odds so far, and of this stage's.
    """

    band: float
    weights: tuple[float, float]


@dataclass(frozen=True)
class Answers:
    """Every stage's answers to the validation reviews of one length, each stage asked about all of them.

    Attributes:
        logits: Calibrated log-odds, one array of shape (n,) for each stage.
        milliseconds: Measured mean time of a text in each stage, on all cores.
        labels: 0 or 1, shape (n,).
    """

    logits: tuple[Floats, ...]
    milliseconds: tuple[float, ...]
    labels: Labels


@dataclass(frozen=True)
class Plan:
    """One way to run the first stages on the texts of one length.

    Attributes:
        logits: Log-odds on the validation reviews, shape (n,).
        seen: The texts that the last stage saw, shape (n,): only these can go on.
        milliseconds: Mean time of a text.
        shares: Share of the texts that each stage sees.
        joins: How each stage after the first joins in.
        accuracy: Share of right labels; 1 if there is no text.
        log_loss: Mean, in nats; 0 if there is no text.
    """

    logits: Floats
    seen: Mask
    milliseconds: float
    shares: tuple[float, ...]
    joins: tuple[Join, ...]
    accuracy: float
    log_loss: float


def fit_cascade(
    stages: Mapping[str, Servable], validation: Reviews, settings: CascadeSettings, out: Path, *, git_commit: str
) -> tuple[OperatingPoint, ...]:
    """Chooses bands and weights on validation reviews and writes the cascade as a servable into ``out``.

    The rule: at least the best stage's accuracy, at the least cost; see :func:`choose`. A stage's cost is its time on
    these reviews, measured here. Brief, short and long texts have bands and weights of their own.

    Args:
        stages: Calibrated servables by name, from cheap to costly; one or more.
        validation: Cleaned reviews that no stage was trained on.
        settings: Shares to choose from.
        out: The new servable's directory.
        git_commit: For the manifest.

    Returns:
        The operating points that were tried; they lie beside the manifest, too.

    Raises:
        UserError: If the stages were trained on different data.
    """
    import numpy as np

    started = time.monotonic()
    fingerprints = {name: stage.manifest.data_fingerprint for name, stage in stages.items()}
    if len(set(fingerprints.values())) > 1:
        raise UserError(
            "the stages were trained on different data",
            where=", ".join(fingerprints),
            remedy="Train them on the same splits: one stage's training reviews may be another's validation reviews.",
        )
    texts = [to_plain_text(text) for text in validation.frame["text"]]  # words are counted as the service counts them
    labels = validation.frame["label"].to_numpy()
    bounds = settings.brief_words, settings.short_words
    lengths = measure_lengths(texts, bounds)
    masks: dict[Length, Mask] = {length: lengths == place for place, length in enumerate(LENGTHS)}
    answers, engine = _ask(stages, texts, labels, masks)
    words_first = KINDS[next(iter(stages.values())).manifest.kind].words_only
    logits, points = np.zeros(len(texts)), []
    chosen: dict[Length, Plan] = {}
    for length, mask in masks.items():
        plans = fit_plans(answers[length], settings, length, words_first=words_first)
        best = max(accuracy_of_logits(each, labels[mask]) if mask.any() else 0.0 for each in answers[length].logits)
        chosen[length] = choose(plans, floor=best - settings.accuracy_tolerance, tolerance=settings.tolerance)
        logits[mask] = chosen[length].logits
        if mask.any():
            points += [_point(length, plan, chosen=plan is chosen[length]) for plan in plans]
    out.mkdir(parents=True, exist_ok=True)
    for name, stage in stages.items():
        shutil.copytree(stage.path, out / name, dirs_exist_ok=True)
    spent = [stage.manifest.training_seconds for stage in stages.values()]
    known = [seconds for seconds in spent if seconds is not None]
    joins = [{length: asdict(plan.joins[place]) for length, plan in chosen.items()} for place in range(len(stages) - 1)]
    Manifest(
        kind="cascade",
        settings={"stages": list(stages), "word_bounds": bounds, "joins": joins},
        **asdict(calibrate(logits, labels)),  # the stages' own biases have undone the weights of their training
        training_seconds=sum(known) + time.monotonic() - started if len(known) == len(spent) else None,
        data_fingerprint=next(iter(fingerprints.values())),
        versions={name: v for stage in stages.values() for name, v in stage.manifest.versions.items()},
        git_commit=git_commit,
        engine=engine,
        instructions=instructions(),
    ).write(out)
    write_points(points, out / OPERATING_POINTS)
    return tuple(points)


def _ask(
    stages: Mapping[str, Servable], texts: Sequence[str], labels: Labels, masks: Mapping[Length, Mask]
) -> tuple[dict[Length, Answers], str]:
    """Asks every stage about every text, and times it; returns the answers by length, and the engine of all stages."""
    from joblib import cpu_count

    asked: dict[Length, list[tuple[Floats, float]]] = {length: [] for length in masks}
    engines = []
    for done, stage in enumerate(stages.values()):
        report("fit cascade", done, len(stages))
        classifier = Classifier.load(stage.path, threads=cpu_count())
        classifier.warm_up()
        engines.append(classifier.engine)
        for length, mask in masks.items():
            chosen = [text for text, wanted in zip(texts, mask.tolist(), strict=True) if wanted]
            started = time.perf_counter()
            logits = classifier.calibrated_logits(chosen)
            asked[length].append((logits, 1000 * (time.perf_counter() - started) / max(len(chosen), 1)))
    report("fit cascade", len(stages), len(stages))
    answers = {}
    for length, each in asked.items():
        answers[length] = Answers(
            tuple(logits for logits, _ in each), tuple(milliseconds for _, milliseconds in each), labels[masks[length]]
        )
    return answers, join_engines(engines)


def fit_plans(answers: Answers, settings: CascadeSettings, length: Length, *, words_first: bool) -> list[Plan]:
    """Fits every combination of shares.

    Args:
        answers: The stages' answers on the texts of one length.
        settings: The shares.
        length: The length.
        words_first: Whether the first stage sees words only, as the linear model does: then all brief and short texts
            go to the second stage, and its weight on brief ones is capped.
    """
    import numpy as np

    labels = answers.labels
    first = answers.logits[0]
    plans = [_plan(first, np.ones(len(first), dtype=bool), labels, answers.milliseconds[0], (1.0,), ())]
    for place in range(1, len(answers.logits)):
        after_words = words_first and place == 1
        shares = (1.0,) if after_words and length != "long" else settings.shares
        most_first = settings.most_linear if after_words and length == "brief" else float("inf")
        plans = [_add_stage(plan, answers, place, share, most_first) for plan in plans for share in shares]
    return plans


def _add_stage(plan: Plan, answers: Answers, place: int, share: float, most_first: float) -> Plan:
    """Adds a stage for the least sure texts: this share of those that the stage before saw."""
    import numpy as np

    logits, labels, stage = plan.logits, answers.labels, answers.logits[place]
    unsure = np.abs(logits[plan.seen])
    band = MAX_BAND if share >= 1 or not len(unsure) else float(np.quantile(unsure, share))
    seen = plan.seen & (np.abs(logits) < band)
    weights = _weights(logits[seen], stage[seen], labels[seen], most_first)
    together = np.where(seen, combine(logits, stage, weights), logits)
    reached = float(seen.mean()) if len(seen) else 1.0
    milliseconds = plan.milliseconds + reached * answers.milliseconds[place]
    return _plan(together, seen, labels, milliseconds, (*plan.shares, reached), (*plan.joins, Join(band, weights)))


def _plan(
    logits: Floats,
    seen: Mask,
    labels: Labels,
    milliseconds: float,
    shares: tuple[float, ...],
    joins: tuple[Join, ...],
) -> Plan:
    import numpy as np

    if not len(labels):
        return Plan(logits, seen, milliseconds, shares, joins, accuracy=1.0, log_loss=0.0)
    log_loss = float(np.logaddexp(0, np.where(labels == 1, -logits, logits)).mean())
    return Plan(logits, seen, milliseconds, shares, joins, accuracy_of_logits(logits, labels), log_loss)


def choose(plans: Sequence[Plan], *, floor: float, tolerance: float) -> Plan:
    """Chooses the fastest plan that is at least as accurate as ``floor`` and whose log loss is nearly the best.

    Log loss distinguishes plans to which a few thousand reviews give the same accuracy. If no plan reaches the floor,
    the most accurate one is chosen.
    """
    able = [plan for plan in plans if plan.accuracy >= floor]
    if not able:
        return max(plans, key=lambda plan: (plan.accuracy, -plan.milliseconds))
    limit = (1 + tolerance) * min(plan.log_loss for plan in able)
    return min((plan for plan in able if plan.log_loss <= limit), key=lambda plan: plan.milliseconds)


def _point(length: Length, plan: Plan, *, chosen: bool) -> OperatingPoint:
    return OperatingPoint(
        length=length,
        shares=plan.shares,
        accuracy=plan.accuracy,
        log_loss=plan.log_loss,
        milliseconds=plan.milliseconds,
        chosen=chosen,
    )


def _weights(first: Floats, second: Floats, labels: Labels, most_first: float = float("inf")) -> tuple[float, float]:
    """Fits the weights of two log-odds by logistic regression without intercept.

    The first weight is at most ``most_first`` times the second. No weight is negative: that would penalise a model for
    being right more often than by chance, which only the noise of small splits does.
    """
    import numpy as np

    if len(set(labels.tolist())) < 2:  # too few texts to fit: equal weights
        return min(0.5, 0.5 * most_first), 0.5
    a, b = np.clip(_regression(np.stack([first, second], axis=1), labels), 0.0, None).tolist()
    if a + b == 0:  # neither model is better than chance
        a, b = 0.5, 0.5
    if a <= most_first * b or most_first == float("inf"):
        return a, b
    scale = max(_regression((most_first * first + second)[:, None], labels)[0], 0.01)
    return scale * most_first, scale


def _regression(features: Floats, labels: Labels) -> Floats:
    from sklearn.linear_model import LogisticRegression

    coefficients: Floats = LogisticRegression(fit_intercept=False, C=1.0).fit(features, labels).coef_[0]
    return coefficients
