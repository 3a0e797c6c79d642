"""The linear candidate: weighted words and word sequences, logistic regression. Simple, fast, and hard to beat."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import Field

from sentiment.evaluation.calibration import calibrate
from sentiment.models.classifier import LinearClassifier
from sentiment.models.engines.processor import instructions
from sentiment.models.features import chunks, count_terms
from sentiment.models.servable import Manifest, package_versions
from sentiment.progress import report
from sentiment.settings import Settings

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from scipy.sparse import csr_matrix
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import Pipeline
    from sklearn.svm import LinearSVC

    from sentiment.reviews.table import Reviews


class WordFeatureSettings(Settings):
    """The features of a model that adds up words: counts of word sequences, hashed and weighted."""

    longest_ngram: int = Field(3, ge=1, le=3, description="1: words; 2: and pairs; 3: and triples")
    min_reviews: int = Field(2, ge=1, description="features found in fewer training reviews are ignored")
    naive_bayes_weights: bool = Field(True, description="weigh a feature also by how unevenly the classes use it")
    hash_bits: int = Field(22, ge=10, le=24, description="2**bits columns; hashing needs no vocabulary at serving time")


class LinearSettings(WordFeatureSettings):
    """The linear candidate."""

    enabled: bool = Field(True, description="train this candidate")
    inverse_regularization: float = Field(10.0, gt=0, description="C of the logistic regression")


def train_linear(
    train: Reviews, settings: LinearSettings, *, seed: int, class_weights: tuple[float, float] = (1.0, 1.0)
) -> Pipeline:
    """Fits the linear candidate: logistic regression on the features of :func:`fit_on_words`.

    Args:
        train: Cleaned training reviews.
        settings: Features and regularisation.
        seed: Seed of the solver.
        class_weights: Weight of an error on a negative and on a positive review, > 0.

    Returns:
        A fitted scikit-learn pipeline; ``decision_function`` gives the log-odds of the positive label.
    """
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(
        C=settings.inverse_regularization,
        class_weight=dict(enumerate(class_weights)),
        solver="liblinear",
        random_state=seed,
    )
    return fit_on_words(train, settings, model, task="train linear")


def fit_on_words(
    train: Reviews, settings: WordFeatureSettings, model: LogisticRegression | LinearSVC, *, task: str
) -> Pipeline:
    """Computes the features of words and fits a linear model on them.

    TF-IDF of word sequences, each weighted by the absolute log-ratio of its frequency in the two classes (Wang and
    Manning 2012, "Baselines and Bigrams", https://aclanthology.org/P12-2018). Features are hashed (Weinberger et al.
    2009, doi:10.1145/1553374.1553516) instead of looked up: there is no vocabulary to store, load and keep in memory.

    Args:
        train: Cleaned training reviews.
        settings: The features.
        model: The model to fit.
        task: Name of the work in the reports of progress.

    Returns:
        A fitted pipeline, as :func:`export_linear` takes it: hashing, weighting, model.
    """
    import numpy as np
    from sklearn.feature_extraction.text import TfidfTransformer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import FunctionTransformer

    labels = train.frame["label"].to_numpy()
    hashing = FunctionTransformer(partial(count_matrix, longest=settings.longest_ngram, bits=settings.hash_bits))
    report(task, 0, 3)
    counts = hashing.transform(train.frame["text"])
    report(task, 1, 3)
    weighting = TfidfTransformer(sublinear_tf=True).fit(counts)
    weighting.idf_ = weighting.idf_.astype(np.float32) * _weights(counts, labels, settings)
    features = weighting.transform(counts)
    features.eliminate_zeros()
    report(task, 2, 3)
    model.fit(features, labels)
    model.coef_ = model.coef_.astype(np.float32)
    report(task, 3, 3)
    return make_pipeline(hashing, weighting, model)


def count_matrix(texts: Sequence[str], *, longest: int, bits: int) -> csr_matrix:
    """Returns the counts of terms, (texts, 2**bits): see :func:`sentiment.models.features.count_terms`."""
    import numpy as np
    from scipy.sparse import csr_matrix, vstack

    def matrix(chunk: Sequence[str]) -> csr_matrix:
        found = count_terms(chunk, longest, bits)
        shape = (len(chunk), 2**bits)
        return csr_matrix((found.counts.astype(np.float32), (found.texts, found.columns)), shape=shape)

    return vstack([matrix(chunk) for chunk in chunks(list(texts))], format="csr")


def _weights(counts: csr_matrix, labels: NDArray[np.int64], settings: WordFeatureSettings) -> NDArray[np.float32]:
    """Weight of every column: 0 where too few reviews have it (as ``min_df`` does where there is a vocabulary)."""
    import numpy as np

    columns = counts.shape[1]
    of_positive = np.repeat(labels == 1, np.diff(counts.indptr))
    positive = np.bincount(counts.indices[of_positive], minlength=columns)
    negative = np.bincount(counts.indices[~of_positive], minlength=columns)
    kept = positive + negative >= settings.min_reviews
    if not settings.naive_bayes_weights:
        return kept.astype(np.float32)
    p, q = positive + 1.0, negative + 1.0
    return np.asarray(kept * np.abs(np.log((p / p.sum()) / (q / q.sum()))), dtype=np.float32)


def export_linear(
    pipeline: Pipeline,
    validation: Reviews,
    out: Path,
    *,
    data_fingerprint: str,
    git_commit: str,
    started: float | None = None,
    weighted: bool = False,
) -> None:
    """Calibrates a fitted pipeline on validation reviews and writes it as a servable into ``out``.

    ``linear.npy`` has a row for every column of the features: the weight of its count, and its coefficient.

    Args:
        pipeline: Of :func:`fit_on_words`: logistic regression, or a linear SVM.
        validation: Cleaned reviews that it was not fitted on.
        out: The new servable's directory.
        data_fingerprint: Of the splits it was trained on.
        git_commit: Of the code.
        started: ``time.perf_counter()`` before training; None: the manifest has no training time.
        weighted: Whether an error on one label weighed more than on the other: calibration then fits a bias.
    """
    import numpy as np

    hashing, weighting, model = (step for _, step in pipeline.steps)
    out.mkdir(parents=True, exist_ok=True)
    table = np.stack([weighting.idf_, model.coef_[0]], axis=1).astype(np.float32)
    np.save(out / "linear.npy", table, allow_pickle=False)
    logits, labels = pipeline.decision_function(validation.frame["text"]), validation.frame["label"].to_numpy()
    Manifest(
        kind="linear",
        settings={"longest_ngram": hashing.func.keywords["longest"], "intercept": float(model.intercept_[0])},
        **asdict(calibrate(logits, labels, weighted=weighted)),
        training_seconds=None if started is None else time.perf_counter() - started,
        data_fingerprint=data_fingerprint,
        versions=package_versions("scikit-learn", "numpy"),
        git_commit=git_commit,
        engine=LinearClassifier.engine,
        instructions=instructions(),
    ).write(out)
