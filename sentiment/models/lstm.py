"""Trains an LSTM on a WordPiece tokenizer, from random weights: what the field used before pretrained encoders.

Hochreiter and Schmidhuber 1997, "Long Short-Term Memory" (doi:10.1162/neco.1997.9.8.1735); Graves and Schmidhuber 2005,
"Framewise phoneme classification with bidirectional LSTM" (doi:10.1016/j.neunet.2005.06.042).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from sentiment.models.checkpoint import LstmSettings, TransformerCheckpoint
from sentiment.models.encoder import explained, read_tokenizer
from sentiment.models.training import Network, train_network
from sentiment.models.weights import find_model
from sentiment.reviews.table import LABELS, Reviews

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase


def train_lstm(
    train: Reviews,
    validation: Reviews,
    settings: LstmSettings,
    *,
    seed: int,
    work_dir: Path,
    targets: Sequence[float] | None = None,
    class_weights: tuple[float, float] = (1.0, 1.0),
) -> TransformerCheckpoint:
    """Trains the LSTM: see :func:`sentiment.models.training.train_network`, which resumes killed runs.

    Args:
        train: Reviews to learn from, both labels present.
        validation: Reviews to choose the best weights by.
        settings: The recipe.
        seed: Seeds the weights, the order of the rows and dropout.
        work_dir: Where states and checkpoint are kept; created if missing.
        targets: P(positive) in [0, 1] to learn for each review of ``train``; None: its label, 0 or 1.
        class_weights: Weight of a negative and of a positive review in the loss.

    Raises:
        UserError: The tokenizer cannot be loaded, the reviews lack a label, or a state cannot be written.
    """
    # bfloat16 would be no faster: most of the time goes into steps that follow one another
    network = Network(find_model(settings.tokenizer), load_lstm, "fp32", task="train lstm")
    return train_network(
        train,
        validation,
        settings,
        network,
        seed=seed,
        work_dir=work_dir,
        targets=targets,
        class_weights=class_weights,
    )


def load_lstm(source: str, settings: LstmSettings, seed: int) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """Makes a network with random weights, and loads its tokenizer.

    Args:
        source: A local folder or an id on the model hub, with the tokenizer.
        settings: Sizes and dropout; names the tokenizer in errors.
        seed: Seeds the weights.

    Raises:
        UserError: The tokenizer cannot be loaded, or does not frame its texts.
    """
    from transformers import set_seed

    from sentiment.models.lstm_network import LstmConfig, LstmForSequenceClassification

    with explained(settings.tokenizer):
        tokenizer = read_tokenizer(source, settings.tokenizer)
    names = dict(enumerate(LABELS))
    config = LstmConfig(
        vocab_size=len(tokenizer),
        embedding_size=settings.embedding_size,
        hidden_size=settings.hidden_size,
        dropout=settings.dropout,
        id2label=names,
        label2id={name: number for number, name in names.items()},
    )
    set_seed(seed)
    return LstmForSequenceClassification(config), tokenizer
