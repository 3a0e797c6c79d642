"""Source and training data to reviews that a version has never seen."""

from __future__ import annotations

from typing import Annotated

import pandas as pd
from zenml import log_metadata, step

from sentiment.reviews.cleaning import clean
from sentiment.reviews.sources import SourceSettings, load_reviews
from sentiment.reviews.splitting import exclude
from sentiment.reviews.table import Reviews, Splits
from steps.caching import depends_on_imports


@step(cache_policy=depends_on_imports(__name__))
def load_unseen(
    settings: SourceSettings, source_fingerprint: str, known: Splits, exclude_training: bool, seed: int
) -> Annotated[Reviews, "unseen_reviews"]:
    """Reads and cleans reviews, and leaves out those that the version was trained or tuned on.

    Args:
        settings: The source.
        source_fingerprint: Identity of the source's content.
        known: The splits of the version that will be scored.
        exclude_training: Whether to leave out its training and validation splits.
        seed: Seed of the order and of the sample.
    """
    reviews = load_reviews(settings, seed=seed)
    frame = reviews.frame.assign(text=[clean(t) for t in reviews.frame["text"].fillna("")])
    frame = frame[frame["text"] != ""].drop_duplicates("text")
    unseen = Reviews(frame.reset_index(drop=True))
    if exclude_training:
        seen = Reviews(pd.concat([known.train.frame, known.validation.frame], ignore_index=True))
        unseen = exclude(unseen, seen)
    log_metadata({"rows": len(unseen), "left_out": len(frame) - len(unseen)})
    return unseen
