"""The training run: transformers' Trainer, made to survive a kill and to report progress."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from sentiment import progress
from sentiment.errors import UserError
from sentiment.models.allocation import reusing_memory
from sentiment.models.intermediate import report_evaluation
from sentiment.models.recovery import newest_usable, prune, seal, seconds_spent

if TYPE_CHECKING:
    import torch
    from torch import nn
    from transformers import (
        EvalPrediction,
        PreTrainedModel,
        Trainer,
        TrainerCallback,
        TrainerControl,
        TrainerState,
        TrainingArguments,
    )

    from sentiment.models.checkpoint import TrainingSettings

LOG_STEPS = 10

Example = dict[str, Any]  # {"input_ids": list[int], "labels": P(positive) to learn, in [0, 1]}


def _collate(examples: Sequence[Example], pad_id: int) -> dict[str, torch.Tensor]:
    """A batch padded to its longest row."""
    import torch

    from sentiment.models.batches import pad

    ids, mask = pad([example["input_ids"] for example in examples], pad_id)
    return {
        "input_ids": torch.from_numpy(ids),
        "attention_mask": torch.from_numpy(mask),
        "labels": torch.tensor([example["labels"] for example in examples], dtype=torch.float32),
    }


def _arguments(
    settings: TrainingSettings, precision: Literal["bf16", "fp32"], torch_compile: bool, seed: int, run_dir: Path
) -> TrainingArguments:
    import torch
    from transformers import TrainingArguments

    on_gpu = torch.cuda.is_available()
    return TrainingArguments(
        output_dir=str(run_dir),
        num_train_epochs=1,  # the order of the examples holds all passes
        train_sampling_strategy="sequential",
        per_device_train_batch_size=settings.batch_size // settings.num_processes,
        per_device_eval_batch_size=settings.eval_batch_size,
        gradient_accumulation_steps=settings.gradient_accumulation,
        learning_rate=settings.learning_rate,
        lr_scheduler_type=settings.schedule,
        warmup_steps=settings.warmup,
        weight_decay=settings.weight_decay,
        optim="adamw_torch_fused",
        average_tokens_across_devices=False,  # it would multiply the loss by the number of processes
        bf16=precision == "bf16",
        # bf16 on a CPU is refused unless asked for; several processes share CUDA's devices or the cores
        use_cpu=not (torch.accelerator.is_available() if settings.num_processes == 1 else on_gpu),
        ddp_find_unused_parameters=False,  # an encoder uses all of its parameters
        torch_compile=torch_compile,
        seed=seed,
        eval_strategy="steps",
        eval_steps=1 / settings.evaluations if settings.evaluations > 1 else 1 - 1e-9,  # a share of the steps, below 1
        metric_for_best_model="accuracy",
        greater_is_better=True,
        save_strategy="steps",
        save_steps=settings.save_steps,
        logging_steps=LOG_STEPS,
        disable_tqdm=True,
        report_to="none",
        remove_unused_columns=False,
        dataloader_pin_memory=on_gpu,
        dataloader_num_workers=(2 if on_gpu else 0) if settings.num_workers == "auto" else settings.num_workers,
    )


def run(
    model: PreTrainedModel,
    examples: Sequence[Example],
    held_out: Sequence[Example],
    *,
    task: str,
    pad_id: int,
    settings: TrainingSettings,
    precision: Literal["bf16", "fp32"],
    torch_compile: bool,
    class_weights: tuple[float, float],
    seed: int,
    run_dir: Path,
) -> None:
    """Trains from the newest usable state in ``run_dir``, or from the start, to the end.

    Args:
        model: The model to train, in place.
        examples: All examples of the run in the order in which they are shown.
        held_out: Examples of the evaluations, sorted by length.
        task: Name of the training in reports of progress.
        pad_id: Token id that fills short rows.
        settings: The recipe.
        precision: Precision of the forward pass.
        torch_compile: Whether to compile the model.
        class_weights: Weight of a negative and of a positive review in the loss.
        seed: Seeds dropout.
        run_dir: Where states are kept.

    Raises:
        UserError: A state cannot be written.
    """
    from transformers import PrinterCallback, TrainerState

    arguments = _arguments(settings, precision, torch_compile, seed, run_dir)
    with arguments.main_process_first():  # it deletes damaged states
        start = newest_usable(run_dir)
    if start is not None:
        state = TrainerState.load_from_json(str(start / "trainer_state.json"))
        if state.global_step >= state.max_steps or _stopped_early(state, settings.early_stopping_patience):
            return  # killed between the last state and the checkpoint
    loss: Callable[..., torch.Tensor] = partial(
        _cross_entropy, smoothing=settings.label_smoothing, class_weights=class_weights
    )
    callbacks = [_watcher(settings.early_stopping_patience, task)]
    if settings.profile and arguments.process_index == 0:
        from sentiment.models.profiler import Profiler

        profiler = Profiler(run_dir)
        loss = profiler.ends_forward(loss)
        callbacks.append(profiler)
    trainer = _sealing_trainer(
        time.monotonic() - (seconds_spent(start) if start else 0),
        model=model,
        args=arguments,
        train_dataset=examples,
        eval_dataset=held_out,
        data_collator=partial(_collate, pad_id=pad_id),
        compute_loss_func=loss,
        compute_metrics=_figures,
        callbacks=callbacks,
    )
    trainer.remove_callback(PrinterCallback)
    trainer.model_accepts_loss_kwargs = False
    trainer.loss_is_scaled_for_ga = False  # the loss is a mean over one batch
    with reusing_memory():
        trainer.train(resume_from_checkpoint=str(start) if start else None)


def _sealing_trainer(started: float, **parts: Any) -> Trainer:  # noqa: ANN401  # arguments of a Trainer
    """A trainer that seals every state it saves, with the seconds since ``started`` (monotonic)."""
    from safetensors import SafetensorError
    from transformers import Trainer

    # torch reports a failed write as RuntimeError, safetensors as its own error
    failures = (OSError, RuntimeError, SafetensorError)

    class SealingTrainer(Trainer):
        def _save_checkpoint(self, model: nn.Module, trial: Any) -> None:  # noqa: ANN401  # never given: no search
            run_dir = Path(str(self.args.output_dir))
            with writing(run_dir, failures):
                super()._save_checkpoint(model, trial)
                self.accelerator.wait_for_everyone()
                if self.is_world_process_zero():
                    seal(run_dir / f"checkpoint-{self.state.global_step}", time.monotonic() - started)
                    prune(run_dir)

    return SealingTrainer(**parts)


def _watcher(patience: int | None, task: str) -> TrainerCallback:
    """Reports progress, saves evaluated states, stops early."""
    from transformers import TrainerCallback

    class Watcher(TrainerCallback):
        """Keeps only the start of this process's part of the run: a resumed run restores the trainer's state."""

        started, first_step = 0.0, 0

        def on_train_begin(
            self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: object
        ) -> None:
            self.started, self.first_step = time.monotonic(), state.global_step

        def on_log(
            self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: object
        ) -> None:
            names = {"loss": "loss", "eval_accuracy": "accuracy"}
            latest = {names[k]: float(v) for entry in state.log_history for k, v in entry.items() if k in names}
            pace = (time.monotonic() - self.started) / max(state.global_step - self.first_step, 1)
            latest["minutes left"] = round(pace * (state.max_steps - state.global_step) / 60)
            progress.report(task, state.global_step, state.max_steps, **latest)

        def on_evaluate(
            self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: object
        ) -> None:
            control.should_save = True
            if _stopped_early(state, patience):
                control.should_training_stop = True
            figures = state.log_history[-1]
            report_evaluation(
                state.global_step / state.max_steps,
                accuracy=figures["eval_accuracy"],
                log_loss=figures["eval_cross_entropy"],
            )

    return Watcher()


def _stopped_early(state: TrainerState, patience: int | None) -> bool:
    """Whether the last ``patience`` evaluations brought no better accuracy than the best before them."""
    seen = [entry["eval_accuracy"] for entry in state.log_history if "eval_accuracy" in entry]
    return patience is not None and len(seen) > patience and max(seen[-patience:]) <= max(seen[:-patience])


def _cross_entropy(
    outputs: Mapping[str, torch.Tensor],
    labels: torch.Tensor,
    num_items_in_batch: object = None,
    *,
    smoothing: float,
    class_weights: tuple[float, float] = (1.0, 1.0),
) -> torch.Tensor:
    """Mean cross-entropy with P(positive) as labels, shape (rows,): 0, 1, or between where a text says nothing.

    A row weighs what its labels weigh, in the shares of its P(positive). The mean is over rows, not over weights: with
    weights whose mean over the training reviews is 1, steps are as long as without weights.
    """
    import torch

    likely = torch.stack([1 - labels, labels], dim=1)
    if class_weights == (1.0, 1.0):
        return torch.nn.functional.cross_entropy(outputs["logits"], likely, label_smoothing=smoothing)
    losses = torch.nn.functional.cross_entropy(outputs["logits"], likely, label_smoothing=smoothing, reduction="none")
    return (losses * (likely @ likely.new_tensor(class_weights))).mean()


def _figures(prediction: EvalPrediction) -> dict[str, float]:
    """Accuracy and mean cross-entropy; the Trainer's own loss is smoothed, and counts some rows twice in processes."""
    import numpy as np
    from scipy.special import log_softmax

    logits, labels = np.asarray(prediction.predictions, dtype=np.float64), np.asarray(prediction.label_ids, np.int64)
    likelihoods = np.take_along_axis(log_softmax(logits, axis=1), labels[:, None], axis=1)
    return {"accuracy": float((logits.argmax(axis=1) == labels).mean()), "cross_entropy": float(-likelihoods.mean())}


@contextmanager
def writing(folder: Path, failures: tuple[type[Exception], ...] = (OSError,)) -> Iterator[None]:
    """Turns a failed write into one clear line."""
    try:
        yield
    except failures as error:
        raise UserError(
            f"cannot be written ({str(error).splitlines()[0]})",
            where=str(folder),
            remedy="Free some space and run the same again: training resumes from its last complete state",
        ) from error
