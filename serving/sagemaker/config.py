"""The configuration of the model deployer ``sentiment_sagemaker``: ``model_deployer`` in a stack file."""

from __future__ import annotations

import hashlib

from pydantic import Field, field_validator
from zenml.model_deployers.base_model_deployer import BaseModelDeployerConfig

from bento.options import ServiceOptions

# The names of models and endpoint configurations begin with the endpoint's, and SageMaker allows 63 characters.
MAX_NAME = 63
MAX_ENDPOINT_NAME = 32
NAME = r"[a-z0-9](-*[a-z0-9])*"  # SageMaker writes names in lower case into ARNs, by which the policy names them


class SageMakerDeployerConfig(BaseModelDeployerConfig, ServiceOptions):
    """Configures the endpoint, and the options of the service in its container."""

    region: str = Field(pattern=r"^[a-z]{2}(-[a-z]+)+-\d$", description="AWS region, e.g. eu-central-1")
    role: str = Field(
        pattern=r"^arn:aws[a-z-]*:iam::\d{12}:role/[\w+=,.@/-]+$",
        description="ARN of the role that the endpoint runs as: deploy/sagemaker/execution-policy.json",
    )
    repository: str = Field(
        pattern=r"^[\w.:-]+/[a-z0-9]+([._/-][a-z0-9]+)*$",
        description="ECR repository of the images, e.g. ACCOUNT.dkr.ecr.REGION.amazonaws.com/sentiment; exists there",
    )
    endpoint: str = Field(
        "sentiment",
        pattern=f"^{NAME}$",
        max_length=MAX_ENDPOINT_NAME,
        description="name of the endpoint; models and configurations begin with it",
    )
    instance_type: str = Field("ml.m5.large", pattern=r"^ml\.[a-z0-9-]+\.[a-z0-9]+$", description="of every instance")
    instance_count: int = Field(1, ge=1, le=100, description="instances of a version; two versions while one is tried")
    price_per_hour: float | None = Field(
        None, ge=0, description="US dollars that an instance costs an hour, for status and stop; null: not shown"
    )
    base_image: str = Field("python:3.11-slim", description="image with Python 3.11 below the service")
    start_timeout: int = Field(1800, ge=60, le=14_400, description="seconds that SageMaker has for a change")
    metrics_delay: int = Field(
        120, ge=0, le=900, description="seconds that a canary is watched longer, as CloudWatch is behind by as much"
    )

    @field_validator("tokens_file")
    @classmethod
    def _has_no_tokens(cls, tokens_file: str | None) -> None:
        if tokens_file is not None:
            raise ValueError("at SageMaker, IAM decides who may call. Remove tokens_file")

    @property
    def repository_name(self) -> str:
        """The repository without its registry."""
        return self.repository.partition("/")[2]

    def environment(self) -> dict[str, str]:
        """Returns the environment of the container; its disk ends with it, so it keeps no prediction log."""
        options = {name: value for name, value in self.as_environment().items() if value}
        return {**options, "SENTIMENT_LOG": ""}

    def fingerprint(self) -> str:
        """Hashes (SHA-256) the settings of which a running version has its own."""
        values = self.model_dump_json(exclude={"price_per_hour", "start_timeout", "metrics_delay", "base_image"})
        return hashlib.sha256(values.encode()).hexdigest()
