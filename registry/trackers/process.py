"""The process that writes one record to one tracker: ``python -m registry.trackers.process``.

A tracker's client may print, hang, crash, start threads and read the environment when it is imported: not in a step.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from registry.trackers import trackio_run, wandb_run
from registry.trackers.record import Record, Tracker

TRACKERS: dict[str, Tracker] = {"sentiment_wandb": wandb_run.write, "sentiment_trackio": trackio_run.write}


def main() -> int:
    """Reads flavor, record, settings and folder as JSON; an error is the last line of standard error."""
    given = json.load(sys.stdin)
    try:
        TRACKERS[given["flavor"]](Record(**given["record"]), given["settings"], Path(given["folder"]))
    except Exception as error:  # a tracker's client may raise any type
        words = " ".join(str(error).split())
        sys.stderr.write(f"\n{words or type(error).__name__}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
