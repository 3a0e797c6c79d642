"""What is known of the version that is deployed: its artifacts and where it comes from."""

from __future__ import annotations

LINEAGE = ("fingerprint", "data_fingerprint", "pipeline_run", "mlflow_run", "git_commit")


def lineage(model: str, version: str) -> dict[str, str]:
    """Where a version comes from, as it was registered: fingerprints of servable and data, runs, commit."""
    from zenml.client import Client

    metadata = Client().get_model_version(model, version).run_metadata
    return {name: str(metadata.get(name, "")) for name in LINEAGE}


def needed(kind: str) -> tuple[str, str, str]:
    """Names of the artifacts that a deployment of this kind of candidate needs: servable, splits and evaluation."""
    return "servable", "splits", f"{kind}_evaluation"
