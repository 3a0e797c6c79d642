"""The network of the LSTM candidate. Imports torch: import it in the function that needs it."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn
from transformers import AutoConfig, AutoModelForSequenceClassification, PreTrainedConfig, PreTrainedModel
from transformers.modeling_outputs import SequenceClassifierOutput

from sentiment.reviews.table import LABELS

HEAD_SIZE = 64


class LstmConfig(PreTrainedConfig):  # type: ignore[no-untyped-call]  # transformers does not annotate all
    """The sizes of the network."""

    model_type = "sentiment-lstm"

    def __init__(
        self,
        vocab_size: int = 30522,
        embedding_size: int = 128,
        hidden_size: int = 64,
        dropout: float = 0.0,
        **kwargs: Any,  # noqa: ANN401  # those of every configuration
    ) -> None:
        self.vocab_size, self.embedding_size = vocab_size, embedding_size
        self.hidden_size, self.dropout = hidden_size, dropout
        super().__init__(**kwargs)


class Bidirectional(nn.Module):
    """An LSTM from the start to the end of each row, and one from its end to its start (Graves and Schmidhuber 2005).

    Each row is reversed by its own length, so neither direction reads padding before tokens. Two plain LSTMs instead
    of packed sequences: oneDNN computes them faster, and every engine reads their graph.
    """

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.from_start = nn.LSTM(input_size, hidden_size, batch_first=True)
        self.from_end = nn.LSTM(input_size, hidden_size, batch_first=True)

    def forward(self, rows: torch.Tensor, reversed_positions: torch.Tensor) -> torch.Tensor:
        """Returns the states of both directions.

        Args:
            rows: Shape (rows, tokens, input size).
            reversed_positions: From :func:`reverse_positions`.

        Returns:
            Shape (rows, tokens, 2 * hidden size).
        """
        from_start = self.from_start(rows)[0]
        from_end = _take(self.from_end(_take(rows, reversed_positions))[0], reversed_positions)
        return torch.cat([from_start, from_end], dim=-1)


def reverse_positions(mask: torch.Tensor) -> torch.Tensor:
    """Returns for every place the one to read in a reversed row, in the flattened batch, shape (rows * tokens,).

    Args:
        mask: 1 on tokens and 0 on padding, which follows them; shape (rows, tokens).
    """
    rows, tokens = mask.shape[0], mask.shape[1]
    places = torch.arange(tokens, device=mask.device).unsqueeze(0)
    mirrored = mask.sum(dim=1, keepdim=True) - 1 - places
    within = torch.where(mirrored < 0, places, mirrored)  # padding stays where it is
    return (within + torch.arange(rows, device=mask.device).unsqueeze(1) * tokens).reshape(-1)


def _take(rows: torch.Tensor, places: torch.Tensor) -> torch.Tensor:
    """Reads the vectors of the flattened batch in another order."""
    return rows.flatten(0, 1).index_select(0, places).reshape(rows.shape)


class LstmForSequenceClassification(PreTrainedModel):  # type: ignore[no-untyped-call]  # as above
    """Embeddings, two bidirectional LSTM layers (Hochreiter and Schmidhuber 1997), and a dense head.

    The head reads the largest and the mean value of every state over a row's tokens.
    """

    config_class = LstmConfig
    base_model_prefix = "lstm"

    def __init__(self, config: LstmConfig) -> None:
        super().__init__(config)
        self.embeddings = nn.Embedding(config.vocab_size, config.embedding_size)
        self.first = Bidirectional(config.embedding_size, config.hidden_size)
        self.second = Bidirectional(2 * config.hidden_size, config.hidden_size)
        self.dropout = nn.Dropout(config.dropout)
        self.dense = nn.Linear(4 * config.hidden_size, HEAD_SIZE)
        self.classifier = nn.Linear(HEAD_SIZE, len(LABELS))
        self.post_init()  # type: ignore[no-untyped-call]  # as above

    def _init_weights(self, module: nn.Module) -> None:
        """Draws small embeddings, and opens the forget gates (Jozefowicz et al. 2015); the rest is PyTorch's."""
        if isinstance(module, nn.Embedding):
            nn.init.normal_(module.weight, std=0.1)
        elif isinstance(module, nn.LSTM):
            size = module.hidden_size
            with torch.no_grad():
                module.get_parameter("bias_ih_l0")[size : 2 * size] = 1.0

    def forward(
        self, input_ids: torch.Tensor, attention_mask: torch.Tensor, labels: torch.Tensor | None = None
    ) -> SequenceClassifierOutput:
        """Computes the logits, shape (rows, 2).

        Args:
            input_ids: Token ids, shape (rows, tokens).
            attention_mask: 1 on tokens and 0 on padding, which follows them.
            labels: Not read: the trainer takes them from the name of this argument, and computes the loss.
        """
        reversed_positions = reverse_positions(attention_mask)
        states = self.dropout(self.embeddings(input_ids))
        states = self.dropout(self.first(states, reversed_positions))
        states = self.second(states, reversed_positions)
        mask = attention_mask.unsqueeze(-1).to(states.dtype)
        largest = (states - 1e4 * (1 - mask)).amax(dim=1)
        mean = (states * mask).sum(dim=1) / mask.sum(dim=1)
        features = torch.cat([largest, mean], dim=-1)
        hidden = torch.relu(self.dense(self.dropout(features)))
        return SequenceClassifierOutput(logits=self.classifier(hidden))


def register() -> None:
    """Makes transformers load checkpoints of this network as it loads its own."""
    AutoConfig.register(LstmConfig.model_type, LstmConfig, exist_ok=True)
    AutoModelForSequenceClassification.register(LstmConfig, LstmForSequenceClassification, exist_ok=True)
