"""Reviews per second of the promoted servable and its parts against ``transformers.pipeline`` in float32.

Both read the same fine-tuned weights (run ``make train`` first), on one thread, in one process, one after the other,
several times; the ratio is the median of the rounds' ratios. Run: ``python -m benchmarks.inference``.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable, Sequence

Predict = Callable[[Sequence[str]], object]


def contenders(stack: str) -> tuple[dict[str, Predict], list[str]]:
    """Returns the models to compare, the alternative first, and the test split's texts."""
    from cli.session import session

    with session(stack, debug=False):
        import torch
        from transformers import pipeline
        from zenml.client import Client

        import materializers  # noqa: F401  # registers how typed artifacts are loaded
        from registry import versions
        from sentiment.models import Classifier
        from sentiment.models.servable import Manifest

        champion = versions.find_production("sentiment")
        if champion is None:
            raise SystemExit("no model is in production: run make train first")
        torch.set_num_threads(1)
        servable = versions.get_artifact("sentiment", champion.number, "servable").load()
        splits = versions.get_artifact("sentiment", champion.number, "splits").load()
        checkpoint = Client().get_artifact_version("checkpoint").load()
        naive = pipeline("text-classification", model=str(checkpoint.path), device=-1)
        part = servable.path / "transformer" if champion.kind == "cascade" else servable.path
        length = Manifest.read(part).settings.get("max_length", checkpoint.report.settings.max_length)  # equal reading
        found: dict[str, Predict] = {
            "transformers.pipeline": lambda texts: naive(list(texts), truncation=True, max_length=length, batch_size=16)
        }
        parts = {"linear": "linear", "transformer int8": "transformer"} if champion.kind == "cascade" else {}
        for name, folder in parts.items():
            found[name] = Classifier.load(servable.path / folder).predict
        found[champion.kind] = Classifier.load(servable.path).predict
        return found, splits.test.frame["text"].tolist()


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--texts", type=int, default=128, help="reviews of each kind a round")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--stack", default="local")
    options = parser.parse_args()
    found, texts = contenders(options.stack)
    kinds = {
        "short": [t for t in texts if len(t.split()) <= 40][: options.texts],
        "long": [t for t in texts if len(t.split()) > 200][: options.texts],
        "mixed": texts[: options.texts],
    }
    for predict in found.values():
        predict(texts[:8])
    print(f"{'texts':8} {'model':24} {'reviews/s':>10} {'ratio':>8}   median of {options.rounds} rounds, one thread")
    for kind, chosen in kinds.items():
        seconds: dict[str, list[float]] = {name: [] for name in found}
        for _ in range(options.rounds):
            for name, predict in found.items():
                start = time.perf_counter()
                predict(chosen)
                seconds[name].append(time.perf_counter() - start)
        first = next(iter(found))
        for name, times in seconds.items():
            ratio = statistics.median(a / b for a, b in zip(seconds[first], times, strict=True))
            print(f"{kind:8} {name:24} {len(chosen) / statistics.median(times):10.1f} {ratio:7.1f}x")


if __name__ == "__main__":
    main()
