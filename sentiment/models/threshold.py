"""Moves the threshold of a trained servable: which label it gives, not how probable it is."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from sentiment.evaluation.calibration import measure_labels
from sentiment.models.classifier import Classifier
from sentiment.models.servable import Servable

if TYPE_CHECKING:
    from sentiment.reviews.table import Reviews


def move_threshold(servable: Servable, validation: Reviews, threshold: float, out: Path) -> Servable:
    """Copies a servable with another threshold; its validation figures are measured again.

    Args:
        servable: The calibrated servable.
        validation: The reviews that it was calibrated on.
        threshold: P(positive) above which the label is positive, in (0, 1).
        out: Directory of the copy.
    """
    from joblib import cpu_count

    classifier = Classifier.load(servable.path, threads=cpu_count())
    p_positive = classifier.predict_proba(validation.frame["text"].tolist())
    accuracy, macro_f1 = measure_labels(p_positive > threshold, validation.frame["label"])
    shutil.copytree(servable.path, out, dirs_exist_ok=True)
    moved = replace(servable.manifest, threshold=threshold, validation_accuracy=accuracy, validation_macro_f1=macro_f1)
    moved.write(out)
    return Servable(out)
