"""Opens MLflow's pages on a stack's tracking data: ``python -m stacks.tracking [STACK]``."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path


def main(stack: str = "local") -> int:
    """Starts MLflow's server on the stack's local database, or prints the address of the remote one."""
    from zenml.client import Client

    from stacks.activation import activated
    from stacks.stack_file import read_stack

    with activated(read_stack(stack)):
        tracker = Client().active_stack.experiment_tracker
        uri = tracker.get_tracking_uri()  # type: ignore[union-attr] # every stack file has MLflow's tracker
    print(f"Tracking URI, for MLFLOW_TRACKING_URI: {uri}")
    if uri.startswith(("http://", "https://")):
        return 0
    port = os.environ.get("MLFLOW_PORT", "5000")
    print(f"MLflow: http://127.0.0.1:{port}   (stop it: Ctrl-C)", flush=True)
    mlflow = Path(sys.executable).with_name("mlflow")
    return subprocess.call([mlflow, "server", "--backend-store-uri", uri, "--host", "127.0.0.1", "--port", port])


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
