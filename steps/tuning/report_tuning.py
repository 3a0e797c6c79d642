"""A search to its report in the dashboard."""

from __future__ import annotations

from typing import Annotated

from zenml import step

from sentiment.tuning.report import TuningReport


@step(enable_cache=False)
def report_tuning(report: TuningReport) -> Annotated[TuningReport, "tuning"]:
    """Stores the report with its page."""
    return report
