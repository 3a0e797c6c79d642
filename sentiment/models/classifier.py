"""The Classifier: one interface over every servable; what is evaluated is what is served.

Needs numpy, and onnxruntime and tokenizers (transformer) or mmh3 (linear); a cascade needs both. Neither torch nor
transformers nor scikit-learn.
"""

from __future__ import annotations

import html
import os
import re
from abc import ABC, abstractmethod
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from sentiment.errors import UserError
from sentiment.models.features import columns, terms
from sentiment.models.servable import Manifest
from sentiment.models.truncation import encode

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Mask = NDArray[np.bool_]

# The elements that ``sentiment.reviews.cleaning`` knows, which needs more than a service has: a test compares the two.
# Whatever else stands in brackets ("<3", "<sigh>") is the writer's own; ?a: no long s is an s.
_BLOCK = (
    "address|article|aside|blockquote|body|br|center|dd|div|dl|dt|fieldset|figcaption|figure|footer|form|h[1-6]|head"
    "|header|hr|html|li|main|nav|ol|option|p|pre|section|select|table|tbody|td|tfoot|th|thead|title|tr|ul"
)
_INLINE = (
    "a|abbr|acronym|audio|b|bdi|bdo|big|button|cite|code|data|del|dfn|em|embed|font|i|img|input|ins|kbd|label|link|mark"
    "|meta|param|path|q|rp|rt|ruby|s|samp|small|source|span|strike|strong|sub|sup|time|tt|u|var|video|wbr"
)
_UNSEEN = "iframe|noscript|object|script|style|svg|template|textarea"
_ATTRIBUTES = r"(?:[\s/][^<>]*)?>"
_BLOCK_TAG = re.compile(f"</?(?a:{_BLOCK}){_ATTRIBUTES}", re.IGNORECASE)
_OTHER_TAG = re.compile(rf"</?(?a:{_INLINE}){_ATTRIBUTES}|</(?a:{_UNSEEN})\s*>|<!doctype[^<>]*>", re.IGNORECASE)
_HIDDEN = tuple(
    (re.compile(f"{start}.*?{end}", re.IGNORECASE | re.DOTALL), re.compile(end, re.IGNORECASE))
    for start, end in [*((f"<(?a:{n}){_ATTRIBUTES}", rf"</(?a:{n})\s*>") for n in _UNSEEN.split("|")), ("<!--", "-->")]
)
_ENTITY = re.compile(r"&(?:#\d{1,7}|#x[0-9a-f]{1,6}|[a-z][a-z0-9]{1,30});", re.IGNORECASE)


def plain(text: str) -> str:
    """Text as the models know it: tags and entities resolved, white space collapsed.

    Training data went through the thorough cleaning of ``sentiment.reviews.cleaning``; on text that is clean already
    both change nothing.
    """
    if "<" in text:
        text = _OTHER_TAG.sub("", _BLOCK_TAG.sub(" ", _shown(text)))
    if "&" in text:
        text = _ENTITY.sub(lambda reference: html.unescape(reference[0]), text)
    return " ".join(text.split())


def _shown(text: str) -> str:
    """Without scripts, comments and the like; one that has no end hides nothing."""
    for element, end in _HIDDEN:
        last = max((found.end() for found in end.finditer(text)), default=0)
        if last:  # no search goes beyond it: it would go to the end of the text from every beginning
            text = element.sub("", text[:last]) + text[last:]
    return text


@dataclass(frozen=True)
class Prediction:
    """The answer for one text.

    Attributes:
        label: The more probable label.
        score: Its calibrated probability, in [0.5, 1].
        positive: Calibrated probability of the positive label, in [0, 1].
    """

    label: str
    score: float
    positive: float


class Classifier(ABC):
    """A loaded servable. Thread-safe: predicting changes no state."""

    def __init__(self, manifest: Manifest) -> None:
        self.manifest = manifest

    @staticmethod
    def load(path: Path | str, *, threads: int = 1) -> Classifier:
        """Loads the servable in the directory ``path``.

        Args:
            path: The directory.
            threads: Texts computed side by side, one thread each; 1 serves best with a worker a core.

        Raises:
            UserError: If the directory is not a servable of a known kind, or files are missing or damaged.
        """
        path = Path(path)
        manifest = Manifest.read(path)
        kinds: dict[str, type[LinearClassifier | TransformerClassifier | CascadeClassifier]] = {
            "linear": LinearClassifier,
            "transformer": TransformerClassifier,
            "cascade": CascadeClassifier,
        }
        if manifest.kind not in kinds:
            raise UserError(f"unknown kind {manifest.kind!r}", where=str(path), remedy=f"Known: {', '.join(kinds)}.")
        try:
            return kinds[manifest.kind](path, manifest, threads)
        except UserError:
            raise
        except Exception as error:  # each library has its own error for a damaged file; all mean the same here
            reason = (str(error).strip() or "no message").splitlines()[0]
            raise UserError(
                f"the {manifest.kind} model cannot be loaded ({type(error).__name__}: {reason})",
                where=str(path),
                remedy="Its files are damaged or missing: train again, or roll back.",
            ) from error

    @abstractmethod
    def logits(self, texts: Sequence[str]) -> Floats:
        """Log-odds of the positive label before calibration, shape (n,)."""

    def calibrated_logits(self, texts: Sequence[str]) -> Floats:
        """Log-odds of the positive label, shape (n,)."""
        return self.logits(texts) / self.manifest.temperature

    def predict_proba(self, texts: Sequence[str]) -> Floats:
        """Calibrated probability of the positive label, shape (n,), in [0, 1]."""
        if not len(texts):
            return np.zeros(0)
        return np.asarray(1 / (1 + np.exp(-np.clip(self.calibrated_logits(texts), -30, 30))))

    def predict(self, texts: Sequence[str]) -> list[Prediction]:
        """Label and calibrated score of every text, in order."""
        return [
            Prediction(self.manifest.labels[int(p > 0.5)], max(p, 1 - p), p) for p in self.predict_proba(texts).tolist()
        ]


