"""Loads the pretrained encoder that training starts from."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from logging import ERROR
from typing import TYPE_CHECKING, Literal

from sentiment.errors import UserError
from sentiment.reviews.table import LABELS

if TYPE_CHECKING:
    from transformers import PreTrainedConfig, PreTrainedModel, PreTrainedTokenizerBase

    from sentiment.models.checkpoint import TransformerSettings

DROPOUTS = ("hidden_dropout_prob", "attention_probs_dropout_prob", "dropout", "attention_dropout")


def load_encoder(
    source: str, settings: TransformerSettings, seed: int
) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """Loads the model with a new two-class head, frozen as the settings ask, and its tokenizer.

    Args:
        source: A local folder or an id on the model hub.
        settings: Names the model in errors; dropout, freezing and length are taken from it.
        seed: Seeds the new head.

    Raises:
        UserError: The model cannot be loaded or does not fit the settings.
    """
    import torch
    from transformers import AutoConfig, AutoModelForSequenceClassification, AutoTokenizer, set_seed

    names = dict(enumerate(LABELS))
    try:
        tokenizer = AutoTokenizer.from_pretrained(source)
        config = AutoConfig.from_pretrained(source, id2label=names, label2id={v: k for k, v in names.items()})
        _check_model(config, tokenizer, settings)
        if settings.dropout is not None:
            config.update({name: settings.dropout for name in DROPOUTS if hasattr(config, name)})
        set_seed(seed)  # the head is new: its weights are drawn here
        # the fused attention of torch takes longer on a CPU: its backward pass alone a third of a step
        attention = None if torch.cuda.is_available() else "eager"
        model = AutoModelForSequenceClassification.from_pretrained(
            source, config=config, dtype=torch.float32, attn_implementation=attention
        )
    except (OSError, ValueError) as error:  # raised by transformers for an unknown, unreachable or unfit model
        raise UserError(
            f"the model cannot be loaded ({str(error).strip().splitlines()[0]})",
            where=settings.model,
            remedy="Check the id and the network, or use embedded:all-MiniLM-L6-v2",
        ) from error
    _freeze(model, settings)
    return model, tokenizer


def _check_model(config: PreTrainedConfig, tokenizer: PreTrainedTokenizerBase, settings: TransformerSettings) -> None:
    special = (tokenizer.cls_token_id, tokenizer.sep_token_id, tokenizer.pad_token_id)
    if not tokenizer.is_fast or None in special:
        raise UserError(
            f"a {config.model_type} model does not frame its texts with the tokens that an encoder has",
            where=settings.model,
            remedy="Use an encoder in the style of BERT, DistilBERT or RoBERTa",
        )
    longest = longest_input(config, tokenizer)
    if settings.max_length > longest:
        raise UserError(
            f"max_length {settings.max_length} is more than the {longest} tokens that the model reads",
            where=settings.model,
            remedy="Lower max_length",
        )


def longest_input(config: PreTrainedConfig, tokenizer: PreTrainedTokenizerBase) -> int:
    """Returns the maximum number of tokens that the model reads, special tokens included."""
    positions = int(getattr(config, "max_position_embeddings", tokenizer.model_max_length))
    offset = (config.pad_token_id or 0) + 1 if config.model_type == "roberta" else 0  # its positions start behind it
    return min(int(tokenizer.model_max_length), positions - offset)


def _freeze(model: PreTrainedModel, settings: TransformerSettings) -> None:
    """Keeps the embeddings and the lowest layers as they are, in encoders built like BERT, RoBERTa or DistilBERT."""
    if not settings.freeze_embeddings and not settings.freeze_layers:
        return
    body = model.base_model
    embeddings = getattr(body, "embeddings", None)
    layers = getattr(getattr(body, "encoder", getattr(body, "transformer", None)), "layer", None)
    if embeddings is None or layers is None:
        raise UserError(
            f"freezing is not known for {model.config.model_type} models",
            where=settings.model,
            remedy="Set freeze_embeddings: false and freeze_layers: 0",
        )
    if settings.freeze_layers > len(layers):
        raise UserError(
            f"freeze_layers is {settings.freeze_layers}, the model has {len(layers)} layers", where=settings.model
        )
    for part in [embeddings] * settings.freeze_embeddings + list(layers[: settings.freeze_layers]):
        part.requires_grad_(False)


def choose_precision(wanted: Literal["auto", "bf16", "fp32"]) -> Literal["bf16", "fp32"]:
    """``wanted``, or for ``auto`` bf16 where the device multiplies it in hardware (elsewhere it is slower)."""
    if wanted != "auto":
        return wanted
    import torch

    if torch.cuda.is_available():
        return "bf16" if torch.cuda.is_bf16_supported(including_emulation=False) else "fp32"
    features = torch.cpu.get_capabilities()
    return "bf16" if any(features.get(name) for name in ("avx512_bf16", "amx_bf16", "bf16")) else "fp32"


@contextmanager
def quiet_transformers() -> Iterator[None]:
    """Keeps transformers from drawing bars and from logging about the head that is new on purpose."""
    from transformers.utils import logging

    verbosity, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity(ERROR)
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]  # transformers does not annotate it
    try:
        yield
    finally:
        logging.set_verbosity(verbosity)
        if bars:
            logging.enable_progress_bar()  # type: ignore[no-untyped-call]  # transformers does not annotate it
