"""Loads the pretrained encoder that training starts from."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from logging import ERROR
from typing import TYPE_CHECKING, Any, Literal

from sentiment.errors import UserError
from sentiment.models.weights import find_model
from sentiment.reviews.table import LABELS

if TYPE_CHECKING:
    from transformers import PreTrainedConfig, PreTrainedModel, PreTrainedTokenizerBase

    from sentiment.models.checkpoint import TransformerSettings

DROPOUTS = ("hidden_dropout_prob", "attention_probs_dropout_prob", "dropout", "attention_dropout")


def load_encoder(
    source: str, settings: TransformerSettings, seed: int
) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """Loads the model with a two-class head, frozen as the settings ask, and its tokenizer.

    The head is new unless the checkpoint has one for two classes; one for another number of classes is dropped.

    Args:
        source: A local folder or an id on the model hub.
        settings: Names the model in errors; dropout, freezing and length are taken from it.
        seed: Seeds the new head.

    Raises:
        UserError: The model cannot be loaded or does not fit the settings.
    """
    import torch
    from transformers import AutoModelForSequenceClassification, set_seed

    with explained(settings.model):
        config, tokenizer = _read(source, settings)
        if settings.dropout is not None:
            config.update({name: settings.dropout for name in DROPOUTS if hasattr(config, name)})
        set_seed(seed)  # the head is new: its weights are drawn here
        # the fused attention of torch takes longer on a CPU: its backward pass alone a third of a step
        attention = None if torch.cuda.is_available() else "eager"
        model, loading = AutoModelForSequenceClassification.from_pretrained(
            source,
            config=config,
            dtype=torch.float32,
            attn_implementation=attention,
            ignore_mismatched_sizes=True,
            output_loading_info=True,
        )
    _check_weights(model, loading, settings)
    _freeze(model, settings)
    return model, tokenizer


def check_model(settings: TransformerSettings, serving_length: int | None) -> None:
    """Checks, without its weights, that the model fits the settings.

    Args:
        settings: Names the model, and the length in training.
        serving_length: Maximum number of tokens in service; None: as in training.

    Raises:
        UserError: The model cannot be loaded or does not fit the settings.
    """
    with explained(settings.model):
        config, tokenizer = _read(find_model(settings.model), settings)
        longest = longest_input(config, tokenizer)
    require_length(serving_length or settings.max_length, longest, where="export.max_length")


def require_length(length: int, longest: int, *, where: str) -> None:
    """Raises a UserError if the model reads fewer tokens."""
    if length > longest:
        raise UserError(
            f"max_length {length} is more than the {longest} tokens that the model reads",
            where=where,
            remedy="Lower max_length",
        )


@contextmanager
def explained(model: str) -> Iterator[None]:
    """Turns the errors of transformers and of the libraries below it, which are of many kinds, into one line."""
    try:
        yield
    except UserError:
        raise
    except Exception as error:
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise UserError(
            f"the model cannot be loaded ({reason})",
            where=model,
            remedy="Check the id and the network, or use embedded:all-MiniLM-L6-v2",
        ) from error


def _read(source: str, settings: TransformerSettings) -> tuple[PreTrainedConfig, PreTrainedTokenizerBase]:
    from transformers import AutoConfig

    tokenizer = read_tokenizer(source, settings.model)
    names = dict(enumerate(LABELS))
    config = AutoConfig.from_pretrained(
        source,
        id2label=names,
        label2id={v: k for k, v in names.items()},
        problem_type="single_label_classification",  # whatever its last head was for
    )
    require_length(settings.max_length, longest_input(config, tokenizer), where=settings.model)
    return config, tokenizer


def read_tokenizer(source: str, model: str) -> PreTrainedTokenizerBase:
    """Loads the tokenizer in ``source``.

    Args:
        source: A local folder or an id on the model hub.
        model: Name of the model in errors.

    Raises:
        UserError: It does not frame texts with special tokens.
    """
    from transformers import AutoTokenizer

    tokenizer: PreTrainedTokenizerBase = AutoTokenizer.from_pretrained(source)
    special = (tokenizer.cls_token_id, tokenizer.sep_token_id, tokenizer.pad_token_id)
    if not tokenizer.is_fast or None in special:
        raise UserError(
            "the model does not frame its texts with the tokens that an encoder has",
            where=model,
            remedy="Use an encoder in the style of BERT, DistilBERT or RoBERTa",
        )
    return tokenizer


def _check_weights(model: PreTrainedModel, loading: dict[str, Any], settings: TransformerSettings) -> None:
    """Only the head may differ in size from the checkpoint; other weights would be drawn at random."""
    body = f"{model.base_model_prefix}."
    wrong = sorted(str(key[0]) for key in loading["mismatched_keys"] if str(key[0]).startswith(body))
    if wrong:
        raise UserError(
            f"the checkpoint does not fit its config.json: {', '.join(wrong[:3])} have another size",
            where=settings.model,
            remedy="Download it again, or save it with its config",
        )


def longest_input(config: PreTrainedConfig, tokenizer: PreTrainedTokenizerBase) -> int:
    """Returns the maximum number of tokens that the model reads, special tokens included."""
    positions = int(getattr(config, "max_position_embeddings", tokenizer.model_max_length))
    return min(int(tokenizer.model_max_length), positions - _first_position(config))


def _first_position(config: PreTrainedConfig) -> int:
    """Returns the first position: behind the padding id where the table of positions has one (RoBERTa, MPNet, ...)."""
    import torch
    from transformers import AutoModel

    with torch.device("meta"):  # without weights
        model = AutoModel.from_config(config)  # type: ignore[no-untyped-call] # transformers does not annotate it
    tables = (module for name, module in model.named_modules() if name.endswith("position_embeddings"))
    padding = next((getattr(table, "padding_idx", None) for table in tables), None)
    return 0 if padding is None else int(padding) + 1


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
