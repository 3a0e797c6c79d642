"""Where unfinished work waits for the next run."""

from __future__ import annotations

import os
from pathlib import Path

from steps.caching import ROOT


def scratch(name: str) -> Path:
    """A folder under ``$SENTIMENT_CACHE`` (``.cache`` of the repository) that outlives the process."""
    path = Path(os.environ.get("SENTIMENT_CACHE", ROOT / ".cache")) / name
    path.mkdir(parents=True, exist_ok=True)
    return path
