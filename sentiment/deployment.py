"""Bento and Deployment: what was packaged from a promoted model, and what serves it."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Bento(BaseModel):
    """A packaged model: service code, pinned requirements and one servable.

    Attributes:
        tag: Name and version in the Bento store.
        model: Name of the model.
        version: Number of the model's version that is packaged.
        labels: Where it comes from: model version, pipeline run, MLflow run, git commit, fingerprints.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    tag: str
    model: str
    version: str
    labels: dict[str, str]


class Deployment(BaseModel):
    """A Bento that answers at the live address.

    Attributes:
        bento: What is served.
        http: Address for HTTP, e.g. ``http://127.0.0.1:3000``.
        grpc: Address for gRPC, e.g. ``127.0.0.1:3001``.
        since: When it became live, ISO 8601 in UTC.
        front: Whether a proxy stands in front of it: a switch then loses no request.
        run: Name of the pipeline run that made it live.
        service: Identifier of the service in ZenML.
        healthy: Whether it answered over both protocols when this was read.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    bento: Bento
    http: str
    grpc: str
    since: str
    front: bool
    run: str
    service: str
    healthy: bool = True
