"""Source to raw reviews."""

from __future__ import annotations

from typing import Annotated

from zenml import log_metadata, step

from sentiment.reviews.sources import SourceSettings, load_reviews
from sentiment.reviews.table import Reviews
from steps.caching import depends_on_imports


@step(cache_policy=depends_on_imports(__name__))
def load(settings: SourceSettings, source_fingerprint: str, seed: int) -> Annotated[Reviews, "reviews"]:
    """Reads the reviews, shuffled.

    Args:
        settings: The source, and the meaning of its columns and labels.
        source_fingerprint: Identity of the source's content: a changed file is not served from cache.
        seed: Seed of the order and of the sample.
    """
    reviews = load_reviews(settings, seed=seed)
    log_metadata(metadata={"source_version": source_fingerprint}, infer_artifact=True)
    return reviews
