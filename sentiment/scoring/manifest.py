"""The manifest of a job: what it reads, with what, and how it is cut. A job that goes on is compared with it."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict

from sentiment.scoring.plan import Shard

MANIFEST_FORMAT = 1


class ModelFacts(BaseModel):
    """The model of a job."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    version: str
    fingerprint: str
    engine: str


class InputFacts(BaseModel):
    """An input file of a job: its size in bytes, and the name of its content."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: str
    size: int
    digest: str


class JobManifest(BaseModel):
    """The record of a job: the same input, model and settings give the same record.

    Attributes:
        format: Version of this form.
        complete: Whether every shard is finished.
        model: The model.
        settings: The settings that decide what is written.
        inputs: The input files, in order.
        shards: The shards, in order.
        rows: Rows of the input: those scored and those rejected.
        scored: Rows in the parts; None until the job is complete.
        rejected: Rejected rows by reason; None until then.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: int = MANIFEST_FORMAT
    complete: bool = False
    model: ModelFacts
    settings: dict[str, Any]
    inputs: tuple[InputFacts, ...]
    shards: tuple[Shard, ...]
    rows: int
    scored: int | None = None
    rejected: dict[str, int] | None = None

    def difference(self, other: JobManifest) -> str | None:
        """Says in what another job differs from this one; None if it is the same."""
        for name in ("name", "version", "fingerprint", "engine"):
            ours, theirs = getattr(self.model, name), getattr(other.model, name)
            if ours != theirs:
                return f"the model's {name} was {ours[:20]}, and is {theirs[:20]}"
        for name in sorted(self.settings.keys() | other.settings.keys()):
            if self.settings.get(name) != other.settings.get(name):
                return f"{name} was {self.settings.get(name)!r}, and is {other.settings.get(name)!r}"
        ours, theirs = ({i.path: i.digest for i in job.inputs} for job in (self, other))
        for path in sorted(ours.keys() | theirs.keys()):
            if ours.get(path) != theirs.get(path):
                verb = "changed" if path in ours and path in theirs else "is new" if path in theirs else "is gone"
                return f"the input {path} {verb}"
        same = (self.inputs, self.shards) == (other.inputs, other.shards)
        return None if same else "the input is in another order, or cut otherwise"
