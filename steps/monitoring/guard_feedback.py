"""Window to the labels that came back and may be trained on."""

from __future__ import annotations

from typing import Annotated

from zenml import step

from sentiment.checks import CheckReport
from sentiment.monitoring.feedback_guard import feedback_reviews
from sentiment.monitoring.settings import MonitorSettings
from sentiment.monitoring.window import Window
from sentiment.reviews.table import Reviews, Splits


@step(enable_cache=False)
def guard_feedback(
    window: Window, splits: Splits, settings: MonitorSettings
) -> tuple[Annotated[Reviews, "feedback"], Annotated[CheckReport, "feedback_checks"]]:
    """Takes texts that were logged with consent and labelled by somebody, unless the labels look poisoned.

    Args:
        window: What the version answered lately.
        splits: What it was trained on: feedback is at most a share of that.
        settings: What is too much.

    Returns:
        No review at all where a critical check failed; and the checks.
    """
    reviews, report = feedback_reviews(window, settings, training_rows=len(splits.train))
    return reviews, report  # ZenML sees two outputs only where a tuple is written out
