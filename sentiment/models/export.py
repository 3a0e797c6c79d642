"""Exports a trained transformer or LSTM for every engine, a transformer in int8 where that costs no accuracy."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict, Field

from sentiment import progress
from sentiment.evaluation.calibration import calibrate
from sentiment.models.checkpoint import TransformerCheckpoint
from sentiment.models.classifier import Classifier
from sentiment.models.engines import onnx_engine, openvino_engine
from sentiment.models.engines.choice import BF16, ENGINES, F32, INT8, ONNX, suits
from sentiment.models.engines.processor import instructions
from sentiment.models.onnx_graph import quantise, write_float
from sentiment.models.servable import Manifest, Servable, package_versions
from sentiment.models.truncation import encode
from sentiment.reviews.table import Reviews
from sentiment.settings import Settings

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class ExportSettings(Settings):
    """The export of a checkpoint for serving."""

    int8: bool = Field(True, description="Try int8 weights and activations: about twice as fast, a quarter of the size")
    int8_tolerance: float = Field(
        0.003, ge=0, le=1, description="Accuracy that int8 may lose against float; where it loses more, float is served"
    )
    max_length: int | None = Field(
        160,
        ge=8,
        le=4096,
        description="Maximum tokens read when serving; null: as in training. A model fine-tuned on the ends of long "
        "reviews reads somewhat more of them as well, at no training cost",
    )
    rows: int | None = Field(2000, ge=1, description="Validation reviews that decide it; null: all")


class LargeExportSettings(ExportSettings):
    """The export of the large transformer, which takes eight times as long for each review."""

    rows: int | None = Field(500, ge=1, description="Validation reviews that decide it; null: all")


class ExportReport(BaseModel):
    """The result of an export.

    Attributes:
        kind: Which classifier reads it.
        seconds: Time of training and export.
        weighted: Whether the training weighed the labels: calibration then fits a bias.
        precision: Precision of ``model.onnx``.
        reason: The reason for the precision, for readers.
        engines: Engines that keep the accuracy, other than float32.
        float_accuracy: Accuracy in [0, 1] of the float model on the validation rows.
        accuracy: Accuracy there of each engine that was tried on this machine.
        agreement: Share of rows on which that engine gives the float model's label.
        rows: Validation rows that were compared.
        parity: Largest difference of a logit between torch and float ONNX.
        bytes: Size of ``model.onnx``.
        float_bytes: Size of the float model.
        max_length: Maximum tokens of a text, special tokens included.
        head_share: Share of a long text's tokens taken from its start.
        cls_id: Token that opens a text.
        sep_id: Token that closes a text.
        pad_id: Token that fills short rows.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["transformer", "lstm"]
    seconds: float
    weighted: bool = False
    precision: Literal["int8", "float32"]
    reason: str
    engines: tuple[str, ...]
    float_accuracy: float
    accuracy: dict[str, float]
    agreement: dict[str, float]
    rows: int
    parity: float
    bytes: int
    float_bytes: int
    max_length: int
    head_share: float
    cls_id: int
    sep_id: int
    pad_id: int


def export_transformer(
    checkpoint: TransformerCheckpoint, validation: Reviews, out_dir: Path, settings: ExportSettings, *, seed: int
) -> ExportReport:
    """Writes the model for every engine, and ``tokenizer.json``, into ``out_dir``.

    ``openvino.xml`` and ``model.onnx`` map ``input_ids`` and ``attention_mask`` (int64, rows x tokens) to ``logits``
    (float32, rows x 2). ``tokenizer.json`` neither truncates nor pads: :mod:`sentiment.models.truncation` does.

    Args:
        checkpoint: The trained checkpoint.
        validation: Reviews on which the engines are compared with the float model.
        out_dir: Created if missing.
        settings: Whether to try int8, and its tolerance.
        seed: Seeds the draw of the validation rows.

    Returns:
        The engines that keep the accuracy, with their figures.

    Raises:
        RuntimeError: Float ONNX and torch disagree.
    """
    from sentiment.models.batches import stratified

    started = time.monotonic()
    if checkpoint.kind == "lstm":
        from sentiment.models.lstm_network import register

        register()
    out_dir.mkdir(parents=True, exist_ok=True)
    reviews = stratified(validation, settings.rows, seed=seed)
    labels = reviews.frame["label"].to_numpy()
    with TemporaryDirectory(dir=out_dir) as scratch:
        folder = Path(scratch)
        float_path, int8_path = folder / "float.onnx", folder / onnx_engine.FILE
        tokens = _Tokens(checkpoint, out_dir / "tokenizer.json", settings.max_length)
        ids = tokens.encode(reviews)
        parity = write_float(checkpoint.path, float_path, ids, tokens.pad_id)
        openvino_engine.write_ir(float_path, folder)
        if settings.int8:
            quantise(float_path, int8_path)
        found = _labels_by_engine(
            folder, ids, tokens.pad_id, _engines_to_try(checkpoint.kind, settings), task=f"export {checkpoint.kind}"
        )
        in_float32 = found.pop(F32)
        accuracy = {name: float((predicted == labels).mean()) for name, predicted in found.items()}
        float_accuracy = float((in_float32 == labels).mean())
        kept = tuple(name for name, value in accuracy.items() if value >= float_accuracy - settings.int8_tolerance)
        float_bytes = float_path.stat().st_size
        (int8_path if ONNX in kept else float_path).replace(out_dir / onnx_engine.FILE)
        for suffix in (".xml", ".bin"):
            (folder / openvino_engine.FILE).with_suffix(suffix).replace(
                (out_dir / openvino_engine.FILE).with_suffix(suffix)
            )
    precision, reason = _explain(float_accuracy, accuracy, settings.int8_tolerance)
    return ExportReport(
        kind=checkpoint.kind,
        seconds=round(checkpoint.report.seconds + time.monotonic() - started, 1),
        weighted=checkpoint.report.class_weights != (1.0, 1.0),
        precision=precision,
        reason=reason,
        engines=kept,
        float_accuracy=float_accuracy,
        accuracy=accuracy,
        agreement={name: float((predicted == in_float32).mean()) for name, predicted in found.items()},
        rows=len(reviews),
        parity=parity,
        bytes=(out_dir / onnx_engine.FILE).stat().st_size,
        float_bytes=float_bytes,
        max_length=tokens.max_length,
        head_share=tokens.head_share,
        cls_id=tokens.cls_id,
        sep_id=tokens.sep_id,
        pad_id=tokens.pad_id,
    )


