"""The origin of a version, and the artifacts that a deployment of it needs."""

from __future__ import annotations

import subprocess

from sentiment.imports import ROOT

LINEAGE = ("fingerprint", "data_fingerprint", "pipeline_run", "mlflow_run", "git_commit")


def git_commit() -> str:
    """Returns the checkout's commit, with ``-dirty`` if tracked files differ from it; empty outside a checkout."""
    try:
        done = subprocess.run(
            ["git", "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
    except FileNotFoundError:  # no git: a container, or a copied folder
        return ""
    return done.stdout.strip()


def read_lineage(model: str, version: str) -> dict[str, str]:
    """Returns a version's lineage as it was registered: fingerprints of servable and data, runs, commit."""
    from zenml.client import Client

    metadata = Client().get_model_version(model, version).run_metadata
    return {name: str(metadata.get(name, "")) for name in LINEAGE}


def artifact_names(kind: str) -> tuple[str, str, str]:
    """Names the artifacts that a deployment of this kind of candidate needs: servable, splits and evaluation."""
    return "servable", "splits", f"{kind}_evaluation"
