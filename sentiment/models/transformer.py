"""Fine-tunes a pretrained encoder into a two-class sentiment model."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from sentiment.models.checkpoint import TransformerCheckpoint, TransformerSettings
from sentiment.models.encoder import choose_precision, load_encoder
from sentiment.models.training import Network, train_network
from sentiment.models.weights import find_model
from sentiment.reviews.table import Reviews


def train_transformer(
    train: Reviews,
    validation: Reviews,
    settings: TransformerSettings,
    *,
    seed: int,
    work_dir: Path,
    targets: Sequence[float] | None = None,
    class_weights: tuple[float, float] = (1.0, 1.0),
) -> TransformerCheckpoint:
    """Fine-tunes the encoder: see :func:`sentiment.models.training.train_network`, which resumes killed runs.

    Args:
        train: Reviews to learn from, both labels present.
        validation: Reviews to choose the best weights by.
        settings: The recipe.
        seed: Seeds the new head, the order of the rows and dropout.
        work_dir: Where states and checkpoint are kept; created if missing.
        targets: P(positive) in [0, 1] to learn for each review of ``train``; None: its label, 0 or 1.
        class_weights: Weight of a negative and of a positive review in the loss.

    Raises:
        UserError: The model cannot be loaded or does not fit the settings, the reviews lack a label, or a state
            cannot be written.
    """
    precision = choose_precision(settings.precision)
    network = Network(
        find_model(settings.model),
        load_encoder,
        precision,
        task=_task(settings.precision, precision),
        torch_compile=settings.torch_compile,
    )
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


def _task(wanted: str, precision: str) -> str:
    """Names the training in reports of progress, and why it is slow if it is."""
    slow = wanted == "auto" and precision == "fp32"
    return "train transformer in float32 (no bfloat16 here: 3 to 4 times slower)" if slow else "train transformer"
