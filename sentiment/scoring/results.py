"""The result of a job: its rows counted by shard and in all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from heapq import nsmallest
from typing import TYPE_CHECKING, NamedTuple

from pydantic import BaseModel, ConfigDict

from sentiment.checks import CheckReport

if TYPE_CHECKING:
    import pandas as pd

BINS = 20  # of P(positive), equally wide
MAX_UNCERTAIN = 10  # examples on the page
MAX_SOURCES = 100  # the largest of a shard; its others are counted together
OTHER_SOURCES = "(other)"


class UncertainExample(BaseModel):
    """A text between both labels.

    Attributes:
        positive: Its calibrated probability of the positive label.
        text: Its beginning.
        file: Its file.
        row: Its number there, from 1.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    positive: float
    text: str
    file: str
    row: int


class SampledRow(NamedTuple):
    """A scored row in the form of the prediction log, for the comparison with the version's reference.

    Attributes:
        positive: Calibrated probability of the positive label.
        words: Words of the text as the model reads it.
        characters: Its characters.
        sketch: See :mod:`sentiment.monitoring.sketch`.
    """

    positive: float
    words: int
    characters: int
    sketch: str


class SourceCount(BaseModel):
    """Scored rows of a source, and how many of them are positive."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    rows: int = 0
    positives: int = 0

    def __add__(self, other: SourceCount) -> SourceCount:
        return SourceCount(rows=self.rows + other.rows, positives=self.positives + other.positives)


class Totals(BaseModel):
    """Counts of rows: of a shard, or of all.

    Attributes:
        scored: Rows that were scored.
        rejected: Rows that were rejected, by reason.
        positives: Rows with the positive label.
        abstained: Rows whose score is too low to act on.
        histogram: Scored rows by P(positive), in ``BINS`` bins.
        sources: Scored rows by source, if a column names it.
        uncertain: The most uncertain texts.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    scored: int
    rejected: dict[str, int]
    positives: int
    abstained: int
    histogram: tuple[int, ...]
    sources: dict[str, SourceCount]
    uncertain: tuple[UncertainExample, ...]

    @property
    def rows(self) -> int:
        """All rows: scored and rejected."""
        return self.scored + self.rejections

    @property
    def rejections(self) -> int:
        """Rows that were rejected."""
        return sum(self.rejected.values())


class ShardResult(Totals):
    """The counts of a shard.

    Attributes:
        index: Number of the shard.
        sample: Some of its rows, evenly spaced.
    """

    index: int
    sample: tuple[SampledRow, ...]


class Tally:
    """Adds up the results of shards as they come, in any order; it does not grow with their number.

    Attributes:
        shards: Numbers of the shards that were added.
    """

    def __init__(self) -> None:
        self.shards = set[int]()
        self._scored = self._positives = self._abstained = 0
        self._rejected = Counter[str]()
        self._histogram = [0] * BINS
        self._sources = dict[str, SourceCount]()
        self._uncertain: tuple[UncertainExample, ...] = ()
        self._sample = dict[int, tuple[SampledRow, ...]]()

    def add(self, result: ShardResult) -> None:
        """Adds a shard."""
        self.shards.add(result.index)
        self._scored += result.scored
        self._positives += result.positives
        self._abstained += result.abstained
        self._rejected.update(result.rejected)
        self._histogram = [a + b for a, b in zip(self._histogram, result.histogram, strict=True)]
        for name, count in result.sources.items():
            self._sources[name] = self._sources.get(name, SourceCount()) + count
        if len(self._sources) > 2 * MAX_SOURCES:
            self._sources = limit_sources(self._sources)
        self._uncertain = most_uncertain((*self._uncertain, *result.uncertain))
        if result.sample:
            self._sample[result.index] = result.sample

    @property
    def totals(self) -> Totals:
        """The sums."""
        return Totals(
            scored=self._scored,
            rejected=dict(sorted(self._rejected.items())),
            positives=self._positives,
            abstained=self._abstained,
            histogram=tuple(self._histogram),
            sources=limit_sources(self._sources),
            uncertain=self._uncertain,
        )

    def sample_frame(self, abstain_below: float, threshold: float) -> pd.DataFrame:
        """Returns the sampled rows in order, in the columns of the prediction log that drift checks read."""
        import numpy as np
        import pandas as pd

        rows = [row for index in sorted(self._sample) for row in self._sample[index]]
        frame = pd.DataFrame(rows, columns=list(SampledRow._fields))
        score = np.where(frame["positive"] > threshold, frame["positive"], 1 - frame["positive"])
        return frame.assign(score=score, abstained=score < abstain_below, sampled=True)


class ScoringReport(BaseModel):
    """A finished job.

    Attributes:
        model: Name of the model.
        model_version: Number of the version.
        kind: Kind of its servable.
        engine: What computed it.
        input: The input as it was named, without a password.
        output: The output.
        files: Number of input files.
        totals: The counts of the rows.
        reference_histogram: The version's answers to held-out reviews, in the bins of ``totals.histogram``.
        checks: The share of rejected rows, and whether the input is like the reference.
        new_rows: Rows of the shards that this run scored; the others were finished before.
        seconds: Time in which they were scored.
        workers: Processes that scored.
        price_per_core_hour: For the cost, in the user's currency.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: str
    model_version: str
    kind: str
    engine: str
    input: str
    output: str
    files: int
    totals: Totals
    reference_histogram: tuple[int, ...]
    checks: CheckReport
    new_rows: int
    seconds: float
    workers: int
    price_per_core_hour: float

    @property
    def rows_per_second(self) -> float:
        """Rows that this run scored in a second; 0 if it scored none."""
        return self.new_rows / self.seconds if self.seconds > 0 else 0.0

    def cost(self, rows: float) -> float | None:
        """Returns the cost of scoring this many rows at the speed of this run; None if it scored none."""
        if not self.rows_per_second:
            return None
        return rows / self.rows_per_second * self.workers / 3600 * self.price_per_core_hour


def most_uncertain(examples: Iterable[UncertainExample]) -> tuple[UncertainExample, ...]:
    """Returns the examples nearest to 0.5, nearest first."""
    return tuple(nsmallest(MAX_UNCERTAIN, examples, key=lambda e: (abs(e.positive - 0.5), e.file, e.row)))


def limit_sources(counts: Mapping[str, SourceCount]) -> dict[str, SourceCount]:
    """Keeps the largest sources, and adds the others up: a column may name every product."""
    by_size = sorted(counts, key=lambda name: (-counts[name].rows, name))
    kept = {name: counts[name] for name in by_size[:MAX_SOURCES]}
    if others := by_size[MAX_SOURCES:]:
        kept[OTHER_SOURCES] = sum((counts[name] for name in others), kept.get(OTHER_SOURCES, SourceCount()))
    return kept
