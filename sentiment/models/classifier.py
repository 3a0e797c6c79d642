"""The Classifier: one interface to every kind of servable, for evaluation and for serving.

It needs numpy; for a transformer, also tokenizers, and openvino or onnxruntime. It needs neither torch nor transformers
nor scikit-learn.
"""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from sentiment.errors import UserError
from sentiment.models.engines.choice import load_engine
from sentiment.models.features import chunks, count_terms
from sentiment.models.plain_text import to_plain_text
from sentiment.models.servable import Manifest
from sentiment.models.trees import average_leaves, require_whole, to_log_odds, weigh_terms
from sentiment.models.truncation import encode

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Prediction:
    """The answer for one text.

    Attributes:
        label: Positive if its probability is above the threshold of the manifest; otherwise negative.
        score: The label's calibrated probability, in [0, 1]; at the threshold 0.5, in [0.5, 1].
        positive: Calibrated probability of the positive label, in [0, 1].
    """

    label: str
    score: float
    positive: float


class Classifier(ABC):
    """A loaded servable. Thread-safe: predicting changes no state.

    Attributes:
        manifest: Its manifest.
        engine: The library that computes it, and how: ``numpy``, or a name of
            :data:`sentiment.models.engines.choice.ENGINES`.
        words_only: Whether it sees words but not how they belong together, as negations and contrasts do.
    """

    engine = "numpy"
    words_only = False

    def __init__(self, manifest: Manifest) -> None:
        self.manifest = manifest

    @staticmethod
    def load(path: Path | str, *, threads: int = 1) -> Classifier:
        """Loads the servable in the directory ``path``.

        Args:
            path: The directory.
            threads: Batches computed in parallel, one thread each; 1 is best for a service with a worker a core.

        Raises:
            UserError: If the directory is not a servable of a known kind, or files are missing or damaged.
        """
        path = Path(path)
        manifest = Manifest.read(path)
        if manifest.kind not in KINDS:
            raise UserError(f"unknown kind {manifest.kind!r}", where=str(path), remedy=f"Known: {', '.join(KINDS)}.")
        try:
            return KINDS[manifest.kind](path, manifest, threads)
        except UserError:
            raise
        except Exception as error:  # each library raises its own error for a damaged file
            reason = (str(error).strip() or "no message").splitlines()[0]
            raise UserError(
                f"the {manifest.kind} model cannot be loaded ({type(error).__name__}: {reason})",
                where=str(path),
                remedy="Its files are damaged or missing: train again, or roll back.",
            ) from error

    @abstractmethod
    def _logits(self, texts: Sequence[str]) -> Floats:
        """Computes the log-odds of the positive label before calibration, shape (n,), from plain texts."""

    def warm_up(self) -> None:
        """Does in advance the work that first calls would wait for; takes up to a few seconds."""
        self.predict_proba(["The first call is the slowest one."])

    def _calibrated(self, texts: Sequence[str]) -> Floats:
        """Computes the calibrated log-odds, shape (n,), from plain texts."""
        return (self._logits(texts) + self.manifest.bias) / self.manifest.temperature

    def logits(self, texts: Sequence[str]) -> Floats:
        """Returns the log-odds of the positive label before calibration, shape (n,).

        Raises:
            TypeError: If ``texts`` is no sequence of texts.
        """
        return self._logits(_to_plain_texts(texts))

    def calibrated_logits(self, texts: Sequence[str]) -> Floats:
        """Returns the log-odds of the positive label, shape (n,).

        Texts may hold markup: it is removed here, once, so that every part of a model sees the same text.

        Raises:
            TypeError: If ``texts`` is no sequence of texts.
        """
        return self._calibrated(_to_plain_texts(texts))

    def predict_proba(self, texts: Sequence[str]) -> Floats:
        """Returns the calibrated probability of the positive label, shape (n,), in [0, 1]."""
        if not len(texts):
            return np.zeros(0)
        return np.asarray(1 / (1 + np.exp(-np.clip(self.calibrated_logits(texts), -30, 30))))

    def predict(self, texts: Sequence[str]) -> list[Prediction]:
        """Returns label and calibrated score of every text, in order."""
        return [self.label(positive) for positive in self.predict_proba(texts).tolist()]

    def label(self, positive: float) -> Prediction:
        """Returns label and score of a text with this calibrated probability of the positive label."""
        says_positive = positive > self.manifest.threshold
        return Prediction(self.manifest.labels[says_positive], positive if says_positive else 1 - positive, positive)


