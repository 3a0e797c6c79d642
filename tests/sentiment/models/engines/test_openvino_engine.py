"""OpenVINO's int8: weights per output, activations per token, and one thread where the processor has AMX."""

import numpy as np
import openvino
import pytest
from openvino import opset13

from sentiment.models.engines import openvino_engine
from sentiment.models.engines.openvino_engine import OpenVinoEngine, quantise_weights
from tests.helpers import tiny_servables


@pytest.mark.parametrize("transposed", [True, False])
def test_int8_weights_give_nearly_the_same_product(transposed):
    random = np.random.default_rng(0)
    weights = random.normal(size=(6, 4)).astype(np.float32) * np.array([[1], [10], [0.1], [1], [0], [3]], np.float32)
    stored = weights if transposed else np.ascontiguousarray(weights.T)
    given = opset13.parameter([-1, 4], np.float32)
    halved = opset13.convert(opset13.constant(stored.astype(np.float16)), "f32")  # as in a saved model
    model = openvino.Model([opset13.matmul(given, halved, False, transposed)], [given])
    quantise_weights(model)
    kinds = [node.get_element_type().get_type_name() for node in model.get_ops() if node.get_type_name() == "Constant"]
    assert "i8" in kinds
    assert "f16" not in kinds
    inputs = random.normal(size=(3, 4)).astype(np.float32)
    found = openvino.compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})(inputs)[0]
    steps = np.abs(weights).max(axis=1) / 127  # each output has its own scale
    assert (np.abs(found - inputs @ weights.T) <= steps * np.abs(inputs).sum(axis=1, keepdims=True) + 1e-5).all()


@pytest.mark.parametrize(
    ("machine", "precision", "streams"),
    [(("amx_bf16", "amx_int8"), "int8", 1), (("amx_bf16", "amx_int8"), "bf16", 2), (("avx512_vnni",), "int8", 2)],
)
def test_int8_has_one_thread_where_the_processor_has_amx(tmp_path, monkeypatch, machine, precision, streams):
    path = tiny_servables.save_transformer(tmp_path).path
    monkeypatch.setattr(openvino_engine, "instructions", lambda: machine)
    asked = {}
    compiled = openvino.Core.compile_model

    def record(core, model, device, options):
        asked.update(options)
        return compiled(core, model, device, options)

    monkeypatch.setattr(openvino.Core, "compile_model", record)
    OpenVinoEngine(path, pad_id=0, threads=2, precision=precision)
    assert (asked["NUM_STREAMS"], asked["INFERENCE_NUM_THREADS"]) == (streams, streams)
