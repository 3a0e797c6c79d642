"""The page of a window of the live service."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np

from sentiment.pages import charts
from sentiment.pages.checks import checks_table, verdict
from sentiment.pages.html import Html, cards, facts, figure, figures, page, paragraph, section

if TYPE_CHECKING:
    import pandas as pd

    from sentiment.checks import Check, CheckReport
    from sentiment.evaluation.bootstrap import Interval
    from sentiment.monitoring.reference import Reference
    from sentiment.monitoring.window import Window

_MOMENTS = 8  # in which accuracy is shown
_FEW = 5  # labels of which no accuracy is shown


def monitoring_page(
    report: CheckReport, window: Window, reference: Reference, actions: Mapping[str, str] | None = None
) -> str:
    """Shows the answers of a service in a period of time, every check of them, and the actions that follow."""
    known = window.facts
    return page(
        f"Monitoring of version {known.model_version}",
        paragraph(f"{moment(known.start)} to {moment(known.end)} UTC", "soft"),
        verdict(report),
        *([section("Actions", facts(actions))] if actions else []),
        cards(_figures(report, window)),
        *_drawings(window, reference),
        section("Checks", checks_table(report.checks)),
        section("Content of the log", _log(window)),
        section("Reference", _held_out(reference)),
    )


def window_page(window: Window) -> str:
    """Shows the window's version, and the parts of the log that are not in it."""
    known = window.facts
    return page(
        f"Window of version {known.model_version}",
        paragraph(f"{moment(known.start)} to {moment(known.end)} UTC", "soft"),
        _log(window),
    )


def reference_page(reference: Reference) -> str:
    """Whose predictions a reference holds, and how they are spread."""
    held = reference.predictions
    return page(
        f"Reference of version {reference.model_version}",
        _held_out(reference),
        section("Length of the reviews", charts.histogram(held["words"].tolist(), "words")),
    )


def moment(seconds: float) -> str:
    """Formats a time in UTC."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M")


def _figures(report: CheckReport, window: Window) -> list[tuple[str, object, object]]:
    shown = {check.name: check for check in report.checks}

    def value(name: str, unit: str = "{:.3f}") -> str:
        check: Check | None = shown.get(name)
        return "-" if check is None or check.score is None else unit.format(check.score)

    labels = len(window.labelled)
    return [
        ("predictions", f"{window.facts.seen:,}", "in this window"),
        ("accuracy", value("accuracy"), f"from {labels:,} labels"),
        ("estimated accuracy", value("estimated_accuracy"), "without labels"),
        ("words: AUC", value("input_drift: words (classifier)"), "0.5: no drift"),
        ("scores: p", value("score_drift", "{:.2g}"), "small: drift"),
        ("positive texts", value("label_shift", "{:.1%}"), "estimated"),
        ("abstentions", value("abstention", "{:.1%}"), "of the answers"),
    ]


def _drawings(window: Window, reference: Reference) -> list[Html]:
    if not len(window.sample):
        return [section("Window and reference", paragraph("There is nothing to draw: no predictions.", "soft"))]
    rows, held = window.sample, reference.predictions

    def drawn(column: str, label: str, caption: str, *, logarithmic: bool) -> Html:
        here, there = (frame[column].to_numpy(np.float64) for frame in (rows, held))
        return figure(charts.two_histograms(here, there, label, name=column, logarithmic=logarithmic), caption)

    compared = section(
        "Window and reference",
        figures(
            drawn("positive", "P(positive)", "Scores.", logarithmic=False),
            drawn("words", "words", "Length of the texts.", logarithmic=True),
        ),
    )
    points = _accuracy(window.labelled)
    if not points:
        return [compared, section("Accuracy over time", paragraph("Too few labels came back.", "soft"))]
    course = charts.estimates_over_time(points, reference.accuracy, "accuracy")
    caption = "Share of right answers by the time of the prediction, as labelled; dashed: on held-out reviews."
    return [compared, section("Accuracy over time", figure(course, caption))]


def _accuracy(labelled: pd.DataFrame) -> list[tuple[str, Interval]]:
    """Accuracy in groups of predictions that follow one another."""
    from sentiment.monitoring.live_quality import wilson

    parts = min(_MOMENTS, len(labelled) // _FEW)
    points = []
    for rows in np.array_split(np.arange(len(labelled)), parts) if parts else []:
        part = labelled.iloc[rows]
        when = datetime.fromtimestamp(float(part["time"].median()), UTC).strftime("%m-%d %H:%M")
        points.append((when, wilson(float(part["correct"].mean()), len(part), 0.95)))
    return points


def _log(window: Window) -> Html:
    known, feedback = window.facts, window.facts.feedback
    return facts(
        {
            "predictions of this version": f"{known.seen:,}",
            "used": f"{len(window.sample):,}",
            "of other versions": ", ".join(f"{v}: {n:,}" for v, n in known.other_versions.items()) or "none",
            "damaged lines": f"{known.unreadable:,}",
            "of a wrong clock": f"{known.clock_skewed:,} of {known.logged:,} in the whole log",
            "repeated": f"{known.repeated:,}",
            "feedback labels": f"{feedback.entries:,}",
            "of them": f"{feedback.unknown:,} about unknown predictions, {feedback.repeated:,} repeated, "
            f"{feedback.changed:,} changed, {feedback.wrong + feedback.clock_skewed:,} unusable",
        }
    )


def _held_out(reference: Reference) -> Html:
    return facts(
        {
            "held-out reviews": f"{len(reference.predictions):,}",
            "accuracy": f"{reference.accuracy:.3f}",
            "share of positive ones": f"{reference.labels.mean():.3f}",
            "of the reviews": reference.data_fingerprint,
        }
    )
