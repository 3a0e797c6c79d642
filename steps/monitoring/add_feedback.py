"""Raw reviews and feedback to the raw reviews of a retraining."""

from __future__ import annotations

from typing import Annotated

from zenml import step

from sentiment.reviews.table import Reviews, RowCount


@step
def add_feedback(
    reviews: Reviews, earlier: Reviews | None = None, fresh: Reviews | None = None
) -> tuple[Annotated[Reviews, "reviews_with_feedback"], Annotated[Reviews, "feedback"]]:
    """Joins reviews and feedback, also the feedback that the champion was trained on.

    Texts that are there twice, or with two labels, are left to the splitting, as ever.

    Args:
        reviews: Of the source.
        earlier: Feedback that the champion was trained on.
        fresh: Feedback that it was not trained on.

    Returns:
        Everything, and the feedback alone, which the next training starts from.
    """
    import pandas as pd

    given = [found.frame for found in (earlier, fresh) if found is not None]
    feedback = pd.concat(given, ignore_index=True).drop_duplicates(ignore_index=True)
    everything = pd.concat([reviews.frame, feedback], ignore_index=True)
    added = RowCount.of("added: feedback of users", feedback["text"])
    return Reviews(everything, (*reviews.row_counts, added)), Reviews(feedback)
