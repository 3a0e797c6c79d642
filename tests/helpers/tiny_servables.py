"""Servables of every kind, made in a moment: a linear model of made-up reviews, a small graph, and both."""

from pathlib import Path

import numpy as np

from sentiment.models.cascade import CascadeSettings, fit_cascade
from sentiment.models.engines.choice import BF16, INT8, ONNX
from sentiment.models.engines.openvino_engine import write_ir
from sentiment.models.linear import LinearSettings, export_linear, train_linear
from sentiment.models.servable import Manifest, Servable
from tests.helpers import tiny_transformer as tiny

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", *tiny.GOOD, *tiny.BAD, *tiny.FILLER, "!", "&"]
SHORT_WORDS = 20
LINEAR = LinearSettings(hash_bits=14)


def save_linear(folder: Path, *, data_fingerprint: str = "data", seed: int = 1) -> Servable:
    pipeline = train_linear(tiny.reviews(200, seed), LINEAR, seed=0)
    export_linear(pipeline, tiny.reviews(60, 2), folder, data_fingerprint=data_fingerprint, git_commit="")
    return Servable(folder)


def save_transformer(folder: Path, *, data_fingerprint: str = "data", max_length: int = 32) -> Servable:
    """The mean over tokens: +6 for a good word, -6 for a bad one. If padding counted, it would decide."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers

    folder.mkdir(parents=True, exist_ok=True)
    tokenizer = Tokenizer(models.WordLevel({w: i for i, w in enumerate(WORDS)}, unk_token="[UNK]"))
    tokenizer.normalizer, tokenizer.pre_tokenizer = normalizers.Lowercase(), pre_tokenizers.Whitespace()
    tokenizer.save(str(folder / "tokenizer.json"))

    scores = np.array([50 if w == "[PAD]" else 6 * (w in tiny.GOOD) - 6 * (w in tiny.BAD) for w in WORDS])
    table = np.stack([-scores / 2, scores / 2], axis=1).astype(np.float32)
    nodes = [
        helper.make_node("Gather", ["table", "input_ids"], ["tokens"]),
        helper.make_node("Cast", ["attention_mask"], ["mask"], to=TensorProto.FLOAT),
        helper.make_node("Unsqueeze", ["mask", "last"], ["column"]),
        helper.make_node("Mul", ["tokens", "column"], ["masked"]),
        helper.make_node("ReduceSum", ["masked", "middle"], ["sum"], keepdims=0),
        helper.make_node("ReduceSum", ["column", "middle"], ["count"], keepdims=0),
        helper.make_node("Div", ["sum", "count"], ["logits"]),
    ]
    inputs = [
        helper.make_tensor_value_info(n, TensorProto.INT64, ["rows", "width"]) for n in ("input_ids", "attention_mask")
    ]
    outputs = [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["rows", 2])]
    constants = {"table": table, "last": np.array([2]), "middle": np.array([1])}
    stored = [numpy_helper.from_array(value, name) for name, value in constants.items()]
    graph = helper.make_graph(nodes, "mean", inputs, outputs, stored)
    onnx.save(
        helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), folder / "model.onnx"
    )
    write_ir(folder / "model.onnx", folder)
    settings = {"max_length": max_length, "head_share": 1 / 3, "cls_id": 2, "sep_id": 3, "pad_id": 0}
    settings |= {"engines": [BF16, INT8, ONNX]}
    Manifest("transformer", settings, 0.5, 0.9, data_fingerprint, {}).write(folder)
    return Servable(folder)


def save_cascade(folder: Path, *, stages: int = 2) -> Servable:
    names = ("linear", "transformer", "large_transformer")[:stages]
    save_stage = (save_linear, save_transformer, save_transformer)
    parts = {name: save_part(folder / "parts" / name) for name, save_part in zip(names, save_stage, strict=False)}
    settings = CascadeSettings(stages=names, brief_words=SHORT_WORDS, short_words=SHORT_WORDS, shares=(0.3,))
    fit_cascade(parts, tiny.reviews(60, 2), settings, folder / "cascade", git_commit="")
    return Servable(folder / "cascade")


def save(kind: str, folder: Path) -> Servable:
    return {"linear": save_linear, "transformer": save_transformer, "cascade": save_cascade}[kind](folder)
