"""Writes a record as a run of trackio."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from registry.trackers.record import Record

LOCAL_ONLY = {"HF_HUB_OFFLINE": "1", "TRACKIO_STORAGE_MODE": "sqlite"}  # no request for the name of a Hugging Face user
REMOTE_VARIABLES = ("TRACKIO_SPACE_ID", "TRACKIO_SERVER_URL", "TRACKIO_BUCKET_ID", "TRACKIO_DATASET_ID")


def write(record: Record, settings: dict[str, Any], folder: Path) -> None:
    """Writes a record to the project's sqlite file in the folder.

    Raises:
        RuntimeError: If the metrics cannot be read back: trackio itself only warns.
    """
    for name in REMOTE_VARIABLES:
        os.environ.pop(name, None)
    os.environ.update(LOCAL_ONLY, TRACKIO_DIR=str(folder))  # trackio reads it when it is imported
    import trackio
    from trackio.sqlite_storage import SQLiteStorage

    config = {**record.params, "tags": record.tags}  # apart: both may have a challenger
    run = trackio.init(
        project=settings["project"],
        name=record.name,
        config=config,
        embed=False,
        auto_log_cpu=False,
        auto_log_gpu=False,
    )
    run.log(record.metrics)
    run.finish()
    stored = SQLiteStorage.get_logs(settings["project"], record.name, run_id=run.id)
    if not any(record.metrics.keys() <= row.keys() for row in stored):
        raise RuntimeError(f"{folder} does not hold the metrics after they were written")
