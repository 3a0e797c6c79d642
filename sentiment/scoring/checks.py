"""The checks of a finished job: how many rows were rejected, and whether the input is like what the model knows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from sentiment.checks import Check, CheckReport
from sentiment.monitoring.drift import drift_checks
from sentiment.monitoring.window import Window, WindowFacts

if TYPE_CHECKING:
    from sentiment.monitoring.reference import Reference
    from sentiment.scoring.results import Tally
    from sentiment.scoring.settings import ScoreSettings

MIN_DRIFT_ROWS = 1000  # with fewer, chance decides the tests


def check_scored(tally: Tally, reference: Reference, settings: ScoreSettings) -> CheckReport:
    """Checks a finished job.

    The share of rejects is critical. Drift is a warning: a file may well be of another kind than the reviews that the
    model was evaluated on, but its evaluation says little about this file then.

    Args:
        tally: Of every shard.
        reference: The version's answers to held-out reviews.
        settings: The limits.
    """
    totals = tally.totals
    share = totals.rejections / totals.rows
    rejected = Check(
        name="rejected rows",
        passed=share <= settings.max_rejected_share,
        observed=f"{100 * share:.3g}% ({totals.rejections:,} of {totals.rows:,})",
        limit=f"at most {100 * settings.max_rejected_share:g}%",
        score=share,
        count=totals.rows,
        examples=tuple(f"{count:,} {reason}" for reason, count in totals.rejected.items()),
    )
    return CheckReport(suite="scoring", checks=(rejected, *_drift(tally, reference, settings)))


def _drift(tally: Tally, reference: Reference, settings: ScoreSettings) -> Iterator[Check]:
    sample = tally.sample_frame(settings.abstain_below, reference.threshold)
    if len(sample) < MIN_DRIFT_ROWS:
        yield Check(
            name="drift",
            severity="warning",
            passed=True,
            observed=f"not enough data: {len(sample):,} rows",
            limit=f"judged starting at {MIN_DRIFT_ROWS:,} rows",
            count=len(sample),
        )
        return
    facts = WindowFacts(model_version=reference.model_version, start=0, end=0, seen=len(sample))
    for check in drift_checks(Window(sample, facts), reference, settings.drift, seed=settings.seed):
        yield check.model_copy(update={"severity": "warning"})
