"""Reference: the answers of a version to held-out reviews, with which its windows are compared."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd  # at run time: pydantic and ZenML read this annotation

from sentiment.errors import UserError
from sentiment.monitoring.sketch import sketch
from sentiment.reviews.table import NEGATIVE, POSITIVE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sentiment.evaluation.bootstrap import Floats, Labels
    from sentiment.reviews.table import Reviews

FEWEST = 10  # reviews of each label


@dataclass(frozen=True)
class Reference:
    """The answers of a version to reviews that it was not trained on, in the form of the prediction log: without texts.

    Attributes:
        predictions: One row a review: ``label`` (int64: 0 negative, 1 positive; the truth), ``positive`` (calibrated
            probability), ``words``, ``characters``, ``sketch``.
        model_version: Whose predictions these are.
        data_fingerprint: Of the reviews it was taken from.
        threshold: P(positive) above which the version says positive.
    """

    predictions: pd.DataFrame
    model_version: str
    data_fingerprint: str
    threshold: float = 0.5

    @property
    def labels(self) -> Labels:
        """The truth, shape (n,)."""
        return self.predictions["label"].to_numpy()

    @property
    def positive(self) -> Floats:
        """Calibrated probability of the positive label, shape (n,)."""
        return self.predictions["positive"].to_numpy()

    @property
    def says_positive(self) -> NDArray[np.bool_]:
        """Whether each answer is positive, shape (n,)."""
        return np.asarray(self.positive > self.threshold)

    @property
    def scores(self) -> Floats:
        """Calibrated probability of each answer, shape (n,)."""
        return np.asarray(np.where(self.says_positive, self.positive, 1 - self.positive))

    @property
    def correct(self) -> NDArray[np.bool_]:
        """Whether each answer was right, shape (n,)."""
        return np.asarray(self.says_positive == (self.labels == 1))

    @property
    def accuracy(self) -> float:
        """Share of right answers."""
        return float(self.correct.mean())

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 (hex) over the predictions and whose they are."""
        digest = hashlib.sha256(f"{self.model_version}:{self.data_fingerprint}".encode())
        if self.threshold != Reference.threshold:  # the fingerprints of older references stay as they are
            digest.update(str(self.threshold).encode())
        digest.update(pd.util.hash_pandas_object(self.predictions, index=False).to_numpy().tobytes())
        return digest.hexdigest()

    def save(self, path: Path) -> None:
        """Writes ``predictions.parquet`` and ``reference.json`` into the directory ``path``."""
        self.predictions.to_parquet(path / "predictions.parquet", index=False)
        whose = {name: getattr(self, name) for name in ("model_version", "data_fingerprint", "threshold")}
        (path / "reference.json").write_text(json.dumps(whose, indent=2) + "\n", encoding="utf-8")

    @classmethod
    def load(cls, path: Path) -> Reference:
        """Reads the files of :meth:`save`."""
        whose = json.loads((path / "reference.json").read_text(encoding="utf-8"))
        return cls(pd.read_parquet(path / "predictions.parquet"), **whose)


def build_reference(
    reviews: Reviews, p_positive: Floats, *, model_version: str, rows: int, seed: int, threshold: float = 0.5
) -> Reference:
    """Takes a sample of held-out reviews as the reference.

    Args:
        reviews: Of the version's test split.
        p_positive: P(positive) from its evaluation, shape (n,), in their order.
        model_version: Number of the version.
        rows: Size of the sample; all if there are fewer.
        seed: Of the sample.
        threshold: P(positive) above which the version says positive.

    Raises:
        UserError: If there are too few reviews to compare anything with.
        ValueError: If there is not one probability for each review.
    """
    if len(reviews) != len(p_positive):
        raise ValueError(f"{len(p_positive)} probabilities for {len(reviews)} reviews")
    if reviews.frame["label"].value_counts().reindex((NEGATIVE, POSITIVE), fill_value=0).min() < FEWEST:
        raise UserError(
            f"the test split has fewer than {FEWEST} reviews of a label, so nothing can be compared with it",
            where=f"version {model_version}",
            remedy="Train on a source that has enough of both.",
        )
    chosen = np.sort(np.random.default_rng(seed).permutation(len(reviews))[:rows])
    texts = reviews.frame["text"].iloc[chosen].tolist()
    frame = pd.DataFrame(
        {
            "label": reviews.frame["label"].to_numpy(np.int64)[chosen],
            "positive": np.asarray(p_positive, np.float64)[chosen].round(6),  # as the prediction log has it
            "words": [len(text.split()) for text in texts],
            "characters": [len(text) for text in texts],
            "sketch": pd.Series([sketch(text) for text in texts], dtype="str"),
        }
    )
    return Reference(frame, model_version, reviews.fingerprint, threshold)