def _to_plain_texts(texts: Sequence[str]) -> list[str]:
    if isinstance(texts, str):
        raise TypeError("give a list of texts, not a single text")
    wrong = next(((n, text) for n, text in enumerate(texts, 1) if not isinstance(text, str)), None)
    if wrong:
        raise TypeError(f"text {wrong[0]} of {len(texts)} is {type(wrong[1]).__name__}, not a text: {wrong[1]!r:.40}")
    return [to_plain_text(text) for text in texts]


class LinearClassifier(Classifier):
    """A linear model on weighted, hashed words and word sequences: scikit-learn's fit as a two-column table."""

    words_only = True

    def __init__(self, path: Path, manifest: Manifest, threads: int) -> None:
        super().__init__(manifest)
        self._longest, self._intercept = (manifest.settings[name] for name in ("longest_ngram", "intercept"))
        table = np.load(path / "linear.npy", mmap_mode="r")  # memory-mapped: the workers of a service share it
        self._rows = np.asarray(table).view(np.uint64)[:, 0]  # a row as one number is found in half the time
        self._bits = len(table).bit_length() - 1

    def _logits(self, texts: Sequence[str]) -> Floats:
        return np.concatenate([np.zeros(0), *map(self._chunk_logits, chunks(texts))])

    def _chunk_logits(self, texts: Sequence[str]) -> Floats:
        found = count_terms(texts, self._longest, self._bits)
        weights, coefficients = self._rows[found.columns].view(np.float32).reshape(-1, 2).T.astype(np.float64)
        features = (1 + np.log(found.counts)) * weights
        products = np.bincount(found.texts, features * coefficients, len(texts))
        squares = np.bincount(found.texts, features**2, len(texts))
        norms = np.sqrt(np.where(squares > 0, squares, 1.0))  # 0: a text without a known word
        return np.asarray(products / norms + self._intercept)


class ForestClassifier(Classifier):
    """A random forest on the TF-IDF of frequent words: scikit-learn's fit as a table of terms and a table of nodes."""

    words_only = True

    def __init__(self, path: Path, manifest: Manifest, threads: int) -> None:
        super().__init__(manifest)
        self._longest, self._trees = (manifest.settings[name] for name in ("longest_ngram", "trees"))
        # memory-mapped: the workers of a service share them
        self._terms, self._nodes = (np.asarray(np.load(path / f"{n}.npy", mmap_mode="r")) for n in ("terms", "nodes"))
        require_whole(self._nodes, self._trees, len(self._terms))

    def _logits(self, texts: Sequence[str]) -> Floats:
        return np.concatenate([np.zeros(0), *map(self._chunk_logits, chunks(texts))])

    def _chunk_logits(self, texts: Sequence[str]) -> Floats:
        found = weigh_terms(texts, self._terms, self._longest)
        features = np.zeros((len(texts), len(self._terms)), np.float32)
        features[found.texts, found.features] = found.weights
        return to_log_odds(average_leaves(self._nodes, self._trees, features))


