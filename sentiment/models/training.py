"""Trains a network into a two-class sentiment model; a run survives being killed."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from sentiment.errors import UserError
from sentiment.models.checkpoint import TrainingReport, TrainingSettings, TransformerCheckpoint
from sentiment.models.data_parallel import run_together
from sentiment.models.encoder import quiet_transformers
from sentiment.models.intermediate import PrunedError
from sentiment.models.recovery import LOCK, alone, best_state, newest_usable, seconds_spent
from sentiment.models.step_profile import PROFILE, TRACE
from sentiment.models.trainer import Example, run, writing
from sentiment.models.truncation import encode
from sentiment.models.weights import fingerprint
from sentiment.reviews.table import LABELS, Reviews

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

VERSIONS = ("torch", "transformers", "accelerate", "tokenizers")


@dataclass(frozen=True)
class Network:
    """What is trained.

    Attributes:
        source: A local folder or an id on the model hub: weights and tokenizer, or the tokenizer alone.
        load: Loads model and tokenizer from the source, by the settings and the seed; pickle can hand it to another
            process.
        precision: Precision of the forward pass.
        task: Name of the training in reports of progress.
        torch_compile: Whether to compile the model.
    """

    source: str
    load: Callable[..., tuple[PreTrainedModel, PreTrainedTokenizerBase]]
    precision: Literal["bf16", "fp32"]
    task: str
    torch_compile: bool = False


def train_network(
    train: Reviews,
    validation: Reviews,
    settings: TrainingSettings,
    network: Network,
    *,
    seed: int,
    work_dir: Path,
    targets: Sequence[float] | None = None,
    class_weights: tuple[float, float] = (1.0, 1.0),
) -> TransformerCheckpoint:
    """Trains the network on ``train`` and keeps the weights that do best on ``validation``.

    The run lives in ``work_dir/<key>``, the key being made of settings, seed, data and versions. Called again with
    the same, it resumes from the last complete state and reaches the same weights; a finished run is returned as is.
    Called at once by two processes, the second waits for the first.

    Args:
        train: Reviews to learn from, both labels present.
        validation: Reviews to choose the best weights by.
        settings: The recipe.
        network: What to train.
        seed: Seeds the new weights, the order of the rows and dropout.
        work_dir: Where states and checkpoint are kept; created if missing.
        targets: P(positive) in [0, 1] to learn for each review of ``train``; None: its label, 0 or 1.
        class_weights: Weight of a negative and of a positive review in the loss.

    Returns:
        The checkpoint, in ``work_dir/<key>/checkpoint``.

    Raises:
        UserError: The network cannot be loaded or does not fit the settings, the reviews lack a label, or a state
            cannot be written (a full disk); states saved before are kept.
        PrunedError: A judge has given the training up (:mod:`sentiment.models.intermediate`); its states are deleted.
    """
    _check_reviews(train, validation)
    facts: dict[str, Any] = {
        "settings": settings.model_dump(mode="json", exclude=set() if settings.profile else {"profile"}),
        "seed": seed,
        "source": fingerprint(network.source),
        "precision": network.precision,
        "train_fingerprint": train.fingerprint,
        "targets_sha256": None if targets is None else hashlib.sha256(json.dumps(list(targets)).encode()).hexdigest(),
        "validation_fingerprint": validation.fingerprint,
        "versions": {name: version(name) for name in VERSIONS},
    }
    if class_weights != (1.0, 1.0):  # otherwise the key is that of earlier runs
        facts["class_weights"] = class_weights
    run_dir = work_dir / hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:16]
    if not (run_dir / "checkpoint").is_dir():
        with writing(run_dir):
            run_dir.mkdir(parents=True, exist_ok=True)
        work = partial(
            _train, train, validation, settings, targets, network=network, class_weights=class_weights,
            run_dir=run_dir, facts=facts,
        )  # fmt: skip
        with alone(run_dir):
            if not (run_dir / "checkpoint").is_dir():  # the other process has made it meanwhile
                try:
                    if settings.num_processes == 1:
                        work()
                    else:
                        run_together(work, settings.num_processes)
                except PrunedError:
                    _delete_states(run_dir)
                    raise
    for scratch in run_dir.glob("checkpoint-*"):  # saved states; a finished run needs none
        shutil.rmtree(scratch, ignore_errors=True)
    for name in (PROFILE, TRACE):  # the checkpoint has copies
        (run_dir / name).unlink(missing_ok=True)
    return TransformerCheckpoint.load(run_dir / "checkpoint")


def _delete_states(run_dir: Path) -> None:
    """Deletes what a run has written, but the lock: a process that waits for it starts from the beginning."""
    for path in run_dir.iterdir():
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        elif path.name != LOCK:
            path.unlink(missing_ok=True)


@quiet_transformers()
def _train(
    train: Reviews,
    validation: Reviews,
    settings: TrainingSettings,
    targets: Sequence[float] | None,
    *,
    network: Network,
    class_weights: tuple[float, float],
    run_dir: Path,
    facts: dict[str, Any],
) -> None:
    """Trains and keeps the best weights; each of several processes does this, and the first alone writes."""
    from accelerate import PartialState

    model, tokenizer = network.load(network.source, settings, facts["seed"])
    examples = _examples(train, tokenizer, settings, targets)
    shown = [examples[i] for i in _order(train, examples, settings, facts["seed"])]
    run(
        model,
        shown,
        _held_out(validation, tokenizer, settings, facts["seed"]),
        task=network.task,
        pad_id=tokenizer.pad_token_id,
        settings=settings,
        precision=network.precision,
        torch_compile=network.torch_compile,
        class_weights=class_weights,
        seed=facts["seed"],
        run_dir=run_dir,
    )
    tokens = sum(len(example["input_ids"]) for example in shown)
    if PartialState().is_main_process:
        with writing(run_dir):
            _keep_best(run_dir, tokenizer, {**facts, "examples": len(shown), "tokens": tokens})
    PartialState().wait_for_everyone()


def _check_reviews(train: Reviews, validation: Reviews) -> None:
    for name, reviews in (("training", train), ("validation", validation)):
        if reviews.frame["label"].nunique() < len(LABELS):
            raise UserError(f"the {name} reviews do not hold both labels", remedy=f"Give reviews of {LABELS}")


def _examples(
    reviews: Reviews,
    tokenizer: PreTrainedTokenizerBase,
    settings: TrainingSettings,
    targets: Sequence[float] | None = None,
) -> list[Example]:
    backend = tokenizer.backend_tokenizer
    backend.no_truncation()
    backend.no_padding()
    ids = encode(
        backend,
        reviews.frame["text"].tolist(),
        settings.max_length,
        settings.head_share,
        cls_id=tokenizer.cls_token_id,
        sep_id=tokenizer.sep_token_id,
    )
    labels = reviews.frame["label"].tolist() if targets is None else targets
    return [{"input_ids": row, "labels": label} for row, label in zip(ids, labels, strict=True)]


def _order(train: Reviews, examples: Sequence[Example], settings: TrainingSettings, seed: int) -> list[int]:
    from sentiment.models.batches import training_order

    order = training_order(
        [len(example["input_ids"]) for example in examples],
        [len(text.split()) <= settings.short_words for text in train.frame["text"]],
        epochs=settings.epochs,
        short_epochs=settings.short_epochs,
        long_rows=settings.long_rows,
        batch_size=settings.batch_size,
        seed=seed,
    )
    if not len(order):
        raise UserError("no review is left to train on", where="epochs, long_rows", remedy="Raise them")
    return [int(row) for row in order]


def _held_out(
    validation: Reviews, tokenizer: PreTrainedTokenizerBase, settings: TrainingSettings, seed: int
) -> list[Example]:
    """Validation examples of the evaluations inside a run, longest first so that a batch pads little."""
    from sentiment.models.batches import stratified

    examples = _examples(stratified(validation, settings.evaluation_rows, seed=seed), tokenizer, settings)
    return sorted(examples, key=lambda example: -len(example["input_ids"]))


def _keep_best(run_dir: Path, tokenizer: PreTrainedTokenizerBase, facts: dict[str, Any]) -> None:
    """Makes the checkpoint of the best state, in one move."""
    from transformers import TrainerState

    last = newest_usable(run_dir)
    if last is None:
        raise RuntimeError(f"the run in {run_dir} ended without a complete state")
    best = best_state(last)
    state = TrainerState.load_from_json(str(last / "trainer_state.json"))
    scores = next(e for e in state.log_history if e["step"] == state.best_global_step and "eval_accuracy" in e)
    report = TrainingReport(
        **facts,
        steps=state.global_step,
        best_step=state.best_global_step,
        seconds=round(seconds_spent(last), 1),
        validation_accuracy=scores["eval_accuracy"],
        validation_loss=scores["eval_cross_entropy"],
    )
    folder = run_dir / "checkpoint.partial"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for name in ("model.safetensors", "config.json"):
        shutil.copyfile(best / name, folder / name)
    for name in (PROFILE, TRACE):
        if (run_dir / name).is_file():
            shutil.copyfile(run_dir / name, folder / name)  # a move would lose them if this process is killed here
    tokenizer.save_pretrained(folder)
    (folder / "training.json").write_text(report.model_dump_json(indent=2), encoding="utf-8")
    folder.rename(run_dir / "checkpoint")
