"""Version, Bento and Deployment: a trained model on record, its package, and the service that runs the package."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict


@dataclass(frozen=True)
class Version:
    """A version of the model.

    Attributes:
        number: Its number, on MLflow's version of it as the tag ``zenml_version``.
        stage: ``production``, ``archived`` or empty.
        kind: The candidate that it is, such as ``cascade``.
        stages: Names of a cascade's stages, the cheapest first; none for other kinds.
        fingerprint: SHA-256 of its servable.
        promoted: Whether its decision was to promote it.
        reason: The decision's reason.
        replaced: Number of the version that it replaced when it was promoted; empty if there was none.
        rolled_back: When a rollback or a failed canary removed it from production, ISO 8601 in UTC; empty if that
            never happened, or an operator has promoted it again.
        since: When it was last put into production, ISO 8601 in UTC; empty if it never was.
        registered: When it was created, ISO 8601 in UTC.
        run: Name of the pipeline run that created it.
        accuracy: On the test split of that run; None if it is not on record.
        ece: Calibration error, likewise.
        waiting: Whether it kept every rule under ``automatic: false``, waits to be approved and promoted, and the
            champion that it was compared with is still the champion.
        approved_by: Who approved it; empty if no approval is on record.
        approval_reason: The reason of the person who approved or rejected it.
        approval: ``pending``, ``approved``, ``rejected``, or empty if none was ever asked for or given.
        compared_with: Number of the champion that it was compared with when it began to wait; empty if there was none.
    """

    number: str
    stage: str
    kind: str
    fingerprint: str
    promoted: bool
    reason: str
    replaced: str
    rolled_back: str = ""
    since: str = ""
    registered: str = ""
    run: str = ""
    accuracy: float | None = None
    ece: float | None = None
    stages: tuple[str, ...] = ()
    waiting: bool = False
    approved_by: str = ""
    approval_reason: str = ""
    approval: str = ""
    compared_with: str = ""

    @property
    def full_reason(self) -> str:
        """The decision's reason, and what the person who approved or rejected it wrote."""
        if self.approved_by:
            return f"{self.reason}; approved by {self.approved_by}: {self.approval_reason or 'no reason given'}"
        return f"{self.reason}; {self.approval}: {self.approval_reason}" if self.approval_reason else self.reason

    @property
    def description(self) -> str:
        """Its kind, and a cascade's stages."""
        return f"{self.kind} ({' > '.join(self.stages)})" if self.stages else self.kind

    def as_json(self) -> dict[str, Any]:
        """Returns it for ``--json``; the key ``taken_back`` is older than the attribute's name."""
        return {"taken_back" if name == "rolled_back" else name: value for name, value in asdict(self).items()}


class Bento(BaseModel):
    """A packaged model: service code, pinned requirements and one servable.

    Attributes:
        tag: Name and version in the Bento store.
        model: Name of the model.
        version: Number of the model's version in the package.
        labels: Its lineage: model version, pipeline run, MLflow run, git commit, fingerprints.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    tag: str
    model: str
    version: str
    labels: dict[str, str]


class Deployment(BaseModel):
    """A Bento that answers at the live address.

    Attributes:
        bento: The Bento that is served.
        http: Address for HTTP, e.g. ``http://127.0.0.1:3000``.
        grpc: Address for gRPC, e.g. ``127.0.0.1:3001``; empty if gRPC is not reachable.
        since: When it went live, ISO 8601 in UTC.
        front: Whether a proxy is in front of it: a switch then loses no request.
        run: Name of the pipeline run that deployed it.
        service: Identifier of the service in ZenML.
        healthy: Whether it answered over both protocols when this was read.
        facts: What users should also know of it, by name, such as the instances of an endpoint and their cost.
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
    facts: dict[str, str] = {}
