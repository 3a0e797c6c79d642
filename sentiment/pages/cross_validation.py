"""The page of a cross-validation."""

from __future__ import annotations

from sentiment.evaluation.cross_validation import CrossValidation
from sentiment.pages.html import cards, facts, page, paragraph, section, table


def cross_validation_page(found: CrossValidation) -> str:
    """The mean and the deviation of the scores, and the scores on every fold."""
    rows = [
        (number, f"{fold.reviews:,}", f"{fold.accuracy:.4f}", f"{fold.macro_f1:.4f}")
        for number, fold in enumerate(found.folds, start=1)
    ]
    return page(
        f"Cross-validation: {found.candidate}",
        paragraph(
            f"Trained {len(found.folds)} times on the training split without one fold, and scored on that fold. "
            "Folds are stratified by label; no near copy of a text is in the split.",
            "soft",
        ),
        cards(
            (name, f"{spread.mean:.3f}", f"standard deviation {spread.deviation:.4f}")
            for name, spread in (("accuracy", found.accuracy), ("macro-F1", found.macro_f1))
        ),
        section("Folds", table(["fold", "reviews", "accuracy", "macro-F1"], rows, numbers=range(4))),
        section("Origin", facts({"training reviews": found.data_fingerprint, "seed": found.seed})),
    )
