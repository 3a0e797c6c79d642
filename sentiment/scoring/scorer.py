"""Scores one shard: reads its rows, scores the texts, writes the part, the rejects and the record of both."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from sentiment.errors import UserError
from sentiment.scoring.formats import open_table
from sentiment.scoring.outputs import encode
from sentiment.scoring.plan import Shard, plan_file, require_unchanged
from sentiment.scoring.results import (
    BINS,
    MAX_UNCERTAIN,
    SampledRow,
    ShardResult,
    SourceCount,
    UncertainExample,
    limit_sources,
    most_uncertain,
)
from sentiment.scoring.settings import ScoreSettings
from sentiment.scoring.storage import Storage
from sentiment.scoring.tables import FilePlan, InputFile, Reject, Rows, Table
from sentiment.words import VISIBLE

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    from sentiment.models import Classifier

PARTS, REJECTS, DONE = "parts", "rejects", "done"  # folders of a job
MAX_EXCERPT_CHARACTERS = 300
NO_SOURCE = "(none)"


@dataclass(frozen=True)
class ShardTask:
    """A shard, and what is needed to score it.

    Attributes:
        shard: The shard.
        file: Its file.
        stamp: What changes with the file.
        file_schema: Columns of the file.
        schema: Columns of the whole input.
        text_column: The column that is scored.
        sample_rows: Rows of it to keep for the comparison with the reference.
        name: Name of the file for rejects and examples.
    """

    shard: Shard
    file: InputFile
    stamp: tuple[int, str]
    file_schema: pa.Schema
    schema: pa.Schema
    text_column: str
    sample_rows: int
    name: str


class Scorer:
    """Plans files and scores shards, in the process that made it. The model is loaded when it is first needed."""

    def __init__(
        self, servable: str, *, model_version: str, folder: str, form: str, settings: ScoreSettings, storage: Storage
    ) -> None:
        """Prepares for a job.

        Args:
            servable: Directory of the servable.
            model_version: Number of its version.
            folder: The job's folder: path or ``s3://`` URL.
            form: Format of the parts.
            settings: The settings of the job.
            storage: Reads and writes files.
        """
        self._servable, self._model_version = servable, model_version
        self._folder, self._form, self._settings, self._storage = folder, form, settings, storage
        self._open: tuple[str, Table] | None = None

    @cached_property
    def _classifier(self) -> Classifier:
        from sentiment.models import Classifier

        return Classifier.load(self._servable)

    def engine(self) -> str:
        """Returns the name of the engine that computes the model on this machine."""
        return self._classifier.engine

    def plan(self, file: InputFile) -> FilePlan:
        """Plans a file, see :func:`sentiment.scoring.plan.plan_file`."""
        return plan_file(file, self._storage, self._settings)

    def score(self, task: ShardTask) -> ShardResult:
        """Scores a shard; writes its rejects, its part, and last the record that both are whole.

        Raises:
            UserError: If the file cannot be read, or has changed since it was planned.
        """
        import pyarrow as pa

        shard, path = task.shard, task.file.path
        require_unchanged(path, task.stamp, self._storage)
        rows = self._table(task.file).read(shard.start, shard.row, shard.rows, task.file_schema, task.text_column)
        require_unchanged(path, task.stamp, self._storage)
        kept, texts, rejects = self._separate(rows)
        positive = self._classifier.predict_proba(texts).round(6)
        taken = _conform(rows.table, task.schema, path).take(pa.array(kept, pa.int64()))
        table = self._with_results(taken, positive)
        lines = [{"file": task.name, **reject._asdict()} for reject in rejects]
        if lines:
            written = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
            self._storage.put(f"{self._folder}/{REJECTS}/{shard.part}.jsonl", written.encode())
        self._storage.put(f"{self._folder}/{PARTS}/{shard.part}.{self._form}", encode(table, self._form))
        result = self._count(task, taken, texts, [rows.numbers[position] for position in kept], rejects, positive)
        self._storage.put(f"{self._folder}/{DONE}/{shard.part}.json", result.model_dump_json().encode())
        return result

    def _table(self, file: InputFile) -> Table:
        """Returns the table of a file, open from the last shard if that was of the same file."""
        if self._open is None or self._open[0] != file.path:
            self._open = (file.path, open_table(file, self._storage, self._settings))
        return self._open[1]

    def _separate(self, rows: Rows) -> tuple[list[int], list[str], list[Reject]]:
        """Returns the positions and the texts of the rows to score, and all rejects in the order of the file."""
        kept, texts, rejects = list[int](), list[str](), list(rows.rejects)
        for position, (number, value) in enumerate(zip(rows.numbers, rows.texts, strict=True)):
            text, reason = self._read(value)
            if reason:
                rejects.append(Reject(number, reason))
            else:
                kept.append(position)
                texts.append(text)
        return kept, texts, sorted(rejects)

    def _read(self, value: object) -> tuple[str, str]:
        """Returns the text of a cell, and why it cannot be scored; empty if it can."""
        if isinstance(value, bytes):
            try:
                value = value.decode()
            except UnicodeDecodeError:
                return "", "not utf-8"
        if value is None:
            return "", "empty"
        if not isinstance(value, str):
            return "", "not text"
        if not VISIBLE.search(value):
            return "", "empty"
        limit = self._settings.max_characters
        return value, f"longer than {limit:,} characters" if len(value) > limit else ""

    def _with_results(self, table: pa.Table, positive: NDArray[np.float64]) -> pa.Table:
        import numpy as np
        import pyarrow as pa

        labels = np.array(self._classifier.manifest.labels, dtype=object)[self._is_positive(positive).astype(int)]
        score = self._score(positive).round(6)
        values = (
            pa.array(labels, pa.string()),
            pa.array(score),
            pa.array(positive),
            pa.array(score < self._settings.abstain_below),
            pa.array([self._model_version] * len(positive), pa.string()),
        )
        for name, column in zip(self._settings.columns.names, values, strict=True):
            table = table.append_column(name, column)
        return table

    def _is_positive(self, positive: NDArray[np.float64]) -> NDArray[np.bool_]:
        return positive > self._classifier.manifest.threshold

    def _score(self, positive: NDArray[np.float64]) -> NDArray[np.float64]:
        """Returns the probability of each label that is given."""
        import numpy as np

        return np.asarray(np.where(self._is_positive(positive), positive, 1 - positive))

    def _count(
        self,
        task: ShardTask,
        taken: pa.Table,
        texts: Sequence[str],
        numbers: Sequence[int],
        rejects: Sequence[Reject],
        positive: NDArray[np.float64],
    ) -> ShardResult:
        import numpy as np

        score = self._score(positive)
        near = np.argsort(score, kind="stable")[:MAX_UNCERTAIN]
        sampled = np.unique(np.linspace(0, len(texts) - 1, min(task.sample_rows, len(texts))).astype(int))
        return ShardResult(
            index=task.shard.index,
            scored=len(texts),
            rejected=dict(sorted(Counter(reject.reason for reject in rejects).items())),
            positives=int(self._is_positive(positive).sum()),
            abstained=int((score.round(6) < self._settings.abstain_below).sum()),
            histogram=tuple(np.histogram(positive, BINS, (0, 1))[0].tolist()),
            sources=self._sources(taken, positive),
            uncertain=most_uncertain(
                UncertainExample(
                    positive=float(positive[place]),
                    text=texts[place][:MAX_EXCERPT_CHARACTERS],
                    file=task.name,
                    row=numbers[place],
                )
                for place in near
            ),
            sample=tuple(_as_logged(texts[place], float(positive[place])) for place in sampled),
        )

    def _sources(self, taken: pa.Table, positive: NDArray[np.float64]) -> dict[str, SourceCount]:
        if self._settings.source_column is None:
            return {}
        names = taken.column(self._settings.source_column).to_pylist()
        names = [NO_SOURCE if name is None else str(name) for name in names]
        known = Counter(names)
        is_positive = self._is_positive(positive).tolist()
        found = Counter(name for name, wanted in zip(names, is_positive, strict=True) if wanted)
        return limit_sources({name: SourceCount(rows=known[name], positives=found[name]) for name in known})


def _conform(table: pa.Table, schema: pa.Schema, path: str) -> pa.Table:
    """Gives a table all columns of the input, in its order; a column that the file lacks is empty.

    Raises:
        UserError: If a value does not fit into the type that the column has with the other files.
    """
    import pyarrow as pa

    columns = []
    for field in schema:
        if field.name not in table.column_names:
            columns.append(pa.nulls(len(table), field.type))
            continue
        try:
            columns.append(table.column(field.name).cast(field.type))
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
            raise UserError(
                f"column {field.name!r} does not fit into {field.type}, which it has with the other files: "
                f"{str(error).splitlines()[0][:200]}",
                where=path,
                remedy="Score it by itself.",
            ) from None
    return pa.Table.from_arrays(columns, schema=schema)


def _as_logged(text: str, positive: float) -> SampledRow:
    """Describes a row as the service's prediction log does."""
    from sentiment.models.plain_text import to_plain_text
    from sentiment.monitoring.sketch import sketch

    plain = to_plain_text(text)
    return SampledRow(positive, len(plain.split()), len(plain), sketch(plain))
