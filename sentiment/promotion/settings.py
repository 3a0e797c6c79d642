"""The settings of promotion: ``configs/promotion.yaml``."""

from __future__ import annotations

from pydantic import Field

from sentiment.settings import Settings


class Floors(Settings):
    """Limits that hold in any case."""

    accuracy: float = Field(0.85, ge=0, le=1, description="least accuracy on the whole test split")
    source_accuracy: float = Field(0.75, ge=0, le=1, description="least accuracy on every source in the test split")
    sources: dict[str, float] = Field(
        default_factory=lambda: {"imdb": 0.88, "rotten_tomatoes": 0.78, "feedback": 0.5},
        description="least accuracy on sources by name, instead of source_accuracy; a source that is absent is skipped",
    )
    macro_f1: float = Field(
        0.6,
        ge=0,
        le=1,
        description="least macro-F1 where one label is rare: always answering the other one has less than 0.5",
    )
    rare_recall: float = Field(
        0.25, ge=0, le=1, description="least share of the rare label's reviews that are found, where one label is rare"
    )
    max_ece: float = Field(0.05, ge=0, le=1, description="largest expected calibration error")
    max_p95_latency_ms: float = Field(150, gt=0, description="slowest 95th percentile of single-text calls")
    max_size_mb: float = Field(200, gt=0, description="largest servable directory, MB")


class Baseline(Settings):
    """The baseline that every promoted model must beat: simple, fast, and strong on long reviews.

    Where one label is rare, it is beaten in macro-F1: always answering the other label has a high accuracy.
    """

    candidate: str = Field("linear", description="the candidate that is the baseline")
    required: bool = Field(True, description="block where the baseline was not evaluated (switched off)")


class Margins(Settings):
    """How much worse than the champion a challenger may be: non-inferior everywhere that matters."""

    accuracy: float = Field(
        0.01,
        ge=0,
        le=1,
        description="overall: the interval's lower end may not lie below minus this; macro-F1 where one label is rare",
    )
    slice_accuracy: float = Field(
        0.015, ge=0, le=1, description="likewise of a slice: no significant loss larger than this"
    )
    behaviour: float = Field(0.15, ge=0, le=1, description="largest rise of any capability's failure rate")
    behaviour_mean: float = Field(0.02, ge=0, le=1, description="largest rise of the mean of their failure rates")
    ece: float = Field(0.01, ge=0, le=1, description="largest rise of the calibration error")
    latency_ratio: float = Field(1.5, ge=1, description="slowest p95 latency, as a multiple of the champion's")
    fast_enough_ms: float = Field(30, ge=0, description="a p95 latency up to this is never a loss")


class Gains(Settings):
    """The gains over the champion; one is enough.

    A significant gain in accuracy or macro-F1 always counts; where one label is rare, in macro-F1 only.
    """

    behaviour: float = Field(0.15, gt=0, le=1, description="fall of one capability's failure rate")
    latency_ratio: float = Field(0.7, gt=0, lt=1, description="p95 latency as a share of the champion's, p50 no worse")
    latency_ms: float = Field(2.0, ge=0, description="and at least this many milliseconds less, otherwise it is noise")
    feedback_reviews: int = Field(
        20,
        ge=10,
        description="a significant gain in accuracy on this many held-out reviews labelled by users counts, too",
    )


class PromotionSettings(Settings):
    """The rules of promotion."""

    automatic: bool = Field(
        True, description="promote a version that keeps every rule; false: it waits for an approval, run.py promote"
    )
    floors: Floors = Floors()
    baseline: Baseline = Baseline()
    margins: Margins = Margins()
    gains: Gains = Gains()
    min_slice_count: int = Field(50, ge=1, description="slices of fewer rows are shown, not judged")
    resamples: int = Field(2000, ge=100, le=100_000, description="resamples of the paired bootstrap")
    confidence: float = Field(0.95, gt=0.5, lt=1, description="of the intervals of differences, two-sided")
