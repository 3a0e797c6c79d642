"""What is known of the version that is deployed: its artifacts and where it comes from."""

from __future__ import annotations

from sentiment.errors import UserError
from steps.promotion import registry

LINEAGE = ("fingerprint", "data_fingerprint", "pipeline_run", "mlflow_run", "git_commit")


def lineage(model: str, version: str) -> dict[str, str]:
    """Where a version comes from, as it was registered: fingerprints of servable and data, runs, commit."""
    from zenml.client import Client

    metadata = Client().get_model_version(model, version).run_metadata
    return {name: str(metadata.get(name, "")) for name in LINEAGE}


def needed(kind: str) -> tuple[str, str, str]:
    """Names of the artifacts that a deployment of this kind of candidate needs: servable, splits and evaluation."""
    return "servable", "splits", f"{kind}_evaluation"


def require_stored(model: str, version: str, name: str) -> None:
    """Raises a UserError if there is no such version, or its artifact ``name`` or the files of it are gone."""
    from zenml.artifacts.utils import load_artifact_store

    artifact = registry.linked_artifact(model, version, name)
    if artifact.artifact_store_id and not load_artifact_store(artifact.artifact_store_id).exists(artifact.uri):
        raise UserError(
            f"the files of version {version}'s {name} are gone",
            where=f"model {model}",
            remedy="Train again, or use another version.",
        )
