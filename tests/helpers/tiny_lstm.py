"""A tiny LSTM that learns the reviews of ``tiny_transformer``, on its tokenizer."""

from pathlib import Path

from sentiment.models.checkpoint import LstmSettings, TransformerCheckpoint
from sentiment.models.lstm import train_lstm
from tests.helpers import tiny_transformer as tiny


def recipe(tokenizer: Path, **changes: object) -> LstmSettings:
    """A run of 60 steps (160 rows, 8 a step, three passes) with states after steps 4, 8, ..."""
    settings = {
        "tokenizer": str(tokenizer), "embedding_size": 16, "hidden_size": 16, "max_length": 32, "batch_size": 8,
        "learning_rate": 3e-2, "epochs": 3, "dropout": 0.1, "save_steps": 4, "evaluations": 2,
        "early_stopping_patience": None,
    }  # fmt: skip
    return LstmSettings(**{**settings, **changes})


def train(tokenizer: Path, work_dir: Path, **changes: object) -> TransformerCheckpoint:
    """Trains it."""
    settings = recipe(tokenizer, **changes)
    return train_lstm(tiny.reviews(160, 1), tiny.reviews(40, 2), settings, seed=7, work_dir=work_dir)