class TransformerClassifier(Classifier):
    """A fine-tuned encoder, or an LSTM: an engine runs either from token ids to log-odds."""

    def __init__(self, path: Path, manifest: Manifest, threads: int) -> None:
        from tokenizers import Tokenizer

        super().__init__(manifest)
        self._framing = {name: manifest.settings[name] for name in ("max_length", "head_share", "cls_id", "sep_id")}
        self._engine = load_engine(path, manifest.settings, threads=threads)
        self.engine = self._engine.name
        # Rust's tokenizer starts a thread a core otherwise; it reads the setting once, at the first batch.
        os.environ.setdefault("TOKENIZERS_PARALLELISM", "false" if threads == 1 else "true")
        self._tokenizer = Tokenizer.from_file(str(path / "tokenizer.json"))
        self._tokenizer.no_padding()
        self._tokenizer.no_truncation()

    def _logits(self, texts: Sequence[str]) -> Floats:
        return self._engine.log_odds(encode(self._tokenizer, texts, **self._framing))

    def warm_up(self) -> None:
        """Also compiles what the engine needs for texts of any length."""
        super().warm_up()
        self._engine.warm_up(self._framing["max_length"])


LENGTHS: tuple[Literal["brief", "short", "long"], ...] = (
    "brief",
    "short",
    "long",
)  # of texts: a cascade has bands and weights for each


class CascadeClassifier(Classifier):
    """Stages from cheap to costly: a text that the stages so far are sure of is answered, the others go on.

    Attributes:
        stages: The classifier of every stage by name, the cheapest first.
    """

    def __init__(self, path: Path, manifest: Manifest, threads: int) -> None:
        super().__init__(manifest)
        self._bounds = manifest.settings["word_bounds"]
        self._bands = [[join[length]["band"] for length in LENGTHS] for join in manifest.settings["joins"]]
        self._weights = [[join[length]["weights"] for length in LENGTHS] for join in manifest.settings["joins"]]
        self.stages = {name: Classifier.load(path / name, threads=threads) for name in manifest.settings["stages"]}
        self.engine = join_engines([stage.engine for stage in self.stages.values()])

    def warm_up(self) -> None:
        """Warms up every stage: one text alone might need the first one only."""
        for stage in self.stages.values():
            stage.warm_up()

    def _logits(self, texts: Sequence[str]) -> Floats:
        first, *others = self.stages.values()
        logits = first._calibrated(texts)
        lengths = measure_lengths(texts, self._bounds)
        rows = np.arange(len(texts))
        for stage, bands, weights in zip(others, self._bands, self._weights, strict=True):
            rows = rows[np.abs(logits[rows]) < np.asarray(bands)[lengths[rows]]]
            if not len(rows):
                break
            answers = stage._calibrated([texts[row] for row in rows.tolist()])
            logits[rows] = combine(logits[rows], answers, np.asarray(weights)[lengths[rows]].T)
        return logits


def join_engines(engines: Sequence[str]) -> str:
    """Names the engines of several stages, each once; ``numpy`` computes the linear model beside any other."""
    return "+".join(dict.fromkeys(e for e in engines if e != Classifier.engine)) or Classifier.engine


def measure_lengths(texts: Sequence[str], bounds: Sequence[int]) -> NDArray[np.int64]:
    """Returns the length of every plain text as a position in ``LENGTHS``, shape (n,).

    Args:
        texts: Plain texts.
        bounds: The most words of a brief and of a short text, ascending.
    """
    words = np.fromiter((len(text.split()) for text in texts), dtype=np.int64, count=len(texts))
    return np.asarray(np.searchsorted(bounds, words))


def combine(first: Floats, second: Floats, weights: Sequence[float] | Floats) -> Floats:
    """Returns the weighted sum of two models' log-odds, shape (n,): logarithmic pooling (Genest and Zidek 1986).

    Args:
        first: Log-odds, shape (n,).
        second: Log-odds, shape (n,).
        weights: Of the first and of the second; each a number, or an array of shape (n,).
    """
    return np.asarray(weights[0] * first + weights[1] * second)


KINDS: dict[str, type[LinearClassifier | TransformerClassifier | CascadeClassifier | ForestClassifier]] = {
    "linear": LinearClassifier,
    "transformer": TransformerClassifier,
    "lstm": TransformerClassifier,
    "cascade": CascadeClassifier,
    "forest": ForestClassifier,
}
