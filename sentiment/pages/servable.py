"""The page of a servable, and the model card that goes with it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from sentiment.pages.html import Html, facts, page, section
from sentiment.pages.markdown import literal, table

if TYPE_CHECKING:
    from sentiment.checks import CheckReport
    from sentiment.evaluation.measure import Evaluation
    from sentiment.promotion.approval import Approval
    from sentiment.promotion.decision import Decision


def servable_page(manifest: Mapping[str, object]) -> str:
    """The manifest of a servable, readable; nested parts become sections."""
    return page("Servable", *manifest_sections(manifest))


def manifest_sections(manifest: Mapping[str, object]) -> list[Html]:
    """Returns the plain values, and a section for each nested part."""
    plain = {key: value for key, value in manifest.items() if not isinstance(value, Mapping)}
    nested = {key: value for key, value in manifest.items() if isinstance(value, Mapping)}
    return [_facts(plain), *(section(_words(key), _facts(value)) for key, value in nested.items())]


def _facts(values: Mapping[str, object]) -> Html:
    return facts({_words(key): _plain(value) for key, value in values.items()})


def _words(key: object) -> str:
    return str(key).replace("_", " ")


def _plain(value: object) -> str:
    if isinstance(value, list | tuple) and all(isinstance(v, str | int | float) for v in value):
        return ", ".join(map(str, value))
    return value if isinstance(value, str) else json.dumps(value, default=str, ensure_ascii=False)


def model_card(
    evaluation: Evaluation,
    behaviour: CheckReport,
    decision: Decision,
    *,
    manifest: Mapping[str, object],
    data: Mapping[str, object],
) -> str:
    """A model card in Markdown (Mitchell et al. 2019, "Model Cards for Model Reporting", doi 10.1145/3287560.3287596).

    Args:
        evaluation: Of the promoted candidate.
        behaviour: Its behavioural report.
        decision: Why it was promoted.
        manifest: Of its servable.
        data: Facts about its training data, name and value: sources, counts, citations; no review text.
    """
    weak = [check for check in behaviour.checks if check.score]
    weakest = sorted(weak, key=lambda check: -(check.score or 0))[:5]
    parts = [
        f"# Sentiment classifier: {literal(evaluation.candidate)}",
        f"Classifies a review in English as positive or negative, with a calibrated score.{_stages(manifest)}",
        "## Intended use",
        "Reviews of films, books and similar products, one at a time or in bulk: monitoring opinion, sorting feedback, "
        "finding reviews to read. The probability is calibrated on validation reviews: use it to leave doubtful "
        "reviews to people.",
        "## Not intended for",
        "Decisions about persons; other languages; neutral or mixed texts (there is no third class); irony as the only "
        "clue; texts of other kinds (medical, legal, financial) without an evaluation on such texts.",
        "## Data",
        table(("", ""), data.items()),
        "## Metrics",
        f"Test split of {evaluation.overall.count:,} reviews that had no part in training; 95% bootstrap intervals.",
        table(("metric", "value"), _metric_rows(evaluation)),
        "## Slices",
        table(("slice", "reviews", "accuracy", "macro-F1", "ECE"), _slice_rows(evaluation)),
        "## Behaviour",
        f"{len(behaviour.checks) - len(behaviour.failures())} of {len(behaviour.checks)} checks passed.",
        table(
            ("check", "severity", "passed", "observed", "limit"),
            [(c.name, c.severity, "yes" if c.passed else "NO", c.observed, c.limit) for c in behaviour.checks],
        ),
        "## Limits",
        _limits(evaluation, [f"{c.name} ({c.observed})" for c in weakest]),
        "## Decision",
        f"{'Promoted' if decision.promote else 'Not promoted'}: {literal(decision.reason)}",
        "## Servable",
        table(("", ""), [(_words(key), _plain(value)) for key, value in manifest.items()]),
    ]
    return "\n\n".join(parts) + "\n"


def add_approval(card: str, approval: Approval) -> str:
    """Returns the model card with this approval as its first section; it replaces an earlier one."""
    head, *sections = card.rstrip("\n").split("\n\n## ")
    own = f"Approval\n\n{literal(approval)}"  # first: MLflow shortens a card at its end
    return "\n\n## ".join([head, own, *(s for s in sections if not s.startswith("Approval\n"))]) + "\n"


def _stages(manifest: Mapping[str, object]) -> str:
    settings = manifest.get("settings")
    stages = settings.get("stages", ()) if isinstance(settings, Mapping) else ()
    if not stages:
        return ""
    return f" Its stages, from cheap to costly: {literal(' > '.join(stages))}; each passes on what it is unsure of."


def _metric_rows(evaluation: Evaluation) -> list[tuple[str, object]]:
    overall = evaluation.overall
    return [
        ("accuracy", overall.accuracy),
        ("macro-F1", overall.macro_f1),
        *(
            (f"recall of {name}", recall)
            for name, recall in (("negative", overall.recall_negative), ("positive", overall.recall_positive))
            if recall
        ),
        ("ROC-AUC", overall.roc_auc or "one class only"),
        ("expected calibration error", overall.ece),
        ("Brier score", overall.brier),
        ("latency of one text", f"p50 {evaluation.latency_ms.p50:.1f} ms, p95 {evaluation.latency_ms.p95:.1f} ms"),
        ("throughput", f"{evaluation.reviews_per_second:,.0f} reviews a second"),
        ("size", f"{evaluation.size_mb:.1f} MB"),
    ]


def _slice_rows(evaluation: Evaluation) -> list[tuple[object, ...]]:
    return [(n, f"{m.count:,}", m.accuracy, m.macro_f1, m.ece) for n, m in evaluation.slices.items()]


def _limits(evaluation: Evaluation, weakest: Sequence[str]) -> str:
    lines = ["Trained on reviews by users who write English; it has their habits and their blind spots."]
    if evaluation.slices:
        name, metrics = min(evaluation.slices.items(), key=lambda item: item[1].accuracy.value)
        lines.append(f"Weakest slice: {name}, accuracy {metrics.accuracy}.")
    if weakest:
        lines.append(f"Fails most often in: {', '.join(weakest)}.")
    if evaluation.label_suspects:
        lines.append("Some test labels are doubtful (cleanlab); they were left in, so some errors may not be errors.")
    return "\n".join(f"- {literal(line)}" for line in lines)
