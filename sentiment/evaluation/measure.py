"""Evaluation: one candidate measured on labelled reviews, with everything needed to compare and to show it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd  # at run time: pydantic and ZenML read this annotation
from pydantic import BaseModel, ConfigDict, Field, model_validator

from sentiment.errors import UserError
from sentiment.evaluation.bootstrap import Interval, confusion_features
from sentiment.evaluation.calibration import is_unbalanced
from sentiment.evaluation.metrics import Metrics, measure
from sentiment.evaluation.operating_points import OperatingPoint
from sentiment.evaluation.slices import prediction_table, slice_masks
from sentiment.progress import report
from sentiment.settings import Settings

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sentiment.evaluation.bootstrap import Floats, Labels
    from sentiment.reviews.table import Reviews

    Predict = Callable[[Sequence[str]], NDArray[np.floating]]

__all__ = ["Evaluation", "EvaluationSettings", "Excerpt", "Interval", "Latency", "Metrics", "evaluate"]

_CHUNK = 512  # texts between two reports of progress
_EXCERPT = 300  # characters


class EvaluationSettings(Settings):
    """How candidates are measured."""

    resamples: int = Field(1000, ge=100, le=100_000, description="bootstrap resamples behind every interval")
    ece_bins: int = Field(15, ge=2, le=100, description="equal-width bins of the calibration error")
    short_words: int = Field(40, ge=1, description="a review of at most this many words is in the slice length=short")
    long_words: int = Field(200, ge=1, description="a review of more words than this is in the slice length=long")
    latency_sample: int = Field(200, ge=1, description="single-text calls that are timed")
    shown_errors: int = Field(20, ge=0, le=200, description="worst errors kept for the page")
    shown_suspects: int = Field(20, ge=0, le=200, description="possible label errors kept for the review queue")

    @model_validator(mode="after")
    def _bands_in_order(self) -> EvaluationSettings:
        if self.short_words >= self.long_words:
            raise ValueError("short_words must be below long_words")
        return self


class Latency(BaseModel):
    """Milliseconds that a call with a single text takes: the median and the 95th percentile."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    p50: float
    p95: float


