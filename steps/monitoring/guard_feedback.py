"""Window to the labels that came back and may be trained on."""

from __future__ import annotations

from typing import Annotated

import pandas as pd
from zenml import step

from sentiment.checks import CheckReport
from sentiment.monitoring.feedback_guard import SOURCE, feedback_reviews
from sentiment.monitoring.settings import MonitorSettings
from sentiment.monitoring.window import Window
from sentiment.reviews.table import SPLITS, Reviews, Splits


@step(enable_cache=False)
def guard_feedback(
    window: Window, splits: Splits, settings: MonitorSettings
) -> tuple[Annotated[Reviews, "feedback"], Annotated[CheckReport, "feedback_checks"]]:
    """Takes texts that were logged with consent and labelled by users, unless the labels look poisoned.

    Args:
        window: The window, with all feedback that the log still holds.
        splits: The version's splits: reviews that it was trained on are left out, and feedback, that from before
            included, is at most a share of that.
        settings: The limits.

    Returns:
        No review at all where a critical check failed; and the checks.
    """
    known = pd.concat([getattr(splits, name).frame for name in SPLITS])
    learnt = frozenset(known.loc[known["source"] == SOURCE, "text"])
    reviews, report = feedback_reviews(window, settings, other_rows=len(known) - len(learnt), learnt=learnt)
    return reviews, report  # ZenML sees two outputs only where a tuple is written out
