"""OpenVINO: batches in bfloat16 or int8, where the processor multiplies matrices of these types itself."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from sentiment.models.engines.engine import Engine
from sentiment.models.engines.processor import instructions
from sentiment.models.engines.shapes import batches, shapes

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from openvino import Model, Node

    from sentiment.models.engines.engine import Floats

FILE = "openvino.xml"
MAX_PADDING = {"bf16": 48, "int8": 16, "f32": 8}  # the faster the products, the more time reading the weights takes
ACTIVATIONS_PER_SCALE = 128  # neighbours of a token


class OpenVinoEngine(Engine):
    """Runs ``openvino.xml``, whose weights are stored in 16 bits.

    In int8, each token's activations are scaled by themselves, so a text's score does not depend on the other texts of
    its batch; in bfloat16 it depends on them by rounding errors.
    """

    def __init__(self, path: Path, *, pad_id: int, threads: int, precision: Literal["bf16", "int8", "f32"]) -> None:
        """Loads the model of the servable directory ``path``; ``threads`` batches are computed side by side."""
        import openvino

        self.name = f"openvino-{precision}"
        if precision == "int8" and "amx_int8" in instructions():
            threads = 1  # OpenVINO 2026.4's int8 products with AMX are wrong if two threads compute at once
        self._pad_id, self._threads, self._max_padding = pad_id, threads, MAX_PADDING[precision]
        core = openvino.Core()
        model = core.read_model(path / FILE)
        options: dict[str, Any] = {
            "PERFORMANCE_HINT": "LATENCY",
            "NUM_STREAMS": threads,  # one thread each
            "INFERENCE_NUM_THREADS": threads,
            "ENABLE_CPU_PINNING": False,  # every worker of a service would pin itself to the same core
            "INFERENCE_PRECISION_HINT": "f32" if precision == "f32" else "bf16",
        }
        if precision == "int8":
            quantise_weights(model)
            options["DYNAMIC_QUANTIZATION_GROUP_SIZE"] = ACTIVATIONS_PER_SCALE
        compiled = core.compile_model(model, "CPU", options)
        self._requests: SimpleQueue[Any] = SimpleQueue()  # each computes one batch at a time
        for _ in range(threads):
            self._requests.put(compiled.create_infer_request())

    def log_odds(self, token_ids: Sequence[Sequence[int]]) -> Floats:
        """Computes the log-odds of the positive label of framed texts, shape (n,), in order."""
        found = np.empty(len(token_ids))

        def run(batch: tuple[list[int], int]) -> None:
            rows, width = batch
            found[rows] = self._forward([token_ids[row] for row in rows], width)

        planned = batches([len(row) for row in token_ids], self._max_padding)
        if self._threads == 1:
            for batch in planned:
                run(batch)
        else:
            with ThreadPoolExecutor(self._threads) as pool:
                list(pool.map(run, planned))
        return found

    def warm_up(self, max_length: int) -> None:
        """Compiles the kernels of every shape."""
        for texts, width in shapes(max_length):
            self._forward([[0] * width] * texts, width)

    def _forward(self, rows: Sequence[Sequence[int]], width: int) -> Floats:
        ids = np.full((len(rows), width), self._pad_id, dtype=np.int64)
        mask = np.zeros_like(ids)
        for ids_row, mask_row, row in zip(ids, mask, rows, strict=True):
            ids_row[: len(row)] = row
            mask_row[: len(row)] = 1
        with self._request() as request:
            request.infer({"input_ids": ids, "attention_mask": mask}, share_inputs=True)
            logits: NDArray[np.float64] = request.get_output_tensor(0).data.astype(np.float64)
        return logits[:, 1] - logits[:, 0]

    @contextmanager
    def _request(self) -> Iterator[Any]:
        request = self._requests.get()
        try:
            yield request
        finally:
            self._requests.put(request)


def write_ir(onnx: Path, folder: Path) -> None:
    """Converts a float ONNX model to OpenVINO's format, weights in 16 bits; equal models become equal files."""
    import openvino

    model = openvino.Core().read_model(onnx)
    for number, node in enumerate(model.get_ordered_ops()):  # the names that it gives are counted per process
        if node.get_type_name() not in ("Parameter", "Result"):
            node.set_friendly_name(f"{node.get_type_name()}_{number}")
    openvino.save_model(model, folder / FILE, compress_to_fp16=True)


def quantise_weights(model: Model) -> None:
    """Replaces the weights of every matrix product by int8, with a scale for each output; embeddings stay."""
    from openvino import opset13

    for node in model.get_ops():
        weights = _constant(node.input_value(1).get_node()) if node.get_type_name() == "MatMul" else None
        if weights is None:
            continue
        attributes = node.get_attributes()
        values = weights.get_data().astype(np.float32)
        if not attributes["transpose_b"]:
            values = np.ascontiguousarray(values.T)
        scales = np.maximum(np.abs(values).max(axis=1, keepdims=True), 1e-12) / 127
        stored = opset13.constant(np.rint(values / scales).astype(np.int8))
        product = opset13.matmul(
            node.input_value(0),
            opset13.multiply(opset13.convert(stored, "f32"), opset13.constant(scales)),
            attributes["transpose_a"],
            transpose_b=True,
        )
        node.output(0).replace(product.output(0))


def _constant(node: Node) -> Any:  # noqa: ANN401  # OpenVINO has no type for a constant node
    """Returns the constant of two dimensions that a node holds, maybe stored in 16 bits; None if it is another node."""
    if node.get_type_name() == "Convert":
        node = node.input_value(0).get_node()
    return node if node.get_type_name() == "Constant" and len(node.shape) == 2 else None
