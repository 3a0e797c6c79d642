"""When a step may be served from cache: same inputs, settings and code below it."""

from __future__ import annotations

import os
from pathlib import Path

from zenml.config.cache_policy import CachePolicy

ROOT = Path(__file__).resolve().parents[1]
SERVED = tuple(f"sentiment/models/{name}.py" for name in ("classifier", "features", "servable", "truncation"))


def depends_on(*places: str | Path) -> CachePolicy:
    """A cache policy that also looks at files; ZenML by itself sees only the step function's own code.

    Args:
        places: Files or folders of Python files, relative to the repository or absolute.
    """
    files = [file for place in places for file in _files(ROOT / place)]
    return CachePolicy(file_dependencies=[os.path.relpath(file, ROOT) for file in files])


def _files(place: Path) -> list[Path]:
    return sorted(place.rglob("*.py")) if place.is_dir() else [place]
