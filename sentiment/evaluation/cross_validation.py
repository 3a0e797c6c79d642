"""Cross-validation: a recipe trained and scored on several parts of the training split, to see how much it varies."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, model_validator

from sentiment.errors import UserError
from sentiment.evaluation.bootstrap import accuracy, confusion_features, macro_f1
from sentiment.progress import report
from sentiment.reviews.table import LABELS, Reviews
from sentiment.settings import Settings

if TYPE_CHECKING:
    from numpy.typing import NDArray


class CrossValidationSettings(Settings):
    """Cross-validation of the candidates that scikit-learn fits: a reading of how much a score varies."""

    folds: int = Field(0, ge=0, le=20, description="parts of the training split, such as 5; 0: no cross-validation")

    @model_validator(mode="after")
    def _enough_folds(self) -> CrossValidationSettings:
        if self.folds == 1:
            raise ValueError("one fold leaves nothing to train on: folds must be 0 (off), or 2 or more")
        return self


class Fitted(Protocol):
    """A fitted model, such as a scikit-learn pipeline."""

    def predict(self, X: Sequence[str], /) -> NDArray[Any]:  # noqa: N803  # scikit-learn's name
        """Returns the label of each of n texts, 0 or 1, shape (n,)."""


class Fold(BaseModel):
    """The scores on one fold of a model that was trained on the other ones.

    Attributes:
        reviews: Number of reviews in the fold.
        accuracy: Share of right labels, in [0, 1].
        macro_f1: Mean of the F1 of both classes, in [0, 1].
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    reviews: int
    accuracy: float
    macro_f1: float


class Spread(BaseModel):
    """The mean of a score over the folds, and its sample standard deviation (n - 1), both in the score's unit."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    mean: float
    deviation: float

    def __str__(self) -> str:
        return f"{self.mean:.3f} ± {self.deviation:.3f}"


class CrossValidation(BaseModel):
    """The cross-validation of one candidate.

    Attributes:
        candidate: Its name.
        data_fingerprint: Of the reviews that were divided into folds.
        seed: Of the folds: the same for every candidate, so that their folds are the same, too.
        folds: The scores on each fold, at least two.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    candidate: str
    data_fingerprint: str
    seed: int
    folds: tuple[Fold, ...] = Field(min_length=2)

    @property
    def accuracy(self) -> Spread:
        """The accuracy over the folds."""
        return self._spread("accuracy")

    @property
    def macro_f1(self) -> Spread:
        """The macro-F1 over the folds."""
        return self._spread("macro_f1")

    def _spread(self, metric: str) -> Spread:
        scores = [getattr(fold, metric) for fold in self.folds]
        return Spread(mean=float(np.mean(scores)), deviation=float(np.std(scores, ddof=1)))


def require_enough_reviews(reviews: Reviews, folds: int) -> None:
    """Checks that every fold gets a review of each label.

    Raises:
        UserError: If a label has fewer reviews than there are folds.
    """
    for value, label in enumerate(LABELS):
        count = int((reviews.frame["label"] == value).sum())
        if count < folds:
            at_most = f"Set it to {count} or less, or" if count > 1 else "Set it"
            raise UserError(
                f"{folds} folds need {folds} {label} reviews for training, and there are {count}",
                where="cross_validation.folds",
                remedy=f"{at_most} to 0 (off), or add reviews of that label.",
            )


def cross_validate(
    train: Reviews, fit: Callable[[Reviews], Fitted], *, candidate: str, folds: int, seed: int
) -> CrossValidation:
    """Trains on all folds but one and scores on that one, once for each fold.

    Folds are stratified by label (Kohavi 1995, "A Study of Cross-Validation and Bootstrap for Accuracy Estimation and
    Model Selection", https://www.ijcai.org/Proceedings/95-2/Papers/016.pdf). A split holds no near copies
    (:func:`sentiment.reviews.splitting.split` keeps one text of each group), so none of them stands on both sides.
    The labels are those of the fit itself, which is neither calibrated nor given another decision threshold.

    Args:
        train: The training split: the reviews that choices are made on, or measured on, stay out.
        fit: Trains a model on reviews; it must be a new one at each call.
        candidate: Name of the candidate, as shown.
        folds: Number of folds, at least 2.
        seed: Of the order in which reviews are dealt into folds.

    Raises:
        UserError: If a label has fewer reviews than there are folds.
    """
    from sklearn.model_selection import StratifiedKFold

    require_enough_reviews(train, folds)
    labels = train.frame["label"].to_numpy(dtype=np.int64)
    task = f"cross-validate {candidate}"
    scores = []
    report(task, 0, folds)
    dealt = StratifiedKFold(folds, shuffle=True, random_state=seed).split(labels, labels)
    for done, (others, held_out) in enumerate(dealt, start=1):
        model = fit(Reviews(train.frame.iloc[others].reset_index(drop=True)))
        predicted = np.asarray(model.predict(train.frame["text"].iloc[held_out].tolist()), dtype=np.int64)
        confusion = confusion_features(labels[held_out], predicted).sum(axis=0)
        scores.append(
            Fold(reviews=len(held_out), accuracy=float(accuracy(confusion)), macro_f1=float(macro_f1(confusion)))
        )
        report(task, done, folds, accuracy=scores[-1].accuracy)
    return CrossValidation(candidate=candidate, data_fingerprint=train.fingerprint, seed=seed, folds=tuple(scores))
