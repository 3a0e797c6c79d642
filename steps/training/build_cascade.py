"""Linear and transformer servables to the cascade."""

from __future__ import annotations

import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

from zenml import log_metadata, step

from registry.lineage import git_commit
from sentiment.models.cascade import CascadeSettings, fit_cascade
from sentiment.models.servable import Servable
from sentiment.reviews.table import Splits
from steps.caching import depends_on_imports


@step(cache_policy=depends_on_imports(__name__))
def build_cascade(
    linear: Servable, transformer: Servable, splits: Splits, settings: CascadeSettings
) -> Annotated[Servable, "cascade"]:
    """Chooses on the validation split which texts the linear model answers alone."""
    out = Path(tempfile.mkdtemp(prefix="cascade-"))
    tried = fit_cascade(linear, transformer, splits.validation, settings, out, git_commit=git_commit())
    log_metadata({"tried": {f"share {t.share:g}": asdict(t) for t in tried}})
    return Servable(out)
