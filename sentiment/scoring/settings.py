"""The settings of the score pipeline: ``configs/score.yaml``."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator

from sentiment.monitoring.settings import DriftSettings
from sentiment.reviews.delimited import SEPARATORS
from sentiment.settings import ModelName, Settings

InputFormat = Literal["csv", "tsv", "jsonl", "parquet"]
OutputFormat = Literal["parquet", "csv", "jsonl"]
# Settings that do not change what is written: a job may be continued with other values of them.
WITHOUT_EFFECT = frozenset(
    ("input", "output", "model", "version", "engine", "workers", "ray_address", "price_per_core_hour", "drift", "seed")
) | {"max_rejected_share"}


class ResultColumns(Settings):
    """Names of the columns that are added."""

    label: str = Field("label", min_length=1, description="the label")
    score: str = Field("score", min_length=1, description="its calibrated probability, 0 to 1")
    positive: str = Field("positive", min_length=1, description="calibrated probability of the positive label, 0 to 1")
    abstained: str = Field("abstained", min_length=1, description="whether the score is too low to act on")
    model_version: str = Field("model_version", min_length=1, description="number of the version that scored the row")

    @property
    def names(self) -> tuple[str, str, str, str, str]:
        """The names, in the order of the columns."""
        return self.label, self.score, self.positive, self.abstained, self.model_version


class ScoreSettings(Settings):
    """The score pipeline."""

    model: ModelName = Field("sentiment", description="name in the Model Control Plane")
    version: str | None = Field(
        None, coerce_numbers_to_str=True, description="version that scores; null: the one in production"
    )
    input: str | None = Field(
        None,
        description="file, glob, folder, s3:// URL, sql:URL, a source such as imdb-50k, or - (standard input)",
    )
    output: str | None = Field(
        None, description="folder for parts, a .parquet, .csv or .jsonl file, on disk or s3://, or - (standard output)"
    )
    text_column: str | None = Field(None, description="column of the text; null: text (of imdb-50k: review)")
    source_column: str | None = Field(
        None, description="column that names the source of a row, for the report; or null"
    )
    query: str | None = Field(None, description="the SELECT of a sql: input")
    input_format: InputFormat | None = Field(
        None, description="csv, tsv, jsonl or parquet; null: by the suffix (of standard input: csv)"
    )
    encoding: str = Field("utf-8", description="of CSV, TSV and JSON lines; one that extends ASCII")
    separator: str | None = Field(
        None, description=f"of CSV and TSV: {', '.join(SEPARATORS)} or one character; null: by the format"
    )
    quoting: Literal["standard", "none"] = Field(
        "standard", description="of CSV and TSV: quotation marks enclose values, or are characters of the texts"
    )
    output_format: OutputFormat | None = Field(
        None, description="parquet, csv or jsonl; null: by the suffix of the output, otherwise parquet"
    )
    columns: ResultColumns = ResultColumns()
    abstain_below: float = Field(0.6, ge=0.5, le=1, description="score below which a row is marked abstained")
    max_characters: int = Field(100_000, ge=1, description="a longer text is rejected; nothing is cut")
    max_rejected_share: float = Field(
        0.01, ge=0, le=1, description="share of rejected rows above which the job fails at its end; its output stays"
    )
    shard_rows: int | None = Field(
        None, ge=1, description="rows of a part; null: about a 200th of the input, 1,000 to 20,000 rows"
    )
    engine: Literal["local", "ray"] = Field("local", description="local: processes on this machine; ray: a Ray cluster")
    workers: int | None = Field(None, ge=1, description="processes that score; null: one for every core")
    ray_address: str | None = Field(None, description="of a Ray cluster; null: start Ray on this machine")
    price_per_core_hour: float = Field(0.04, ge=0, description="for the cost in the closing table, in your currency")
    drift: DriftSettings = DriftSettings()
    seed: int = Field(13, ge=0, lt=2**32, description="seed of the drift tests")

    @field_validator("encoding")
    @classmethod
    def _extends_ascii(cls, encoding: str) -> str:
        try:
            if '\r\n,"'.encode(encoding) == b'\r\n,"':
                return encoding
        except LookupError:
            pass
        raise ValueError("must be an encoding that extends ASCII, such as utf-8 or cp1252: convert other files first")

    @field_validator("separator")
    @classmethod
    def _know_separator(cls, separator: str | None) -> str | None:
        if separator is None or separator in SEPARATORS or (len(separator) == 1 and separator not in '"\r\n'):
            return separator
        raise ValueError(f"must be {', '.join(SEPARATORS)}, or one character")

    @field_validator("columns")
    @classmethod
    def _are_different(cls, columns: ResultColumns) -> ResultColumns:
        if len(set(columns.names)) < len(columns.names):
            raise ValueError("must have five different names")
        return columns
