"""The settings of the transformer and of the LSTM, the report of a training, and its checkpoint."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator

from sentiment.settings import Settings


class TrainingSettings(Settings):
    """How a neural network is trained: what its training run and the order of its reviews need."""

    max_length: int = Field(112, ge=8, le=4096, description="Maximum tokens of a review, special tokens included")
    head_share: float = Field(
        1 / 3, ge=0, le=1, description="Share of a long review's tokens taken from its start; the rest from its end"
    )
    epochs: float = Field(1.0, gt=0, description="Passes over the training reviews")
    short_words: int = Field(40, ge=0, description="A review of at most this many words is short")
    short_epochs: float = Field(2.0, gt=0, description="How often one pass repeats each short review: they cost little")
    long_rows: int | None = Field(9500, ge=0, description="Long reviews a pass sees, new ones each pass; null: all")
    batch_size: int = Field(32, ge=1, description="Reviews a batch, over all processes")
    eval_batch_size: int = Field(64, ge=1, description="Reviews a batch and process when evaluating")
    num_processes: int = Field(
        1, ge=1, description="Processes that train together, each on its share of every batch; on GPUs, one for each"
    )
    gradient_accumulation: int = Field(1, ge=1, description="Batches whose gradients make one step")
    learning_rate: float = Field(2e-4, gt=0, description="Peak learning rate of AdamW")
    schedule: Literal["linear", "cosine"] = Field("linear", description="How the learning rate falls to zero")
    warmup: float = Field(0.1, ge=0, lt=1, description="Share of the steps in which the learning rate rises")
    weight_decay: float = Field(0.01, ge=0, description="Decoupled weight decay")
    label_smoothing: float = Field(0.0, ge=0, lt=1, description="Share of the target spread over both classes")
    evaluations: int = Field(1, ge=1, description="Evaluations on validation reviews in a run; the best state is kept")
    evaluation_rows: int | None = Field(1000, ge=1, description="Validation reviews of such an evaluation; null: all")
    early_stopping_patience: int | None = Field(
        2, ge=1, description="Stop after this many evaluations without a better accuracy; null: never"
    )
    save_steps: int = Field(100, ge=1, description="Steps between two saved states, which a killed run resumes from")
    num_workers: int | Literal["auto"] = Field("auto", description="Processes that make batches; auto: 0 on CPU")
    profile: bool = Field(
        False, description="Record with PyTorch's profiler where a training step goes, in some steps of the run"
    )

    @field_validator("num_processes")
    @classmethod
    def _divides_batch(cls, count: int, given: ValidationInfo) -> int:
        size = given.data.get("batch_size", count)  # not there if it is wrong itself
        if size % count:
            raise ValueError(f"{count} processes cannot share batches of {size} (batch_size) equally")
        return count


class TransformerSettings(TrainingSettings):
    """How the transformer is trained."""

    enabled: bool = Field(True, description="Whether this candidate is trained")
    model: str = Field(
        "embedded:all-MiniLM-L6-v2",
        min_length=1,
        description="Weights to start from: embedded:NAME, a local folder, or an id on the model hub",
    )
    dropout: float | None = Field(0.0, ge=0, lt=1, description="Dropout of the encoder; null: the model's own")
    freeze_embeddings: bool = Field(True, description="Do not train the embeddings (half of a small model)")
    freeze_layers: int = Field(0, ge=0, description="Number of the lowest layers that are not trained")
    precision: Literal["auto", "bf16", "fp32"] = Field("auto", description="auto: bf16 where the hardware computes it")
    torch_compile: bool = Field(False, description="Compile the model: slow to start, for long runs on a GPU")


class LargeTransformerSettings(TransformerSettings):
    """How the large transformer is trained: off by default, and fewer passes than a small one needs."""

    enabled: bool = Field(False, description="Whether this candidate is trained")
    model: str = Field(
        "embedded:all-mpnet-base-v2",
        min_length=1,
        description="Weights to start from: embedded:NAME (downloaded at first use), a local folder, or a hub id",
    )
    max_length: int = Field(128, ge=8, le=4096, description="Maximum tokens of a review, special tokens included")
    short_epochs: float = Field(1.0, gt=0, description="How often one pass repeats each short review")
    long_rows: int | None = Field(14_000, ge=0, description="Long reviews a pass sees, new ones each pass; null: all")
    learning_rate: float = Field(5e-5, gt=0, description="Peak learning rate of AdamW")


class LstmSettings(TrainingSettings):
    """How the LSTM is trained: from random weights, so it needs more passes than a pretrained encoder."""

    enabled: bool = Field(False, description="Whether this candidate is trained")
    tokenizer: str = Field(
        "embedded:all-MiniLM-L6-v2",
        min_length=1,
        description="Model whose tokenizer (WordPiece) it reads with: embedded:NAME, a local folder, or a hub id",
    )
    embedding_size: int = Field(128, ge=1, le=4096, description="Width of a token's embedding, trained from scratch")
    hidden_size: int = Field(64, ge=1, le=4096, description="Width of each direction of each of the two layers")
    dropout: float = Field(0.3, ge=0, lt=1, description="Dropout before each layer and before the head")
    max_length: int = Field(128, ge=8, le=4096, description="Maximum tokens of a review, special tokens included")
    serving_length: int | None = Field(
        256, ge=8, le=4096, description="Maximum tokens read when serving; null: as in training"
    )
    epochs: float = Field(3.0, gt=0, description="Passes over the training reviews")
    short_epochs: float = Field(1.0, gt=0, description="How often one pass repeats each short review")
    long_rows: int | None = Field(None, ge=0, description="Long reviews a pass sees, new ones each pass; null: all")
    learning_rate: float = Field(3e-3, gt=0, description="Peak learning rate of AdamW")


class TrainingReport(BaseModel):
    """The report of a training run; ``training.json`` of its checkpoint.

    Attributes:
        settings: The settings it ran with.
        seed: The seed of weights, order and dropout.
        source: SHA-256 of the local weights it started from, or their hub id.
        precision: Precision of the forward pass.
        train_fingerprint: Fingerprint of the training reviews.
        targets_sha256: SHA-256 of the probabilities that it learned instead of labels; None: it learned the labels.
        class_weights: Weight of a negative and of a positive review in the loss.
        validation_fingerprint: Fingerprint of the validation reviews.
        steps: Optimiser steps done.
        best_step: The step whose weights were kept.
        examples: Reviews shown in a full run, repetitions counted.
        tokens: Their tokens, padding not counted.
        seconds: Training time including evaluations and saving, over all starts of the run.
        validation_accuracy: Accuracy in [0, 1] at ``best_step`` on the rows that ``evaluation_rows`` allows.
        validation_loss: Mean cross-entropy there.
        versions: Versions of the libraries.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    settings: TransformerSettings | LstmSettings
    seed: int
    source: str
    precision: Literal["bf16", "fp32"]
    train_fingerprint: str
    targets_sha256: str | None = None
    class_weights: tuple[float, float] = (1.0, 1.0)
    validation_fingerprint: str
    steps: int
    best_step: int
    examples: int
    tokens: int
    seconds: float
    validation_accuracy: float
    validation_loss: float
    versions: dict[str, str]


@dataclass(frozen=True)
class TransformerCheckpoint:
    """A trained transformer or LSTM.

    Attributes:
        path: Folder with ``model.safetensors``, ``config.json``, the tokenizer's files and ``training.json``; where
            the run was profiled, also ``profile.json`` and ``trace.json.gz``.
        report: The report of its training.
    """

    path: Path
    report: TrainingReport

    @classmethod
    def load(cls, path: Path) -> TransformerCheckpoint:
        """Reads the report of a checkpoint's folder; the weights stay on disk."""
        return cls(path, TrainingReport.model_validate_json((path / "training.json").read_text(encoding="utf-8")))

    @property
    def kind(self) -> Literal["transformer", "lstm"]:
        """Which classifier reads its servable."""
        return "lstm" if isinstance(self.report.settings, LstmSettings) else "transformer"
