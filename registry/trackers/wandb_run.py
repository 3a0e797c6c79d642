"""Writes a record as a run of Weights & Biases."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from registry.trackers.record import Record

INIT_TIMEOUT_S = 30.0  # for a server to accept the run
FINISH_TIMEOUT_S = 60.0  # for the upload; the files stay, and wandb sync sends them again


def write(record: Record, settings: dict[str, Any], folder: Path) -> None:
    """Writes a record below ``folder/wandb``, and to the server if the mode is online."""
    for name in ("CACHE", "CONFIG", "DATA"):
        os.environ[f"WANDB_{name}_DIR"] = str(folder / name.lower())  # otherwise in the home directory
    import wandb

    online = settings["mode"] == "online"
    if online and not (settings.get("api_key") or os.environ.get("WANDB_API_KEY")):
        raise RuntimeError("online needs WANDB_API_KEY")
    given = {name: settings[name] for name in ("api_key", "base_url") if settings.get(name)}
    options = wandb.Settings(
        console="off",
        silent=True,
        disable_git=True,
        x_disable_meta=True,
        x_disable_stats=True,
        x_save_requirements=False,
        init_timeout=INIT_TIMEOUT_S,
        finish_timeout=FINISH_TIMEOUT_S,
        finish_timeout_raises=True,
        **given,
    )
    with wandb.init(
        project=settings["project"],
        entity=settings.get("entity"),
        name=record.name,
        mode=settings["mode"],
        dir=folder,
        config={**record.params, "tags": record.tags},
        settings=options,
    ) as run:
        run.log(record.metrics)