def _engines_to_try(kind: str, settings: ExportSettings) -> list[str]:
    """Lists the engines to compare with float32: bf16 where the processor multiplies it, int8 if asked to.

    None for an LSTM: ONNX Runtime computes it in float32 faster than OpenVINO does, so it is what ``auto`` takes. A
    deployment that asks for another engine gets that one.
    """
    if kind == "lstm":
        return []
    return [*([BF16] if suits(BF16, instructions()) else []), *([INT8, ONNX] if settings.int8 else [])]


def _labels_by_engine(
    folder: Path, ids: Sequence[Sequence[int]], pad_id: int, engines: Sequence[str], *, task: str
) -> dict[str, NDArray[np.int64]]:
    """Predicts the labels of some rows by the float model and by each engine."""
    import numpy as np
    from joblib import cpu_count

    found = {}
    for done, name in enumerate([F32, *engines]):
        progress.report(task, done, len(engines) + 1)
        engine = ENGINES[name][1](folder, pad_id=pad_id, threads=cpu_count())
        engine.warm_up(max(map(len, ids)))  # see docs/design.md: threads must not compile kernels at once
        found[name] = (engine.log_odds(ids) > 0).astype(np.int64)
    progress.report(task, 1, 1)
    return found


def _explain(
    float_accuracy: float, accuracy: Mapping[str, float], tolerance: float
) -> tuple[Literal["int8", "float32"], str]:
    """Returns the precision of ``model.onnx``, and the reason for it."""
    if ONNX not in accuracy:
        return "float32", "int8 is switched off"
    figures = f"accuracy {accuracy[ONNX]:.4f} in int8, {float_accuracy:.4f} in float32, tolerance {tolerance:.4f}"
    if accuracy[ONNX] >= float_accuracy - tolerance:
        return "int8", f"int8 keeps the accuracy: {figures}"
    return "float32", f"int8 loses too much: {figures}"


class _Tokens:
    """The checkpoint's tokenizer, stripped of truncation and padding, and the ids and lengths that go with it."""

    def __init__(self, checkpoint: TransformerCheckpoint, path: Path, max_length: int | None) -> None:
        from tokenizers import Tokenizer
        from transformers import AutoConfig, AutoTokenizer

        from sentiment.models.encoder import longest_input, require_length

        self._tokenizer = Tokenizer.from_file(str(checkpoint.path / "tokenizer.json"))
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()
        self._tokenizer.save(str(path))
        special = AutoTokenizer.from_pretrained(checkpoint.path)
        self.cls_id, self.sep_id, self.pad_id = special.cls_token_id, special.sep_token_id, special.pad_token_id
        self.max_length = max_length or checkpoint.report.settings.max_length
        if checkpoint.kind == "transformer":  # an LSTM reads texts of any length
            longest = longest_input(AutoConfig.from_pretrained(checkpoint.path), special)
            require_length(self.max_length, longest, where="export.max_length")
        self.head_share = checkpoint.report.settings.head_share

    def encode(self, reviews: Reviews) -> list[list[int]]:
        texts = reviews.frame["text"].tolist()
        return encode(self._tokenizer, texts, self.max_length, self.head_share, cls_id=self.cls_id, sep_id=self.sep_id)


def write_servable(
    out: Path, report: ExportReport, validation: Reviews, *, data_fingerprint: str, git_commit: str
) -> Servable:
    """Completes the directory of :func:`export_transformer`: calibrates it and writes its manifest.

    Args:
        out: The directory that :func:`export_transformer` wrote.
        report: The report of the export.
        validation: Reviews that the calibration is fitted on.
        data_fingerprint: Of the splits the checkpoint was trained on.
        git_commit: Of the code.
    """
    from joblib import cpu_count

    started = time.monotonic()
    manifest = Manifest(
        kind=report.kind,
        settings=report.model_dump(
            include={"precision", "engines", "max_length", "head_share", "cls_id", "sep_id", "pad_id"}
        ),
        temperature=1.0,
        validation_accuracy=0.0,
        data_fingerprint=data_fingerprint,
        versions=package_versions("torch", "transformers", "onnx", "onnxruntime", "openvino", "tokenizers", "numpy"),
        git_commit=git_commit,
    )
    manifest.write(out)
    classifier = Classifier.load(out, threads=cpu_count())
    classifier.warm_up()
    logits = classifier.logits(validation.frame["text"].tolist())
    labels = validation.frame["label"].to_numpy()
    replace(
        manifest,
        **asdict(calibrate(logits, labels, weighted=report.weighted)),
        training_seconds=round(report.seconds + time.monotonic() - started, 1),
        engine=classifier.engine,
        instructions=instructions(),
    ).write(out)
    return Servable(out)
