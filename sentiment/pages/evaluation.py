"""The page of an evaluation."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from sentiment.evaluation.calibration import reliability_curve
from sentiment.pages import charts
from sentiment.pages.html import Html, cards, facts, figure, figures, page, paragraph, section, shorten, table, text
from sentiment.reviews.table import LABELS

if TYPE_CHECKING:
    from sentiment.evaluation.bootstrap import Interval
    from sentiment.evaluation.measure import Evaluation, Excerpt


def evaluation_page(evaluation: Evaluation) -> str:
    """Everything measured on one candidate: metrics with intervals, slices, curves, errors, doubtful labels."""
    overall, predictions = evaluation.overall, evaluation.predictions
    labels, p = predictions["label"].to_numpy(), predictions["p_positive"].to_numpy()
    wrong = round(overall.count * (1 - overall.accuracy.value))
    return page(
        f"Evaluation: {evaluation.candidate}",
        paragraph(f"On {overall.count:,} test reviews; {wrong:,} were wrong. Intervals are 95%, by bootstrap.", "soft"),
        cards(
            [
                ("accuracy", f"{overall.accuracy.value:.3f}", _range(overall.accuracy)),
                ("macro-F1", f"{overall.macro_f1.value:.3f}", _range(overall.macro_f1)),
                *(
                    (f"recall of {name}", _value(recall), _range(recall))
                    for name, recall in zip(LABELS, (overall.recall_negative, overall.recall_positive), strict=True)
                ),
                ("ROC-AUC", _value(overall.roc_auc), _range(overall.roc_auc)),
                ("calibration error", f"{overall.ece.value:.3f}", _range(overall.ece)),
                ("Brier score", f"{overall.brier.value:.3f}", _range(overall.brier)),
                ("latency, median", f"{evaluation.latency_ms.p50:.1f} ms", f"p95 {evaluation.latency_ms.p95:.1f} ms"),
                ("throughput", f"{evaluation.reviews_per_second:,.0f}", "reviews a second"),
                ("size", f"{evaluation.size_mb:.1f} MB", "servable directory"),
            ]
        ),
        section("Slices", _slices_chart(evaluation), _slices_table(evaluation)),
        section("Confusion", _confusion(evaluation)),
        section(
            "Curves",
            figures(
                figure(
                    charts.precision_recall(labels, p, evaluation.threshold),
                    f"Precision and recall; the dot is the threshold {evaluation.threshold:.3g}.",
                ),
                figure(
                    charts.reliability(reliability_curve(p, labels, evaluation.ece_bins)),
                    "Reliability: on the dashed line, 0.8 is right eight times in ten.",
                ),
            ),
        ),
        _operating_points(evaluation),
        section("Worst errors", paragraph("The surest wrong answers.", "soft"), _excerpts(evaluation.errors)),
        section(
            "Doubtful labels",
            paragraph("Labels that may be wrong, for review; the figures include all of them.", "soft"),
            _excerpts(evaluation.label_suspects),
        ),
        section(
            "Origin",
            facts({"servable": evaluation.servable_fingerprint, "test reviews": evaluation.data_fingerprint}),
        ),
    )


def _slices_chart(evaluation: Evaluation) -> Html:
    rows = [("all", evaluation.overall.accuracy), *((n, m.accuracy) for n, m in evaluation.slices.items())]
    return figure(
        charts.intervals(rows, "accuracy"), "Accuracy of each slice; the dashed line is the whole test split."
    )


def _slices_table(evaluation: Evaluation) -> Html:
    named = {"all": evaluation.overall, **evaluation.slices}
    rows = [
        (name, f"{m.count:,}", *map(_measured, (m.accuracy, m.macro_f1, m.roc_auc, m.ece, m.brier)))
        for name, m in named.items()
    ]
    return table(["slice", "reviews", "accuracy", "macro-F1", "ROC-AUC", "ECE", "Brier"], rows, numbers=range(1, 7))


def _confusion(evaluation: Evaluation) -> Html:
    """True labels are rows; the tint is the share of the row."""
    head = "".join(f"<th>predicted {name}</th>" for name in LABELS)
    body = ""
    for name, row in zip(LABELS, evaluation.confusion, strict=True):
        body += f"<tr><th>{name}</th>"
        for count in row:
            share = count / max(1, sum(row))
            tint = f"background: color-mix(in srgb, var(--accent) {60 * share:.0f}%, transparent)"
            body += f'<td style="{tint}"><b>{count:,}</b>{100 * share:.1f} %</td>'
        body += "</tr>"
    return Html(f'<table class="confusion"><thead><tr><th></th>{head}</tr></thead><tbody>{body}</tbody></table>')


def _operating_points(evaluation: Evaluation) -> Html:
    """Accuracy against speed for every share of texts that each stage of a cascade sees."""
    points = [point for point in evaluation.operating_points if point.length == "long"]
    chosen = [point for point in evaluation.operating_points if point.chosen]
    if not points:
        return Html("")
    rows = [
        (
            point.length,
            " > ".join(f"{share:.1%}" for share in point.shares),
            f"{point.accuracy:.4f}",
            f"{point.log_loss:.4f}",
            f"{point.reviews_per_second:,.0f}",
        )
        for point in chosen
    ]
    return section(
        "Accuracy against speed",
        paragraph(
            "On the validation split, on all cores of the machine that fitted the cascade. Each dot sends other shares "
            "of the longer texts from stage to stage.",
            "soft",
        ),
        figure(charts.operating_points(points), "The line joins the best accuracy at each speed; the ring is chosen."),
        table(["texts", "share that each stage sees", "accuracy", "log loss", "reviews/s"], rows, numbers=range(2, 5)),
    )


def _excerpts(excerpts: Iterable[Excerpt]) -> Html:
    rows = [(shorten(e.text, 310), LABELS[e.label], f"{e.p_positive:.3f}", e.source) for e in excerpts]
    if not rows:
        return paragraph("None.")
    return table(["text", "label", "P(positive)", "source"], rows, numbers=[2], prose=[0])


def _measured(interval: Interval | None) -> Html:
    return Html(f"{_value(interval)}<small>{_range(interval)}</small>")


def _value(interval: Interval | None) -> str:
    return "none" if interval is None else f"{interval.value:.3f}"


def _range(interval: Interval | None) -> Html:
    return text("one class only" if interval is None else f"{interval.low:.3f} to {interval.high:.3f}")
