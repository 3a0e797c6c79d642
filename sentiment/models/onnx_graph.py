"""A trained transformer as an ONNX graph, in float32 and in int8."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from logging import WARNING, disable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import torch
    from numpy.typing import NDArray
    from transformers import PreTrainedModel

OPSET = 17
PARITY_ROWS = 32
MAX_DIFFERENCE = 1e-3  # of a logit between torch and float ONNX, of logits around 1 to 5


def write_float(checkpoint: Path, path: Path, ids: Sequence[Sequence[int]], pad_id: int) -> float:
    """Writes a trained checkpoint as a float32 ONNX graph.

    Args:
        checkpoint: Folder with the weights.
        path: The file to write.
        ids: Framed token ids; some rows of all lengths are traced and compared.
        pad_id: Token that fills short rows.

    Returns:
        The largest difference of a logit between torch and ONNX.

    Raises:
        RuntimeError: If they differ by more than rounding.
    """
    import numpy as np
    import torch
    from transformers import AutoModelForSequenceClassification

    from sentiment.models.batches import pad
    from sentiment.models.encoder import quiet_transformers

    by_length = sorted(ids, key=len)
    rows = by_length[:: max(1, len(by_length) // PARITY_ROWS)]
    token_ids, mask = pad(rows, pad_id)
    inputs = (torch.from_numpy(token_ids), torch.from_numpy(mask))
    with quiet_transformers():
        model = AutoModelForSequenceClassification.from_pretrained(checkpoint, dtype=torch.float32).eval()
    logits = _logits_only(model)
    with torch.inference_mode():
        expected = logits(*inputs).numpy()
    names = ["input_ids", "attention_mask"]
    with _no_warnings():
        torch.onnx.export(
            logits,
            inputs,
            str(path),
            input_names=names,
            output_names=["logits"],
            dynamic_axes={name: {0: "rows", 1: "tokens"} for name in names} | {"logits": {0: "rows"}},
            opset_version=OPSET,
            dynamo=False,
        )
    parity = float(np.abs(run_onnx(path, token_ids, mask) - expected).max())
    if not parity <= MAX_DIFFERENCE:
        raise RuntimeError(f"ONNX differs from torch by {parity:.2g} in a logit; at most {MAX_DIFFERENCE} is rounding")
    return parity


def run_onnx(path: Path, token_ids: NDArray[np.int64], mask: NDArray[np.int64]) -> NDArray[np.float32]:
    """Computes the logits of padded rows, (rows, 2)."""
    import onnxruntime

    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    logits: NDArray[np.float32] = session.run(["logits"], {"input_ids": token_ids, "attention_mask": mask})[0]
    return logits


def _logits_only(model: PreTrainedModel) -> torch.nn.Module:
    """The model as a function of ids and mask alone (token types, where there are any, are zero)."""
    import torch

    class LogitsOnly(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
            logits: torch.Tensor = self.model(input_ids=input_ids, attention_mask=attention_mask).logits
            return logits

    return LogitsOnly().eval()


def quantise(float_path: Path, int8_path: Path) -> None:
    """Dynamic int8 of the matrix products by weights, a scale per output channel; embeddings stay float.

    The defaults of ``quantize_dynamic`` quantise the embeddings too and a scale per matrix: measured on the official
    IMDB test half they lose 1.2 points, these options 0.1 at the same speed.
    """
    from onnxruntime.quantization import QuantType, quantize_dynamic

    with _no_warnings():
        quantize_dynamic(
            float_path,
            int8_path,
            op_types_to_quantize=["MatMul"],
            per_channel=True,
            weight_type=QuantType.QInt8,
            extra_options={"MatMulConstBOnly": True},
        )


@contextmanager
def _no_warnings() -> Iterator[None]:
    """Silences the tracer's remarks on constants and the quantiser's advice to pre-process, which does not help."""
    import warnings

    disable(WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        disable(0)
