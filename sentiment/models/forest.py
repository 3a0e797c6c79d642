"""The forest candidate: many decision trees on the TF-IDF of frequent words."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import Field

from sentiment.evaluation.calibration import calibrate
from sentiment.models.classifier import ForestClassifier
from sentiment.models.engines.processor import instructions
from sentiment.models.features import chunks
from sentiment.models.linear import count_matrix
from sentiment.models.servable import Manifest, package_versions
from sentiment.models.trees import HASH_BITS, NODE, TERM, to_log_odds, weigh_terms
from sentiment.progress import report
from sentiment.settings import Settings

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from scipy.sparse import csr_matrix
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.pipeline import Pipeline

    from sentiment.reviews.table import Reviews

TREES_A_REPORT = 10  # trees that are grown between two reports of progress


class ForestSettings(Settings):
    """The forest candidate."""

    enabled: bool = Field(False, description="train this candidate")
    features: int = Field(10_000, ge=1, description="the terms that the most training reviews have are the features")
    longest_ngram: int = Field(1, ge=1, le=3, description="1: words; 2: and pairs; 3: and triples")
    trees: int = Field(100, ge=1, description="number of trees; time and size grow with it")
    max_depth: int = Field(60, ge=1, description="questions that a tree may ask about a text")
    min_leaf: int = Field(3, ge=1, description="training reviews in a leaf, at least; fewer make larger trees")


def train_forest(
    train: Reviews, settings: ForestSettings, *, seed: int, class_weights: tuple[float, float] = (1.0, 1.0)
) -> Pipeline:
    """Fits a random forest (Breiman 2001, doi:10.1023/A:1010933404324).

    Each tree sees a sample of the reviews, and each of its nodes the square root of the number of features.

    Args:
        train: Cleaned training reviews.
        settings: Features and trees.
        seed: Seed of the samples.
        class_weights: Weight of an error on a negative and on a positive review, > 0.

    Returns:
        A fitted scikit-learn pipeline; see :func:`log_odds`.
    """
    from joblib import cpu_count
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import FunctionTransformer

    report("train forest", 0, settings.trees)
    texts, labels = train.frame["text"].tolist(), train.frame["label"].to_numpy()
    terms = _choose_terms(texts, settings)
    weighting = FunctionTransformer(partial(weight_matrix, terms=terms, longest=settings.longest_ngram))
    features = weighting.transform(texts)
    model = RandomForestClassifier(
        max_depth=settings.max_depth,
        min_samples_leaf=settings.min_leaf,
        class_weight=dict(enumerate(class_weights)),
        n_jobs=cpu_count(),
        random_state=seed,
        warm_start=True,  # the next trees join the ones before
    )
    for trees in [*range(TREES_A_REPORT, settings.trees, TREES_A_REPORT), settings.trees]:
        model.set_params(n_estimators=trees).fit(features, labels)
        report("train forest", trees, settings.trees)
    return make_pipeline(weighting, model.set_params(n_jobs=1))  # several threads would add up in any order


def _choose_terms(texts: Sequence[str], settings: ForestSettings) -> NDArray[np.void]:
    """Returns the terms that the most texts have, ascending by column, with their smoothed IDF."""
    import numpy as np

    counts = count_matrix(texts, longest=settings.longest_ngram, bits=HASH_BITS)
    frequencies = np.bincount(counts.indices, minlength=counts.shape[1])
    columns = np.sort(np.argsort(-frequencies, kind="stable")[: settings.features])
    columns = columns[frequencies[columns] > 0]
    terms = np.zeros(len(columns), TERM)
    terms["column"] = columns
    terms["idf"] = np.log((1 + len(texts)) / (1 + frequencies[columns])) + 1
    return terms


def weight_matrix(texts: Sequence[str], *, terms: NDArray[np.void], longest: int) -> csr_matrix:
    """Returns the features, (texts, terms): see :func:`sentiment.models.trees.weigh_terms`."""
    from scipy.sparse import csr_matrix, vstack

    def matrix(chunk: Sequence[str]) -> csr_matrix:
        found = weigh_terms(chunk, terms, longest)
        return csr_matrix((found.weights, (found.texts, found.features)), shape=(len(chunk), len(terms)))

    return vstack([matrix(chunk) for chunk in chunks(list(texts))], format="csr")


def log_odds(pipeline: Pipeline, texts: Sequence[str]) -> NDArray[np.float64]:
    """Returns the log-odds of the positive label before calibration, shape (n,), by a pipeline of ``train_forest``."""
    return to_log_odds(pipeline.predict_proba(texts)[:, 1])


def export_forest(
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

    ``terms.npy`` has the terms' columns and IDF, ``nodes.npy`` the nodes of all trees.

    Args:
        pipeline: Of :func:`train_forest`.
        validation: Cleaned reviews that it was not fitted on.
        out: The new servable's directory.
        data_fingerprint: Of the splits it was trained on.
        git_commit: Of the code.
        started: ``time.perf_counter()`` before training; None: the manifest has no training time.
        weighted: Whether an error on one label weighed more than on the other: calibration then fits a bias.
    """
    import numpy as np

    weighting, model = (step for _, step in pipeline.steps)
    out.mkdir(parents=True, exist_ok=True)
    np.save(out / "terms.npy", weighting.func.keywords["terms"], allow_pickle=False)
    np.save(out / "nodes.npy", _join_trees(model), allow_pickle=False)
    logits, labels = log_odds(pipeline, validation.frame["text"].tolist()), validation.frame["label"].to_numpy()
    Manifest(
        kind="forest",
        settings={"longest_ngram": weighting.func.keywords["longest"], "trees": len(model.estimators_)},
        **asdict(calibrate(logits, labels, weighted=weighted)),
        training_seconds=None if started is None else time.perf_counter() - started,
        data_fingerprint=data_fingerprint,
        versions=package_versions("scikit-learn", "numpy"),
        git_commit=git_commit,
        engine=ForestClassifier.engine,
        instructions=instructions(),
    ).write(out)


