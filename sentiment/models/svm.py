"""The SVM candidate: a linear support vector machine on the features of the linear candidate."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from sentiment.models.linear import WordFeatureSettings, fit_on_words

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline

    from sentiment.reviews.table import Reviews


class SvmSettings(WordFeatureSettings):
    """The SVM candidate."""

    enabled: bool = Field(False, description="train this candidate")
    inverse_regularization: float = Field(1.0, gt=0, description="C of the support vector machine")


def train_svm(
    train: Reviews, settings: SvmSettings, *, seed: int, class_weights: tuple[float, float] = (1.0, 1.0)
) -> Pipeline:
    """Fits a linear support vector machine (Cortes and Vapnik 1995, doi:10.1007/BF00994018).

    The loss is the squared hinge, the solver is dual coordinate descent (Hsieh et al. 2008,
    doi:10.1145/1390156.1390208). The fit is a weight for each feature, as that of the linear candidate is, so
    :func:`sentiment.models.linear.export_linear` exports it and the same classifier reads it. Its margin stands for
    log-odds: calibration finds their scale, as Platt scaling does (Platt 1999).

    Args:
        train: Cleaned training reviews.
        settings: Features and regularisation.
        seed: Seed of the solver.
        class_weights: Weight of an error on a negative and on a positive review, > 0.

    Returns:
        A fitted scikit-learn pipeline; ``decision_function`` gives the margin, which is positive where the label is.
    """
    from sklearn.svm import LinearSVC

    model = LinearSVC(C=settings.inverse_regularization, class_weight=dict(enumerate(class_weights)), random_state=seed)
    return fit_on_words(train, settings, model, task="train svm")
