"""Pages about data: reviews and splits."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sentiment.pages import charts
from sentiment.pages.html import Html, cards, figure, page, paragraph, section, shorten, table
from sentiment.reviews.table import LABELS, SPLITS

if TYPE_CHECKING:
    import pandas as pd

    from sentiment.reviews.table import Reviews, Splits

MAX_SOURCES = 20  # in a table: a column of sources may name every product


def reviews_page(reviews: Reviews) -> str:
    """Shows a set of reviews: counts by source and label, lengths, and five of them.

    Args:
        reviews: Cleaned or raw; raw ones may hold nulls.
    """
    frame = reviews.frame
    words = frame["text"].dropna().astype(str).map(lambda text: len(text.split()))
    if len(words) == 0:
        return page("Reviews", paragraph("There are no reviews."))
    return page(
        "Reviews",
        cards(
            [
                ("reviews", f"{len(frame):,}", f"{frame['text'].nunique():,} distinct texts"),
                ("positive", f"{100 * (frame['label'] == 1).mean():.1f}%", "of all reviews"),
                ("words, median", f"{words.median():,.0f}", f"95% have at most {words.quantile(0.95):,.0f}"),
                ("empty cells", f"{int(frame.isna().sum().sum()):,}", "text, label or source missing"),
            ]
        ),
        section("Sources and labels", counts_table(frame)),
        section(
            "Length", figure(charts.histogram(words.tolist(), "words in a review"), "Number of reviews by length.")
        ),
        section("Five reviews", _samples(frame)),
        paragraph(f"Fingerprint {reviews.fingerprint}", "soft"),
    )


def splits_page(splits: Splits) -> str:
    """What became of the rows of the source, with examples, and how the kept ones were divided."""
    parts = {name: getattr(splits, name) for name in SPLITS}
    total = max(1, sum(map(len, parts.values())))
    shares = [(name, f"{len(part):,}", f"{100 * len(part) / total:.1f}% of all") for name, part in parts.items()]
    rows = [
        (count.name, f"{count.rows:,}", " · ".join(shorten(text) for text in count.examples))
        for count in splits.row_counts
    ]
    row_counts = table(["rows that are", "", "examples"], rows, numbers=[1], prose=[2])
    cleaning = [section("From rows to splits", row_counts)] if rows else []
    return page(
        "Splits",
        paragraph("No text and no near-copy of it is in two splits. The model is judged by the test split alone."),
        cards(shares),
        *cleaning,
        *(section(name.capitalize(), counts_table(part.frame)) for name, part in parts.items() if len(part)),
        paragraph(f"Fingerprint {splits.fingerprint}", "soft"),
    )


def counts_table(frame: pd.DataFrame) -> Html:
    """Reviews by source and label: rows are sources, columns labels."""
    labels = frame["label"].map(_label)
    counts = labels.groupby([frame["source"].astype(str), labels]).size().unstack(fill_value=0)
    columns = [str(c) for c in counts.columns]
    largest = counts.sum(axis=1).nlargest(MAX_SOURCES).index
    rest = counts.drop(index=largest)
    counts = counts.loc[sorted(largest)]
    if len(rest):
        counts.loc[f"{len(rest):,} others"] = rest.sum()
    rows = [[source, *(f"{n:,}" for n in row), f"{row.sum():,}"] for source, row in counts.iterrows()]
    rows.append(["all", *(f"{n:,}" for n in counts.sum()), f"{len(frame):,}"])
    return table(["source", *columns, "all"], rows, numbers=range(1, len(columns) + 2))


def _samples(frame: pd.DataFrame) -> Html:
    """Five rows, evenly spread: sets are often sorted by class."""
    chosen = frame.iloc[[i * len(frame) // 5 for i in range(min(5, len(frame)))]]
    rows = zip(chosen["text"], chosen["label"], chosen["source"], strict=True)
    return table(["text", "label", "source"], [(shorten(t), _label(y), s) for t, y, s in rows], prose=[0])


def _label(value: object) -> str:
    return LABELS[int(value)] if isinstance(value, int | float) and value in (0, 1) else str(value)
