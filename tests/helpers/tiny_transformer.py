"""A tiny random encoder with its own vocabulary, reviews that it can learn, and a run that kills itself."""

import os
import random
import signal
from collections.abc import Callable
from pathlib import Path

import pandas as pd

from sentiment.models.checkpoint import TransformerSettings
from sentiment.models.transformer import train_transformer
from sentiment.progress import listening
from sentiment.reviews.table import Reviews
from tests.helpers import forked

GOOD = ["lovely", "superb", "moving", "witty", "graceful", "stunning"]
BAD = ["dull", "clumsy", "tedious", "hollow", "lifeless", "shoddy"]
FILLER = ["the", "plot", "actor", "scene", "music", "camera", "ending", "story", "with", "and", "a", "of", "film"]


def reviews(rows: int, seed: int) -> Reviews:
    draw = random.Random(seed)
    texts, labels, sources = [], [], []
    for i in range(rows):
        label, long = i % 2, i % 4 < 2
        words = draw.choices(FILLER, k=draw.randint(45, 60) if long else draw.randint(4, 12))
        words += draw.choices(GOOD if label else BAD, k=2)
        texts.append(" ".join(words))
        labels.append(label)
        sources.append("long" if long else "short")
    return Reviews(pd.DataFrame({"text": texts, "label": labels, "source": sources}))


def save_encoder(folder: Path, kind: str = "bert") -> Path:
    """A random encoder of 2 layers, 32 wide, saved as a hub model is; its weights are large enough to learn fast."""
    import torch
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers
    from transformers import (
        BertConfig,
        BertModel,
        DistilBertConfig,
        DistilBertModel,
        PreTrainedTokenizerFast,
        RobertaConfig,
        RobertaModel,
    )

    vocabulary = {w: i for i, w in enumerate(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *GOOD, *BAD, *FILLER])}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    tokenizer.normalizer, tokenizer.pre_tokenizer = normalizers.Lowercase(), pre_tokenizers.Whitespace()
    names = {f"{n}_token": f"[{n.upper()}]" for n in ("pad", "unk", "cls", "sep", "mask")}
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, model_max_length=66, **names).save_pretrained(folder)
    torch.manual_seed(0)
    sizes = {"vocab_size": len(vocabulary), "max_position_embeddings": 68, "pad_token_id": 0, "initializer_range": 0.1}
    bert = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64}
    distil = {"dim": 32, "n_layers": 2, "n_heads": 2, "hidden_dim": 64}
    model = {
        "bert": lambda: BertModel(BertConfig(**sizes, **bert)),
        "roberta": lambda: RobertaModel(RobertaConfig(**sizes, **bert)),
        "distilbert": lambda: DistilBertModel(DistilBertConfig(**sizes, **distil)),
    }[kind]()
    model.save_pretrained(folder)
    return folder


def recipe(encoder: Path, **changes: object) -> TransformerSettings:
    """A run of 20 steps (160 rows, 8 a step) with states after steps 4, 8, ... and evaluations after 10 and 20."""
    settings = {
        "model": str(encoder), "max_length": 32, "batch_size": 8, "short_epochs": 1, "learning_rate": 3e-3,
        "freeze_embeddings": False, "precision": "fp32", "save_steps": 4, "early_stopping_patience": None,
        "evaluations": 2, "dropout": None,
    }  # fmt: skip
    return TransformerSettings(**{**settings, **changes})


def train(encoder: Path, work_dir: Path) -> None:
    train_transformer(reviews(160, seed=1), reviews(40, seed=2), recipe(encoder), seed=7, work_dir=work_dir)


def run(
    encoder: Path, work_dir: Path, death: str = "never", step: int = 0, train: Callable[[Path, Path], object] = train
) -> forked.Forked:
    """Trains in a new process.

    Args:
        encoder: The encoder to train.
        work_dir: Where it trains.
        death: ``report`` (SIGKILL at the first report at ``step`` or later), ``pause`` (no kill: there it stops until
            it is sent SIGCONT), ``write`` (SIGKILL half-way through writing the state of ``step``), ``full`` (no kill:
            files cannot grow, as on a full disk) or ``never``.
        step: Of the training.
        train: Trains what is in the first folder, in the second one.
    """
    return forked.start(_alone, train, encoder, work_dir, death, step, folder=work_dir)


def _alone(train: Callable[[Path, Path], object], encoder: Path, work_dir: Path, death: str, step: int) -> None:
    import torch

    torch.set_num_threads(1)
    save = torch.save

    def die_at_report(task: str, done: float, total: float, **figures: float) -> None:
        nonlocal death
        print(task, done, flush=True)  # noqa: T201 - the parent process reads it
        if death == "pause" and done >= step:
            death = "never"
            os.kill(os.getpid(), signal.SIGSTOP)
        if death == "report" and done >= step:
            os.kill(os.getpid(), signal.SIGKILL)

    def die_while_writing(content: object, path: str, *args: object, **kwargs: object) -> None:
        if death == "write" and f"checkpoint-{step}/optimizer" in str(path):
            Path(path).write_bytes(b"half a state")
            os.kill(os.getpid(), signal.SIGKILL)
        if death == "full" and f"checkpoint-{step}/" in str(path):
            import resource

            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, resource.RLIM_INFINITY))
        save(content, path, *args, **kwargs)

    torch.save = die_while_writing
    with listening(die_at_report):
        train(encoder, work_dir)
