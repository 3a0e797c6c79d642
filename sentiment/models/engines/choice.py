"""The choice of an engine: the fastest that the machine and the servable have, or the one asked for."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from sentiment.errors import UserError
from sentiment.models.engines import onnx_engine, openvino_engine
from sentiment.models.engines.engine import Engine
from sentiment.models.engines.processor import instructions

VARIABLE = "SENTIMENT_ENGINE"
AUTO = "auto"
ONNX = "onnxruntime"
BF16 = "openvino-bf16"
INT8 = "openvino-int8"
F32 = "openvino-f32"
ENGINES: dict[str, tuple[str, Callable[..., Engine]]] = {  # the file that each needs, and how it is loaded
    BF16: (openvino_engine.FILE, partial(openvino_engine.OpenVinoEngine, precision="bf16")),
    INT8: (openvino_engine.FILE, partial(openvino_engine.OpenVinoEngine, precision="int8")),
    F32: (openvino_engine.FILE, partial(openvino_engine.OpenVinoEngine, precision="f32")),
    ONNX: (onnx_engine.FILE, onnx_engine.OnnxEngine),
}
# The instruction that makes an engine fast, the fastest first (docs/results.md has the measurements).
FAST = (("amx_bf16", BF16), ("avx512_vnni", INT8), ("avx512_bf16", BF16))

logger = logging.getLogger(__name__)


def load_engine(path: Path, settings: Mapping[str, Any], *, threads: int) -> Engine:
    """Loads the transformer in a servable directory.

    The environment variable ``SENTIMENT_ENGINE`` names the engine; ``auto`` or empty chooses the fastest one. If that
    does not load, ONNX Runtime takes over, and a warning says so.

    Args:
        path: The directory.
        settings: The settings of its manifest: ``pad_id``, and ``engines`` that keep its accuracy.
        threads: Texts or batches that are computed side by side.

    Raises:
        UserError: If the engine asked for is unknown, or the servable lacks its file.
    """
    wanted = os.environ.get(VARIABLE) or AUTO
    if wanted != AUTO and wanted not in ENGINES:
        raise UserError(f"unknown engine {wanted!r}", where=VARIABLE, remedy=f"Known: {', '.join([AUTO, *ENGINES])}.")
    name = wanted if wanted != AUTO else fastest(settings["engines"], instructions())
    file, load = ENGINES[name]
    try:
        if not (path / file).is_file():
            raise UserError(f"has no {file}", where=str(path), remedy="Train again, or ask for another engine.")
        return load(path, pad_id=settings["pad_id"], threads=threads)
    except Exception as error:
        if wanted != AUTO or name == ONNX:
            raise
        reason = (str(error).strip() or "no message").splitlines()[0]
        logger.warning("%s does not load (%s: %s): %s runs the model", name, type(error).__name__, reason, ONNX)
        return ENGINES[ONNX][1](path, pad_id=settings["pad_id"], threads=threads)


def suits(engine: str, machine: tuple[str, ...]) -> bool:
    """Whether a machine has an instruction that makes an engine fast."""
    return any(needed in machine for needed, name in FAST if name == engine)


def fastest(engines: tuple[str, ...] | list[str], machine: tuple[str, ...]) -> str:
    """Returns the fastest of some engines for a machine's instructions."""
    return next((engine for needed, engine in FAST if needed in machine and engine in engines), ONNX)
