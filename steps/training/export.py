"""Checkpoint to servable."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Annotated

from zenml import ArtifactConfig, log_metadata, step

from registry.lineage import git_commit
from sentiment.models.allocation import release_memory
from sentiment.models.checkpoint import TransformerCheckpoint
from sentiment.models.export import ExportSettings, export_transformer, write_servable
from sentiment.models.servable import Servable
from sentiment.reviews.table import Splits
from steps.caching import depends_on_imports


@step(cache_policy=depends_on_imports(__name__))
def export(
    checkpoint: TransformerCheckpoint, splits: Splits, settings: ExportSettings, seed: int
) -> Annotated[Servable, ArtifactConfig(name="{candidate}")]:
    """Exports to ONNX, int8 where that costs no accuracy, and calibrates on the validation split."""
    out = Path(tempfile.mkdtemp(prefix=f"{checkpoint.kind}-"))
    report = export_transformer(checkpoint, splits.validation, out, settings, seed=seed)
    release_memory()
    log_metadata({"export": report.model_dump()})
    return write_servable(out, report, splits.validation, data_fingerprint=splits.fingerprint, git_commit=git_commit())