def _join_trees(model: RandomForestClassifier) -> NDArray[np.void]:
    """Returns the nodes of all trees as :func:`sentiment.models.trees.average_leaves` reads them, level by level."""
    import numpy as np

    trees = [estimator.tree_ for estimator in model.estimators_]
    roots = np.cumsum([0, *(tree.node_count for tree in trees)])[:-1]
    pairs = zip(trees, roots, strict=True)
    lower, higher = np.concatenate([[tree.children_left + root, tree.children_right + root] for tree, root in pairs], 1)
    inner = np.concatenate([tree.children_left >= 0 for tree in trees])
    levels = [roots]
    while len(parents := levels[-1][inner[levels[-1]]]):
        levels.append(np.stack([lower[parents], higher[parents]], axis=1).ravel())
    order = np.concatenate(levels)
    places = np.empty_like(order)
    places[order] = np.arange(len(order))
    nodes = np.zeros(len(order), NODE)
    is_inner = inner[order]
    nodes["child"] = np.where(is_inner, places[lower[order]], np.arange(len(order)))
    nodes["feature"] = np.where(is_inner, np.concatenate([tree.feature for tree in trees])[order], 0)
    thresholds = _round_down(np.concatenate([tree.threshold for tree in trees])[order])
    nodes["threshold"] = np.where(is_inner, thresholds, np.inf)
    nodes["positive"] = np.concatenate([tree.value[:, 0, 1] for tree in trees])[order]
    return nodes


def _round_down(thresholds: NDArray[np.float64]) -> NDArray[np.float32]:
    """Returns the largest float32 that is not above each threshold: a float32 feature is above both or neither."""
    import numpy as np

    nearest = thresholds.astype(np.float32)
    return np.where(nearest > thresholds, np.nextafter(nearest, np.float32(-np.inf)), nearest)
