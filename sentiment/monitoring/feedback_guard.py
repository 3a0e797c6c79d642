"""The feedback guard: selects the labels that are trusted, and the reviews that a retraining may use.

Every client of the service can send feedback. Poisoning a model takes many labels: floods, one busy
client, many labels about one request or one text, labels against all that the model is sure of.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from sentiment.checks import Check, CheckReport
from sentiment.reviews.cleaning import clean
from sentiment.reviews.table import LABELS, Reviews

if TYPE_CHECKING:
    from sentiment.monitoring.settings import FeedbackSettings, MonitorSettings
    from sentiment.monitoring.window import Window

SOURCE = "feedback"
MIN_LABELS = 20  # below this, a share of labels means nothing
_COPIES = 3  # labels about one text that make a majority


@dataclass(frozen=True)
class TrustedFeedback:
    """The trusted labels.

    Attributes:
        rows: Of those that were given.
        checks: The checks, each named ``feedback: ...``, severity warning: rows that fail are already left out.
    """

    rows: pd.DataFrame
    checks: tuple[Check, ...]


def trusted_feedback(window: Window, rows: pd.DataFrame, settings: FeedbackSettings, *, seed: int) -> TrustedFeedback:
    """Leaves out the labels that came in a flood, beyond one client's or one request's share, or against others.

    Args:
        window: With its feedback.
        rows: The labelled predictions of the window, or of the whole log.
        settings: Limits.
        seed: Of which labels stay where a share is cut.
    """
    checks = [*_reception(window, settings)]
    rows, flood = _without_floods(rows, settings)
    rows, clients = _capped(rows, "client", settings.max_per_client, seed)
    rows, requests = _capped(rows, "request", settings.max_per_request, seed)
    rows, consensus = _agreeing(rows)
    return TrustedFeedback(rows, (*checks, flood, clients, requests, consensus, contradiction(rows, settings)))


def feedback_reviews(
    window: Window, settings: MonitorSettings, *, other_rows: int, learnt: Collection[str]
) -> tuple[Reviews, CheckReport]:
    """The reviews that a retraining may take from feedback: trusted labels of texts that were kept with consent.

    They are all that the log holds and the version has not learnt from: a turn of the loop that trained nothing, or
    nothing that lasted, loses none.

    Args:
        window: With its feedback.
        settings: Limits, and the suite that the reviews must pass.
        other_rows: Reviews that the next model learns from otherwise.
        learnt: Cleaned texts that came from feedback before, which it learns from, too.

    Returns:
        Reviews of source ``feedback``, none unless the report ``"feedback"`` passed; and that report.
    """
    from sentiment.reviews.expectations import check_reviews

    limits = settings.feedback
    known = trusted_feedback(window, window.taught, limits, seed=settings.seed)
    rows = known.rows
    sure = contradiction(rows, limits)
    if not sure.passed:  # an operator must check: a broken and a poisoned model cannot be distinguished here
        rows = rows[rows["correct"] | (rows["score"] < limits.sure)]
    with_text = rows[rows["text"].notna()].drop_duplicates("text")
    new = with_text[~with_text["text"].map(clean).isin(learnt)]
    most = _most(limits.max_share, other_rows, len(learnt)) if limits.max_share < 1 else len(new)
    chosen = new.sample(min(most, len(new)), random_state=settings.seed).sort_index()
    reviews = Reviews(
        pd.DataFrame(
            {
                "text": chosen["text"].astype("str"),
                "label": chosen["feedback"].map(LABELS.index).astype("int64"),
                "source": pd.Series(SOURCE, index=chosen.index, dtype="str"),
            }
        ).reset_index(drop=True)
    )
    there = Check(
        name="feedback: texts were kept",
        passed=len(with_text) > 0,
        observed=f"{len(rows) - int(rows['text'].isna().sum()):,} of {len(rows):,} trusted labels have their text",
        limit="some; a service keeps texts where log_text is true",
        count=len(rows),
    )
    share = Check(
        name="feedback: share of the training data",
        severity="warning",
        passed=len(chosen) == len(new),
        observed=f"{len(chosen):,} of {len(new):,} reviews are taken, "
        f"beside {len(learnt):,} of earlier feedback and {other_rows:,} others",
        limit=f"at most {100 * limits.max_share:g}% of the reviews trained on; more are left out",
        count=len(new),
    )
    checks = (*known.checks, there, share)
    if len(reviews):
        checks += check_reviews(reviews, limits.expectations).checks
    report = CheckReport(suite="feedback", checks=checks)
    return (reviews if report.passed else Reviews(reviews.frame.iloc[:0])), report


def _most(share: float, other_rows: int, earlier_rows: int) -> int:
    """How many reviews may be added until feedback, that from before included, is this share of all."""
    return max(int(other_rows * share / (1 - share)) - earlier_rows, 0)


def _reception(window: Window, settings: FeedbackSettings) -> Iterator[Check]:
    """Checks the feedback as it is in the log."""
    facts = window.facts.feedback
    unknown = facts.unknown / max(facts.entries, 1)
    yield Check(
        name="feedback: known predictions",
        severity="warning",
        passed=facts.entries < MIN_LABELS or unknown <= settings.max_unknown,
        observed=f"{facts.unknown:,} of {facts.entries:,} labels name predictions that the log does not hold",
        limit=f"at most {100 * settings.max_unknown:g}%",
        score=unknown,
        count=facts.entries,
    )
    bad = facts.wrong + facts.clock_skewed
    yield Check(
        name="feedback: usable labels",
        severity="warning",
        passed=facts.entries < MIN_LABELS or bad / facts.entries <= settings.max_unknown,
        observed=f"{facts.wrong:,} with a label the model does not have, {facts.clock_skewed:,} of a wrong clock; "
        f"{facts.repeated:,} said twice, {facts.changed:,} changed",
        limit=f"at most {100 * settings.max_unknown:g}% wrong; predictions with changed labels are left out",
        score=bad / max(facts.entries, 1),
        count=facts.entries,
    )


def _without_floods(rows: pd.DataFrame, settings: FeedbackSettings) -> tuple[pd.DataFrame, Check]:
    minute = rows["feedback_time"] // 60
    flooded = minute.groupby(minute).transform("size") > settings.max_per_minute
    busiest = int(minute.value_counts().max()) if len(rows) else 0
    check = Check(
        name="feedback: no flood",
        severity="warning",
        passed=not flooded.any(),
        observed=f"labels in the busiest minute: {busiest:,}; {int(flooded.sum()):,} of {len(rows):,} came in a flood",
        limit=f"at most {settings.max_per_minute:,} a minute; floods are left out",
        score=float(busiest),
        count=len(rows),
    )
    return rows[~flooded], check


def _capped(rows: pd.DataFrame, column: str, most: float, seed: int) -> tuple[pd.DataFrame, Check]:
    """Cuts the labels of each client, or about each request, to a share of all, in random order."""
    values = rows[column]
    named = values.notna()
    judged = len(rows) >= MIN_LABELS and values.nunique() > 1
    allowed = max(int(most * len(rows)), 1)
    shuffled = values[named].sample(frac=1, random_state=seed)
    beyond = shuffled.index[shuffled.groupby(shuffled).cumcount() >= allowed] if judged else rows.index[:0]
    counts = values.value_counts()
    busiest = f"{int(counts.iloc[0]):,} of {len(rows):,} labels" if len(counts) else f"none of {len(rows):,} labels"
    unknown = "" if named.any() or column != "client" else "; the service knows no clients, see its tokens"
    check = Check(
        name=f"feedback: no dominant {column}",
        severity="warning",
        passed=not len(beyond),
        observed=f"{busiest} from the busiest {column}, {len(beyond):,} left out{unknown}",
        limit=f"at most {100 * most:g}% if there are others",
        score=float(counts.iloc[0] / len(rows)) if len(counts) else None,
        count=len(rows),
    )
    return rows.drop(index=beyond), check


def _agreeing(rows: pd.DataFrame) -> tuple[pd.DataFrame, Check]:
    """Leaves out labels against the majority of those about a text with the same words."""
    negative = rows["feedback"].eq(LABELS[0]).groupby(rows["sketch"])
    share, copies = negative.transform("mean"), negative.transform("size")
    minority = np.where(rows["feedback"].eq(LABELS[0]), share <= 0.5, share >= 0.5)
    against = (copies > 1) & pd.Series(minority, index=rows.index) & ((copies >= _COPIES) | share.eq(0.5))
    check = Check(
        name="feedback: labels of one text agree",
        severity="warning",
        passed=not against.any(),
        observed=f"{int(against.sum()):,} of {len(rows):,} labels are against others about the same words",
        limit="none; they are left out",
        score=float(against.mean()) if len(rows) else None,
        count=len(rows),
    )
    return rows[~against], check


def contradiction(rows: pd.DataFrame, settings: FeedbackSettings) -> Check:
    """How many labels contradict answers that the model is sure of, of labels about such answers."""
    sure = rows[rows["score"] >= settings.sure]
    wrong = int((~sure["correct"]).sum())
    return Check(
        name="feedback: sure answers",
        severity="warning",
        passed=len(sure) < MIN_LABELS or wrong / len(sure) <= settings.max_contradiction,
        observed=f"{wrong:,} of {len(sure):,} labels about answers with score {settings.sure:g} contradict them",
        limit=f"at most {100 * settings.max_contradiction:g}%; above that, an operator must check first",
        score=wrong / len(sure) if len(sure) else None,
        count=len(sure),
    )
