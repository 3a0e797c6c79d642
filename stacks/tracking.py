"""Opens MLflow's pages on a stack's tracking data: ``python -m stacks.tracking [STACK]``."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from stacks.stack_file import Stack

LATER = {  # by flavor: shows or sends the runs of a further tracker
    "sentiment_wandb": "{programs}/wandb sync {folder}/wandb/offline-run-*",
    "sentiment_trackio": "TRACKIO_DIR={folder} {programs}/trackio show --project {project}",
}


def main(stack: str = "local") -> int:
    """Starts MLflow's server on the stack's local database, or prints the address of the remote one."""
    from zenml.client import Client

    from stacks.activation import activated
    from stacks.stack_file import read_stack

    declared = read_stack(stack)
    with activated(declared):
        tracker = Client().active_stack.experiment_tracker
        uri = tracker.get_tracking_uri()  # type: ignore[union-attr] # every stack file has MLflow's tracker
        further = list(further_commands(declared))
    print(f"Tracking URI, for MLFLOW_TRACKING_URI: {uri}")
    for command in further:
        print(command)
    if uri.startswith(("http://", "https://")):
        return 0
    port = os.environ.get("MLFLOW_PORT", "5000")
    print(f"MLflow: http://127.0.0.1:{port}   (stop it: Ctrl-C)", flush=True)
    mlflow = Path(sys.executable).with_name("mlflow")
    return subprocess.call([mlflow, "server", "--backend-store-uri", uri, "--host", "127.0.0.1", "--port", port])


def find_folder(flavor: str, configuration: Mapping[str, Any]) -> Path:
    """Returns the folder of a further tracker's files: the configured one, otherwise one in ZenML's local store."""
    if folder := configuration.get("folder"):
        return Path(folder).expanduser().resolve()
    from zenml.config.global_config import GlobalConfiguration

    return Path(GlobalConfiguration().local_stores_path).resolve() / flavor


def further_commands(stack: Stack) -> Iterator[str]:
    """Yields a command for each tracker after the first one: it shows its runs, or sends them to a server."""
    for component in stack.components.values():
        if component.flavor in LATER:
            folder = find_folder(component.flavor, component.configuration)
            project = component.configuration.get("project", "sentiment")
            yield LATER[component.flavor].format(programs=Path(sys.executable).parent, folder=folder, project=project)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