class Excerpt(BaseModel):
    """A shortened review with its label and P(positive), for readers."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    text: str
    label: int
    p_positive: float
    source: str


@dataclass(frozen=True)
class Evaluation:
    """One candidate's servable, measured on one set of reviews.

    Attributes:
        candidate: ``linear``, ``transformer`` or ``cascade``.
        servable_fingerprint: Of the directory that was evaluated, which is the one that is served.
        engine: The library that computed it: ``Classifier.engine``.
        data_fingerprint: Of the reviews it was evaluated on.
        overall: Metrics over all rows.
        slices: Metrics of each slice, such as ``source=imdb``, ``length=short``, ``negation=present``.
        predictions: One row a review in the order of the reviews: ``text_key`` (SHA-1 of the text), ``label``,
            ``p_positive``, and the slice columns ``source``, ``length``, ``negation``. Holds no text.
        latency_ms: Of calls with a single text.
        reviews_per_second: When all reviews are given at once.
        size_mb: Size of the servable directory in MB (10^6 bytes).
        errors: The surest wrong predictions, worst first.
        label_suspects: Reviews whose label may be wrong (cleanlab): a review queue; none is dropped.
        ece_bins: Bins of the calibration error and the reliability curve.
        operating_points: Of a cascade: accuracy against speed on the validation split, for every share.
        threshold: P(positive) above which the servable says positive.
    """

    candidate: str
    servable_fingerprint: str
    engine: str
    data_fingerprint: str
    overall: Metrics
    slices: dict[str, Metrics]
    predictions: pd.DataFrame
    latency_ms: Latency
    reviews_per_second: float
    size_mb: float
    errors: tuple[Excerpt, ...]
    label_suspects: tuple[Excerpt, ...]
    ece_bins: int
    operating_points: tuple[OperatingPoint, ...] = ()
    threshold: float = 0.5

    @property
    def rare_label(self) -> Literal["negative", "positive"] | None:
        """The label that is rare in these reviews; None where neither is: see :func:`is_unbalanced`."""
        labels = self.predictions["label"].to_numpy()
        if not is_unbalanced(labels):
            return None
        return "positive" if labels.mean() < 0.5 else "negative"

    @property
    def rare_recall(self) -> Interval | None:
        """The recall of the rare label; None where neither is rare."""
        rare = self.rare_label
        return getattr(self.overall, f"recall_{rare}") if rare else None

    @property
    def confusion(self) -> tuple[tuple[int, int], tuple[int, int]]:
        """Rows are true labels, columns predicted ones: ((TN, FP), (FN, TP))."""
        labels, p = self.predictions["label"].to_numpy(), self.predictions["p_positive"].to_numpy()
        tp, fp, fn, tn = map(int, confusion_features(labels, (p > self.threshold).astype(np.int64)).sum(axis=0))
        return (tn, fp), (fn, tp)

    def save(self, path: Path) -> None:
        """Writes ``evaluation.json`` and ``predictions.parquet`` into the directory ``path``."""
        from pydantic_core import to_json

        path.mkdir(parents=True, exist_ok=True)
        summary = {f.name: getattr(self, f.name) for f in fields(self) if f.name != "predictions"}
        (path / "evaluation.json").write_bytes(to_json(summary, indent=2))
        self.predictions.to_parquet(path / "predictions.parquet", index=False)

    @classmethod
    def load(cls, path: Path) -> Evaluation:
        """Reads the files of :meth:`save`.

        Raises:
            FileNotFoundError: If one of the two files is missing.
        """
        summary = {"engine": ""} | json.loads((path / "evaluation.json").read_text(encoding="utf-8"))  # older: unknown
        return cls(
            **summary
            | {
                "overall": Metrics.model_validate(summary["overall"]),
                "slices": {name: Metrics.model_validate(m) for name, m in summary["slices"].items()},
                "latency_ms": Latency.model_validate(summary["latency_ms"]),
                "errors": tuple(map(Excerpt.model_validate, summary["errors"])),
                "label_suspects": tuple(map(Excerpt.model_validate, summary["label_suspects"])),
                "operating_points": tuple(map(OperatingPoint.model_validate, summary.get("operating_points", ()))),
            },
            predictions=pd.read_parquet(path / "predictions.parquet"),
        )


def evaluate(
    predict: Predict,
    reviews: Reviews,
    *,
    candidate: str,
    engine: str,
    servable_fingerprint: str,
    size_mb: float,
    settings: EvaluationSettings,
    seed: int,
    operating_points: tuple[OperatingPoint, ...] = (),
    threshold: float = 0.5,
) -> Evaluation:
    """Measures a classifier on labelled reviews it has not seen.

    Args:
        predict: Takes n texts, returns P(positive), shape (n,), each in [0, 1].
        reviews: Labelled reviews; their order is the order of ``Evaluation.predictions``.
        candidate: Name of the candidate, as shown.
        engine: The library behind ``predict``.
        servable_fingerprint: Of the servable behind ``predict``.
        size_mb: Size of that servable in MB.
        settings: How to measure.
        seed: Of the bootstrap and of the latency sample.
        operating_points: Of a cascade, as measured when it was fitted.
        threshold: P(positive) above which the servable says positive.

    Raises:
        UserError: If there is no review.
        ValueError: If ``predict`` does not return one probability for each text.
    """
    if len(reviews) == 0:
        raise UserError("there is no review to evaluate on", remedy="Choose a source that has test reviews.")
    texts = [str(text) for text in reviews.frame["text"]]
    started = time.perf_counter()
    p_positive = _predict_all(predict, texts, f"evaluate {candidate}")
    seconds = time.perf_counter() - started
    predictions = prediction_table(
        reviews, p_positive, short_words=settings.short_words, long_words=settings.long_words
    )
    labels = predictions["label"].to_numpy()

    def measured(rows: NDArray[np.bool_]) -> Metrics:
        resamples, bins = settings.resamples, settings.ece_bins
        return measure(
            labels[rows], p_positive[rows], resamples=resamples, ece_bins=bins, seed=seed, threshold=threshold
        )

    return Evaluation(
        candidate=candidate,
        engine=engine,
        servable_fingerprint=servable_fingerprint,
        data_fingerprint=reviews.fingerprint,
        overall=measured(np.ones(len(labels), dtype=bool)),
        slices={name: measured(rows) for name, rows in slice_masks(predictions)},
        predictions=predictions,
        latency_ms=_latency(predict, texts, settings.latency_sample, seed),
        reviews_per_second=len(texts) / max(seconds, 1e-9),
        size_mb=size_mb,
        errors=_excerpts(texts, predictions, _worst_errors(labels, p_positive, threshold)[: settings.shown_errors]),
        label_suspects=_excerpts(texts, predictions, _label_suspects(labels, p_positive)[: settings.shown_suspects]),
        ece_bins=settings.ece_bins,
        operating_points=operating_points,
        threshold=threshold,
    )


def _predict_all(predict: Predict, texts: Sequence[str], task: str) -> Floats:
    parts = []
    for start in range(0, len(texts), _CHUNK):
        chunk = texts[start : start + _CHUNK]
        part = np.asarray(predict(chunk), dtype=np.float64)
        if part.shape != (len(chunk),) or not ((part >= 0) & (part <= 1)).all():
            raise ValueError(f"one P(positive) in [0, 1] for each of {len(chunk)} texts is needed, got {part!r:.200}")
        parts.append(part)
        report(task, start + len(chunk), len(texts))
    return np.concatenate(parts)


def _latency(predict: Predict, texts: Sequence[str], sample: int, seed: int) -> Latency:
    """Times calls with a single text, drawn from the reviews as they are: long and short ones."""
    rng = np.random.default_rng(seed)
    chosen = rng.choice(len(texts), size=min(sample, len(texts)), replace=False)
    for i in chosen[:5]:
        predict([texts[i]])  # warm up: the first calls pay for buffers that later ones reuse
    milliseconds = []
    for i in chosen:
        started = time.perf_counter()
        predict([texts[i]])
        milliseconds.append((time.perf_counter() - started) * 1000)
    p50, p95 = np.quantile(milliseconds, [0.5, 0.95])
    return Latency(p50=float(p50), p95=float(p95))


def _worst_errors(labels: Labels, p_positive: Floats, threshold: float) -> NDArray[np.intp]:
    """Rows of wrong predictions, the surest first."""
    distance = np.abs(p_positive - labels)
    wrong = np.flatnonzero((p_positive > threshold) != (labels == 1))
    return np.asarray(wrong[np.argsort(-distance[wrong], kind="stable")])


def _label_suspects(labels: Labels, p_positive: Floats) -> NDArray[np.intp]:
    """Rows whose label may be wrong, most suspect first (Northcutt et al. 2021, doi 10.1613/jair.1.12125)."""
    if len(np.unique(labels)) < 2:
        return np.array([], dtype=np.intp)  # confident learning needs both classes
    from cleanlab.filter import find_label_issues

    both = np.stack([1 - p_positive, p_positive], axis=1)
    return np.asarray(find_label_issues(labels, both, return_indices_ranked_by="self_confidence", n_jobs=1), np.intp)


def _excerpts(texts: Sequence[str], predictions: pd.DataFrame, rows: Iterable[int]) -> tuple[Excerpt, ...]:
    label, p, source = (predictions[c].to_numpy() for c in ("label", "p_positive", "source"))
    return tuple(
        Excerpt(text=_shorten(texts[i]), label=int(label[i]), p_positive=float(p[i]), source=str(source[i]))
        for i in rows
    )


def _shorten(text: str) -> str:
    """The first third and the last two thirds of a long text: reviews give their verdict at the end."""
    if len(text) <= _EXCERPT:
        return text
    head = _EXCERPT // 3
    return f"{text[:head]} … {text[len(text) - (_EXCERPT - head - 3) :]}"
