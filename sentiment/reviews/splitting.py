"""Reviews to Splits: clean, remove repetitions, divide. No text and no near-copy of it ends up in two splits."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from typing import TYPE_CHECKING

from pydantic import Field

from sentiment.errors import UserError
from sentiment.progress import report
from sentiment.reviews.cleaning import clean
from sentiment.reviews.near_copies import near_copies
from sentiment.reviews.table import COLUMNS, LABELS, SPLITS, Reviews, RowCount, SplitName, Splits
from sentiment.settings import Settings
from sentiment.words import normalise

if TYPE_CHECKING:
    import pandas as pd

_BATCH = 2_000
_BEGINNING = 400  # characters; a cut removes more than that


class SplitSettings(Settings):
    """How reviews are cleaned of repetitions and divided."""

    validation: float = Field(0.1, gt=0, lt=0.5, description="Share of the reviews that choices are made on.")
    test: float = Field(0.1, gt=0, lt=0.5, description="Share of the reviews that is only scored at the end.")
    near_duplicate_similarity: float = Field(
        0.8,
        ge=0.5,
        le=1,
        description="Two texts that share at least this part of their words (Jaccard) are near-copies.",
    )
    max_characters: int = Field(
        20_000, ge=1_000, description="Longer raw texts are cut here, at a word; the longest IMDB review has 13,704."
    )
    minimum: int = Field(100, ge=10, description="Fewer distinct reviews than this are not worth dividing: an error.")


def split(reviews: Reviews, settings: SplitSettings, *, seed: int) -> Splits:
    """Cleans the reviews, drops repetitions and divides the rest, stratified by label and source.

    Each text has a place in a seeded order that depends on nothing but the text. So the order of the rows that come in
    does not matter, and when reviews are added later the others stay in their split, but for a few at the borders
    (validation lies between test and train, so that hardly one ever moves between these two).

    Args:
        reviews: Raw reviews with valid labels; null texts count as empty.
        settings: Shares and limits.
        seed: Of the order and of the near-copy search.

    Returns:
        The splits, rows in seeded order. Their ``row_counts`` continue those of the reviews: ``empty`` (no readable
        text is left), ``contradictions`` (equal texts with both labels), ``duplicates`` (an equal text, case and
        punctuation aside, is kept), ``near copies`` (a text that shares most words is kept), ``kept``; and of the kept
        ones those that were ``cut``.

    Raises:
        UserError: If too few distinct reviews are left or a split would lack a label.
    """
    frame = _cleaned(reviews.frame, settings.max_characters)
    readable = frame[frame["text"] != ""]
    agreed = readable[readable.groupby("key")["label"].transform("nunique") == 1]
    agreed = agreed.assign(row=agreed.index)
    distinct = _in_seeded_order(agreed, seed).drop_duplicates("key", ignore_index=True)
    copies = near_copies(
        distinct["key"].tolist(),
        similarity=settings.near_duplicate_similarity,
        seed=seed,
        task="removing near-copies",
    )
    kept = distinct[[copy < 0 for copy in copies]]
    if len(kept) < settings.minimum:
        raise UserError(
            f"only {len(kept)} distinct reviews are left of {len(frame)}, at least {settings.minimum} are needed",
            remedy="Add reviews, or lower `minimum`.",
        )
    parts = _divide(kept, settings)
    repeated = agreed[~agreed.index.isin(distinct["row"])]
    row_counts = (
        RowCount.of("empty", frame.loc[frame["text"] == "", "raw"]),
        RowCount.of("contradictions", readable.loc[~readable.index.isin(agreed.index), "text"]),
        RowCount.of("duplicates", repeated["text"]),
        RowCount.of("near copies", distinct.loc[~distinct.index.isin(kept.index), "text"]),
        RowCount(name="kept", rows=len(kept)),
        RowCount.of("cut", kept.loc[kept["cut"], "text"].str.slice(stop=_BEGINNING)),
    )
    return Splits(
        **{name: Reviews(part) for name, part in parts.items()}, row_counts=(*reviews.row_counts, *row_counts)
    )


def exclude(reviews: Reviews, known: Reviews) -> Reviews:
    """Drops the reviews whose text, or the beginning of it, is in ``known``, case and punctuation aside.

    Long texts are cut before training: a model that was trained on the beginning of a text knows the text.

    Args:
        reviews: Raw or clean reviews; they come back as they are.
        known: Raw or clean reviews, such as those a model was trained on.

    Returns:
        The other reviews, in their order.
    """
    known_texts = [clean(text) for text in known.frame["text"].dropna()]
    seen, long = set(map(normalise, known_texts)), defaultdict(list)
    for key in {normalise(text, with_signs=False) for text in known_texts}:
        if len(key) >= _BEGINNING:
            long[key[:_BEGINNING]].append(key)

    def is_known(raw: str) -> bool:
        text = clean(raw)
        if normalise(text) in seen:
            return True
        words = normalise(text, with_signs=False)
        return words.startswith(tuple(long.get(words[:_BEGINNING], ())))

    keep = [not isinstance(text, str) or not is_known(text) for text in reviews.frame["text"]]
    return Reviews(reviews.frame[keep].reset_index(drop=True))


def _cleaned(frame: pd.DataFrame, max_characters: int) -> pd.DataFrame:
    """The frame with clean texts and their keys, the beginnings of the raw texts, and whether a text was cut."""
    texts, cut = list[str](), list[bool]()
    for position, raw in enumerate(frame["text"].fillna("")):
        if len(raw) > max_characters:  # and not always: one of Python's blanks is an ellipsis in Windows' alphabet
            raw = raw.strip()  # noqa: PLW2901 - blanks are no part of the text
        cut.append(len(raw) > max_characters)
        if cut[-1]:
            raw = raw[:max_characters].rsplit(None, 1)[0]  # noqa: PLW2901 - the rest of the loop means the cut text
        texts.append(clean(raw))
        if position % _BATCH == 0:
            report("cleaning", position, len(frame))
    report("cleaning", len(frame), len(frame))
    keys = [normalise(text) for text in texts]
    return frame[["label", "source"]].assign(
        text=texts, key=keys, raw=frame["text"].fillna("").str.slice(stop=_BEGINNING), cut=cut
    )


def _in_seeded_order(frame: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Rows by a seeded hash of their key; equal keys by text and source, so that the same one of them is kept."""
    salt = seed.to_bytes(16, "big", signed=True)
    places = [hashlib.blake2b(key.encode(), digest_size=8, salt=salt).hexdigest() for key in frame["key"]]
    return frame.assign(place=places).sort_values(["place", "key", "text", "source"])


def _divide(frame: pd.DataFrame, settings: SplitSettings) -> dict[SplitName, pd.DataFrame]:
    """The first rows of each stratum become test, the next ones validation, the rest train."""
    fewest = round(2 / min(settings.test, settings.validation))
    large = frame.groupby(["source", "label"])["key"].transform("size") >= fewest
    strata = frame.groupby([frame["source"].where(large, "\x00small"), frame["label"]])  # small ones share a stratum
    share = (strata.cumcount() + 0.5) / strata["key"].transform("size")
    test = share < settings.test
    validation = ~test & (share < settings.test + settings.validation)
    masks = {"train": ~test & ~validation, "validation": validation, "test": test}
    parts = {name: frame.loc[masks[name], list(COLUMNS)].reset_index(drop=True) for name in SPLITS}
    for name, part in parts.items():
        missing = [LABELS[label] for label in (0, 1) if not (part["label"] == label).any()]
        if missing:
            raise UserError(
                f"no {missing[0]} review is left for the {name} split ({len(frame)} distinct reviews)",
                remedy="Add reviews of that label, or raise the share of this split.",
            )
    return parts
