"""Reviews per second in process: the promoted cascade and its parts, engines, and accuracy against speed.

Every part reads the same fine-tuned weights (run ``make train`` first). Contenders take turns, several rounds; a ratio
is the median of the rounds' ratios. Run: ``python -m benchmarks.inference [models linear engines frontier]``.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np

from benchmarks.promoted import Promoted, promoted

Predict = Callable[[Sequence[str]], object]
SHARES = (0, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.6, 0.8, 1)
PARTS = ("models", "linear", "engines", "frontier")


def load(path: Path, engine: str = "auto", threads: int = 1):  # noqa: ANN201  # imported where it is needed
    """Loads a classifier on an engine, and warms it up."""
    from sentiment.models import Classifier

    os.environ["SENTIMENT_ENGINE"] = engine
    classifier = Classifier.load(path, threads=threads)
    classifier.warm_up()
    return classifier


def rates(contenders: Mapping[str, Predict], texts: Sequence[str], rounds: int) -> dict[str, list[float]]:
    """Reviews per second of each contender in each round."""
    found: dict[str, list[float]] = {name: [] for name in contenders}
    for predict in contenders.values():
        predict(texts[:8])
    for _ in range(rounds):
        for name, predict in contenders.items():
            start = time.perf_counter()
            predict(texts)
            found[name].append(len(texts) / (time.perf_counter() - start))
    return found


def compare_models(found: Promoted, count: int, rounds: int) -> None:
    """The cascade and its parts against ``transformers.pipeline`` in float32 on one thread; the cascade also on all."""
    import torch
    from transformers import pipeline

    torch.set_num_threads(1)
    naive = pipeline("text-classification", model=str(found.checkpoint), device=-1)
    cores = os.cpu_count() or 1
    contenders: dict[str, Predict] = {
        "transformers.pipeline": lambda texts: naive(
            list(texts), truncation=True, max_length=found.length, batch_size=16
        ),
        **{name: load(found.servable / name).predict for name in found.stages},
        "cascade": load(found.servable).predict,
        f"cascade, {cores} threads": load(found.servable, threads=cores).predict,
    }
    print(f"{'texts':8} {'model':24} {'reviews/s':>10} {'ratio':>8}   median of {rounds} rounds")
    for kind, texts in found.kinds(count).items():
        measured = rates(contenders, texts, rounds)
        first = measured["transformers.pipeline"]
        for name, values in measured.items():
            ratio = statistics.median(a / b for a, b in zip(values, first, strict=True))
            print(f"{kind:8} {name:24} {statistics.median(values):10.1f} {ratio:7.1f}x")


def compare_linear(found: Promoted, rounds: int) -> None:
    """The linear model against the same features by scikit-learn: every sequence of words is joined and hashed."""
    from sklearn.feature_extraction.text import HashingVectorizer

    from sentiment.words import find_words

    classifier = load(found.servable / "linear")
    table = np.load(found.servable / "linear" / "linear.npy")
    longest = classifier.manifest.settings["longest_ngram"]
    hashing = HashingVectorizer(
        n_features=len(table), ngram_range=(1, longest), tokenizer=find_words, token_pattern=None, alternate_sign=False
    )
    texts = [text for text in found.texts if len(text.split()) > 40][:1500]
    contenders = {
        "HashingVectorizer": lambda texts: hashing.transform(texts) @ table,
        "ours, 64 texts a call": lambda texts: [
            classifier.predict(texts[i : i + 64]) for i in range(0, len(texts), 64)
        ],
        "ours, 1 text a call": lambda texts: [classifier.predict([text]) for text in texts],
    }
    words = statistics.mean(len(text.split()) for text in texts)
    print(f"linear model, {len(texts)} reviews of {words:.0f} words on average, one thread")
    measured = rates(contenders, texts, rounds)
    for name, values in measured.items():
        ratio = statistics.median(a / b for a, b in zip(values, measured["HashingVectorizer"], strict=True))
        print(f"{name:24} {statistics.median(values):10.1f} {ratio:7.1f}x")


def compare_engines(found: Promoted, count: int, rounds: int) -> None:
    """Every engine that is fast here, by batch size and length, on one thread, against float32 and against itself."""
    from sentiment.models.engines.choice import BF16, F32, INT8, ONNX

    path = found.encoder
    classifiers = {name: load(path, name) for name in (F32, BF16, INT8, ONNX)}
    print(
        f"{'texts':8} {'batch':>5} {'engine':16} {'reviews/s':>10} {'labels as float32':>18} {'a batch moves P by':>19}"
    )
    for kind, texts in found.kinds(count).items():
        truth = classifiers[F32].predict_proba(texts) > 0.5
        alone = {name: np.concatenate([c.predict_proba([t]) for t in texts]) for name, c in classifiers.items()}
        for batch in (1, 4, 16, 64):
            cut = [texts[start : start + batch] for start in range(0, len(texts), batch)]
            contenders: dict[str, Predict] = {
                name: lambda _, c=c: [c.predict_proba(part) for part in cut]  # noqa: B023  # called within the loop
                for name, c in classifiers.items()
            }
            for name, values in rates(contenders, texts, rounds).items():
                scores = np.concatenate([classifiers[name].predict_proba(part) for part in cut])
                moved, agree = np.abs(scores - alone[name]).max(), ((scores > 0.5) == truth).mean()
                print(f"{kind:8} {batch:5} {name:16} {statistics.median(values):10.1f} {agree:18.4f} {moved:19.4f}")


def draw_frontier(found: Promoted, count: int, rounds: int, picture: Path) -> None:
    """Accuracy on the test split against reviews/s, by the share of longer texts that go to the second stage."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    from sentiment.models.classifier import combine, measure_lengths
    from sentiment.models.engines.choice import ONNX
    from sentiment.models.plain_text import to_plain_text
    from sentiment.models.servable import Manifest

    cores = os.cpu_count() or 1
    settings = Manifest.read(found.servable).settings
    join = settings["joins"][0]["long"]
    texts = [to_plain_text(text) for text in found.texts]
    linear = load(found.servable / "linear")
    parts = {name: load(found.encoder, name, cores) for name in ("auto", ONNX)}
    longer = measure_lengths(texts, settings["word_bounds"]) == 2  # long
    labels, first = found.labels[longer], linear.calibrated_logits(texts)[longer]
    chosen = [text for text, kept in zip(texts, longer, strict=True) if kept]
    sample = chosen[:count]
    speed = {
        n: statistics.median(v) for n, v in rates({n: p.predict for n, p in parts.items()}, sample, rounds).items()
    }
    of_linear = cores * statistics.median(rates({"linear": linear.predict}, sample, rounds)["linear"])
    print(f"{'engine':16} {'share':>6} {'accuracy':>9} {'reviews/s':>10}   longer texts, {cores} threads")
    figure, axes = plt.subplots(figsize=(7, 4))
    for name, part in parts.items():
        second, points = part.calibrated_logits(chosen), []
        for share in SHARES:
            band = np.quantile(np.abs(first), share) if share else 0
            logits = np.where(np.abs(first) <= band, combine(first, second, join["weights"]), first)
            accuracy = float(((logits > 0) == labels).mean())
            points.append((1 / (1 / of_linear + share / speed[name]), accuracy))
            print(f"{part.engine:16} {share:6.2f} {accuracy:9.4f} {points[-1][0]:10.0f}")
        axes.plot(*zip(*points, strict=True), marker="o", label=f"cascade, {part.engine}")
    live = float(np.mean(np.abs(first) < join["band"]))
    axes.axvline(1 / (1 / of_linear + live / speed["auto"]), color="grey", linestyle=":", label=f"chosen: {live:.0%}")
    axes.set(xscale="log", xlabel=f"reviews/s on {cores} cores (longer reviews)", ylabel="accuracy, test split")
    axes.grid(alpha=0.3)
    axes.legend()
    figure.tight_layout()
    figure.savefig(picture, dpi=110)
    print(f"{picture}")


def main() -> None:
    """Prints the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("parts", nargs="*", default=PARTS, help=f"of {', '.join(PARTS)}")
    parser.add_argument("--texts", type=int, default=128, help="reviews of each kind a round")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--picture", type=Path, default=Path("docs/frontier.png"))
    parser.add_argument("--stack", default="local")
    options = parser.parse_args()
    found = promoted(options.stack)
    if "models" in options.parts:
        compare_models(found, options.texts, options.rounds)
    if "linear" in options.parts:
        compare_linear(found, options.rounds)
    if "engines" in options.parts:
        compare_engines(found, options.texts, options.rounds)
    if "frontier" in options.parts:
        draw_frontier(found, options.texts, options.rounds, options.picture)


if __name__ == "__main__":
    main()