class LinearClassifier(Classifier):
    """Weighted, hashed words and word sequences with logistic regression: what scikit-learn fitted, as two columns."""

    def __init__(self, path: Path, manifest: Manifest, threads: int) -> None:
        super().__init__(manifest)
        self._longest, self._intercept = (manifest.settings[name] for name in ("longest_ngram", "intercept"))
        self._table = np.load(path / "linear.npy", mmap_mode="r")  # mapped: the workers of a service share it

    def logits(self, texts: Sequence[str]) -> Floats:
        """See :meth:`Classifier.logits`."""
        return np.fromiter((self._logit(plain(text)) for text in texts), dtype=np.float64, count=len(texts))

    def _logit(self, text: str) -> float:
        found, counts = np.unique(columns(terms(text, self._longest), len(self._table)), return_counts=True)
        weights, coefficients = self._table[found].astype(np.float64).T
        features = (1 + np.log(counts)) * weights
        norm = np.linalg.norm(features) or 1.0  # of a text without a known word
        return float(features @ coefficients / norm + self._intercept)


class TransformerClassifier(Classifier):
    """A fine-tuned encoder in ONNX, int8 or float32."""

    def __init__(self, path: Path, manifest: Manifest, threads: int) -> None:
        import onnxruntime
        from tokenizers import Tokenizer

        super().__init__(manifest)
        onnxruntime.disable_telemetry_events()
        self._framing = {name: manifest.settings[name] for name in ("max_length", "head_share", "cls_id", "sep_id")}
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self._threads = threads
        # Texts differ in length: planning memory for each length seen would only grow.
        options.enable_mem_pattern = False
        options.enable_cpu_mem_arena = False  # it would keep the memory of the longest text ever seen
        self._session = onnxruntime.InferenceSession(
            path / "model.onnx", sess_options=options, providers=["CPUExecutionProvider"]
        )
        # Rust's tokenizer would start a thread a core; the setting is read once, when the first batch is encoded.
        os.environ.setdefault("TOKENIZERS_PARALLELISM", "false" if threads == 1 else "true")
        self._tokenizer = Tokenizer.from_file(str(path / "tokenizer.json"))
        self._tokenizer.no_padding()
        self._tokenizer.no_truncation()

    def logits(self, texts: Sequence[str]) -> Floats:
        """See :meth:`Classifier.logits`; every text is a forward pass of its own.

        An int8 model scales its activations by the largest of the pass: with others in the batch, a text's score would
        depend on them. On one thread a batch is no faster anyway, and no text is padded to another's length.
        """
        ids = encode(self._tokenizer, [plain(t) for t in texts], **self._framing)
        if self._threads == 1 or len(ids) == 1:
            return np.fromiter(map(self._forward, ids), dtype=np.float64, count=len(ids))
        with ThreadPoolExecutor(self._threads) as pool:
            return np.fromiter(pool.map(self._forward, ids), dtype=np.float64, count=len(ids))

    def _forward(self, ids: Sequence[int]) -> float:
        tokens = np.array([ids], dtype=np.int64)
        (logits,) = self._session.run(None, {"input_ids": tokens, "attention_mask": np.ones_like(tokens)})
        return float(logits[0, 1]) - float(logits[0, 0])


class CascadeClassifier(Classifier):
    """The linear model answers what it is sure of; the transformer joins in for the rest and for all short texts."""

    def __init__(self, path: Path, manifest: Manifest, threads: int) -> None:
        super().__init__(manifest)
        self._band, self._short_words = manifest.settings["band"], manifest.settings["short_words"]
        self._weights = {name: manifest.settings["weights"][name] for name in ("short", "long")}
        self.linear = Classifier.load(path / "linear", threads=threads)
        self.transformer = Classifier.load(path / "transformer", threads=threads)

    def logits(self, texts: Sequence[str]) -> Floats:
        """See :meth:`Classifier.logits`."""
        logits = self.linear.calibrated_logits(texts)
        short = is_short(texts, self._short_words)
        routed = np.flatnonzero(route(logits, short, self._band))
        if len(routed):
            second = self.transformer.calibrated_logits([texts[i] for i in routed.tolist()])
            for name, mask in (("short", short[routed]), ("long", ~short[routed])):
                logits[routed[mask]] = combine(logits[routed[mask]], second[mask], self._weights[name])
        return logits


def is_short(texts: Sequence[str], short_words: int) -> Mask:
    """Which texts have at most ``short_words`` words, shape (n,)."""
    return np.fromiter((len(t.split()) <= short_words for t in texts), dtype=bool, count=len(texts))


def route(linear: Floats, short: Mask, band: float) -> Mask:
    """Which texts need the transformer: those the linear model is unsure of, and all short ones.

    Args:
        linear: The linear model's calibrated log-odds, shape (n,).
        short: Which texts are short, shape (n,).
        band: Log-odds below which (in absolute value) the linear model counts as unsure.

    Returns:
        Mask, shape (n,).
    """
    return np.asarray(short | (np.abs(linear) < band))


def combine(linear: Floats, transformer: Floats, weights: Sequence[float]) -> Floats:
    """Weighted sum of two models' log-odds, shape (n,): logarithmic opinion pooling (Genest and Zidek 1986)."""
    return np.asarray(weights[0] * linear + weights[1] * transformer)
