"""ONNX Runtime: int8 on every processor, one text at a time."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from sentiment.models.engines.engine import Engine

if TYPE_CHECKING:
    from sentiment.models.engines.engine import Floats

FILE = "model.onnx"


class OnnxEngine(Engine):
    """Runs ``model.onnx``, int8 or float32.

    Every text is a forward pass of its own. An int8 model scales its activations by the largest in the pass, so in a
    batch a text's score would depend on the other texts. On one thread a batch is not faster either.
    """

    name = "onnxruntime"

    def __init__(self, path: Path, *, pad_id: int, threads: int) -> None:
        """Loads the model of the servable directory ``path``; ``threads`` texts are computed side by side."""
        import onnxruntime

        onnxruntime.disable_telemetry_events()
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        # Texts differ in length: a memory plan for each length would only grow.
        options.enable_mem_pattern = False
        options.enable_cpu_mem_arena = False  # an arena keeps the memory of the longest text for good
        self._threads = threads
        self._session = onnxruntime.InferenceSession(
            path / FILE, sess_options=options, providers=["CPUExecutionProvider"]
        )

    def log_odds(self, token_ids: Sequence[Sequence[int]]) -> Floats:
        """Computes the log-odds of the positive label of framed texts, shape (n,), in order."""
        if self._threads == 1 or len(token_ids) == 1:
            return np.fromiter(map(self._forward, token_ids), dtype=np.float64, count=len(token_ids))
        with ThreadPoolExecutor(self._threads) as pool:
            return np.fromiter(pool.map(self._forward, token_ids), dtype=np.float64, count=len(token_ids))

    def warm_up(self, max_length: int) -> None:
        """Runs a short and a long text: buffers are allocated by the first call of about a length."""
        for length in (min(8, max_length), max_length):
            self._forward([0] * length)

    def _forward(self, token_ids: Sequence[int]) -> float:
        ids = np.array([token_ids], dtype=np.int64)
        (logits,) = self._session.run(None, {"input_ids": ids, "attention_mask": np.ones_like(ids)})
        return float(logits[0, 1]) - float(logits[0, 0])
